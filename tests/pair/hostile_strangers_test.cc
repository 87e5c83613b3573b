// Floods from addresses that belong to nobody: strangers get in, work stays small, answers stay few (RFC 9000 §21).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "stack/crypto/initial.h"
#include "stack/wire/header.h"
#include "tests/pair/flood.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

ConnectionId stranger_cid(std::uint32_t i) {
  const std::array<std::byte, 8> id{std::byte{0xab}, static_cast<std::byte>(i >> 16), static_cast<std::byte>(i >> 8),
                                    static_cast<std::byte>(i)};
  return ConnectionId(id);
}

/// An Initial with our ClientHello, to a connection ID of its own.
std::vector<std::byte> spoofed_initial(RawPeer& peer, std::uint32_t i) {
  KeyRing keys;
  keys.install_initial(stranger_cid(i), Role::client);
  return peer.seal({.level = EncryptionLevel::initial,
                    .dcid = stranger_cid(i),
                    .number = 0,
                    .pad_to = kMinInitialDatagram,
                    .keys = &keys},
                   RawPeer::encoded(CryptoFrame{0, peer.crypto(EncryptionLevel::initial)}));
}

/// A long header of type `first` and version `version`, with noise behind it.
std::vector<std::byte> long_noise(std::uint8_t first, std::uint32_t version, std::uint32_t i) {
  std::vector<std::byte> datagram(kMinInitialDatagram, static_cast<std::byte>(i));
  ByteWriter out(datagram);
  EXPECT_TRUE(out.write_u8(first) && out.write_u32(version) && out.write_u8(8) &&
              out.write_bytes(stranger_cid(i).bytes()) && out.write_u8(8) &&
              out.write_bytes(stranger_cid(i + 1).bytes()));
  if ((first & 0x30) == 0) {
    EXPECT_TRUE(out.write_u8(0));  // Initial: no token
  }
  EXPECT_TRUE(out.write_u16(0x4000 | 1100));  // Length
  return datagram;
}

std::vector<std::byte> short_noise(std::uint32_t i) {
  std::vector<std::byte> datagram(22, static_cast<std::byte>(i));
  datagram[0] = std::byte{0x40};
  datagram[1] = static_cast<std::byte>(i >> 8);
  return datagram;
}

// --- Who gets in

enum class FloodKind { shorts, initials, undecryptable, versions, handshakes, all };

struct FloodCase {
  FloodKind kind = FloodKind::all;
  bool one_source = false;
  bool retry = true;
};

class StrangersUnderFlood : public testing::TestWithParam<FloodCase> {
 protected:
  static constexpr int kClients = 100;
  static constexpr Duration kStep = 2ms;
  static constexpr int kPacketsPerStep = 200;  // 100,000 a second

  StrangersUnderFlood() : donor_(), pair_(options()) {
    donor_.start();
    for (std::uint32_t i = 0; i < 64; ++i) initials_.push_back(spoofed_initial(donor_, i));
    pair_.filter = [this](InFlight& d) {
      return d.to_server || honest_.contains(d.tuple.local);  // nobody is at the spoofed addresses
    };
  }
  static PairOptions options() {
    PairOptions options;
    options.qlog = false;
    options.server.require_retry = GetParam().retry;
    return options;
  }
  std::vector<std::byte> packet(FloodKind kind, std::uint32_t i) {
    switch (kind) {
      case FloodKind::shorts: return short_noise(i);
      case FloodKind::initials: return initials_[i % initials_.size()];
      case FloodKind::undecryptable: return long_noise(0xc0, kVersion1, i);
      case FloodKind::versions: return long_noise(0xc0, 0xbabababa, i);
      case FloodKind::handshakes: return long_noise(0xe0, kVersion1, i);
      case FloodKind::all: break;
    }
    return packet(static_cast<FloodKind>(i % static_cast<std::uint32_t>(FloodKind::all)), i);
  }
  void flood_for_one_step() {
    for (int k = 0; k < kPacketsPerStep; ++k, ++sent_) {
      auto bytes = packet(GetParam().kind, sent_);
      const SocketAddress from = spoofed_address(GetParam().one_source ? 7 : sent_);
      pair_.server->receive({{Pair::server_address(), from}, Ecn::not_ect, bytes, bytes.size()}, pair_.now);
      if (k % 32 == 31) pair_.run_for({});  // hosts read at most so many at once
    }
    pair_.run_for(kStep);
  }

  RawPeer donor_;
  Pair pair_;
  std::vector<std::vector<std::byte>> initials_;
  std::set<SocketAddress> honest_;
  std::uint32_t sent_ = 0;
};

TEST_P(StrangersUnderFlood, NinetyNineOfAHundredAreInWithinASecond) {
  std::size_t confirmed = 0;
  int started = 0;
  const auto in = [&] { return pair_.events_of<HandshakeConfirmed>(false).size(); };
  while (started < kClients) {
    flood_for_one_step();
    const auto i = static_cast<std::uint8_t>(started++);
    honest_.insert(Pair::client_address(i));
    pair_.connect_options.tuple = Pair::tuple(i);
    pair_.start();
  }
  const Instant end = pair_.now + 1s - kStep * kClients;  // the first one's second
  while (pair_.now < end && (confirmed = in()) < kClients) flood_for_one_step();
  EXPECT_GE(confirmed, 99U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, StrangersUnderFlood,
                         testing::Values(FloodCase{FloodKind::shorts}, FloodCase{FloodKind::initials},
                                         FloodCase{FloodKind::initials, false, false},
                                         FloodCase{FloodKind::undecryptable},
                                         FloodCase{FloodKind::undecryptable, false, false},
                                         FloodCase{FloodKind::versions}, FloodCase{FloodKind::handshakes},
                                         FloodCase{FloodKind::all, true}, FloodCase{FloodKind::all}));

// --- Work and memory

/// Counts what a packet costs before anybody has proved anything.
class CountingTls final : public TlsProvider {
 public:
  explicit CountingTls(std::shared_ptr<TlsProvider> inner) : inner_(std::move(inner)) {}
  Result<std::unique_ptr<TlsSession>> make_session(const TlsSessionOptions& options) override {
    ++sessions;
    return inner_->make_session(options);
  }
  std::size_t sessions = 0;

 private:
  std::shared_ptr<TlsProvider> inner_;
};

TEST(HostileStrangers, AnUndecryptableInitialAllocatesNothing) {  // RFC 9001 §5.2: its keys are public, not its bytes
  SeededRng rng(1);
  const auto tls = std::make_shared<CountingTls>(make_test_tls(rng).server);
  EndpointConfig config;
  config.server_tls = tls;
  Endpoint server(config, rng);
  std::vector<std::vector<std::byte>> noise;
  for (std::uint32_t i = 0; i < 901; ++i) noise.push_back(long_noise(0xc0, kVersion1, i));
  std::size_t before = 0;
  for (std::uint32_t i = 0; i < noise.size(); ++i) {
    if (i == 1) before = allocation_count();  // the first one brings what all share
    server.receive({{Pair::server_address(), spoofed_address(i)}, Ecn::not_ect, noise[i], noise[i].size()}, Instant{});
  }
  EXPECT_EQ(allocation_count() - before, 0U);
  EXPECT_EQ(tls->sessions, 0U);
  EXPECT_EQ(server.connection_count(), 0U);
  EXPECT_EQ(server.drops()[static_cast<std::size_t>(DropReason::decryption_failed)], noise.size());
}

TEST(HostileStrangers, OnlySoManyFirstFlightsASecondAreLookedInto) {  // the others have to prove their address first
  SeededRng rng(1);
  const auto tls = std::make_shared<CountingTls>(make_test_tls(rng).server);
  EndpointConfig config;
  config.server_tls = tls;
  Endpoint server(config, rng);
  constexpr std::uint32_t kNoise = 3'000;
  std::size_t retries = 0;
  std::vector<std::byte> out(2000);
  for (std::uint32_t i = 0; i < kNoise; ++i) {
    auto noise = long_noise(0xc0, kVersion1, i);
    server.receive({{Pair::server_address(), spoofed_address(i)}, Ecn::not_ect, noise, noise.size()}, Instant{});
    while (server.poll_transmit(out, Instant{})) ++retries;
  }
  const auto looked_into = kAllowances[static_cast<std::size_t>(BudgetPurpose::first_flight)].in_total;
  EXPECT_EQ(server.drops()[static_cast<std::size_t>(DropReason::decryption_failed)], looked_into);
  EXPECT_EQ(retries, kNoise - looked_into);
}

TEST(HostileStrangers, TenThousandInitialsFromSpoofedAddresses) {  // RFC 9000 §8.1, §21.2
  constexpr std::uint32_t kInitials = 10'000;
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const std::size_t half_open = EndpointConfig{}.retry_above_half_open;
  const Flood flood(peer);
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < kInitials; ++i) {
    peer.deliver(spoofed_initial(peer, i), spoofed_address(i));
    if (i % 1000 == 0) most = std::max(most, flood.growth());
  }
  most = std::max(most, flood.growth());
  EXPECT_LE(peer.endpoint->connection_count(), half_open + 1);  // the others would have to come back with a token
  EXPECT_EQ(peer.drops(DropReason::rate_limited), 0U);          // which each of them got
  EXPECT_LT(most, 48 * kMegabyte);
  peer.run_for(60s);
  for (const auto& [to, bytes] : peer.bytes_to)
    if (to != peer.address_of(kInitialPath)) {
      EXPECT_LE(bytes, 3 * kMinInitialDatagram);
    }
  EXPECT_LE(peer.endpoint->connection_count(), 1U);
  peer.bytes_to.clear();
  EXPECT_LT(flood.growth(), 4 * kMegabyte);  // tables keep some capacity
}

TEST(HostileStrangers, AConnectionLimitIsALimit) {
  RawPeerOptions options;
  options.endpoint.max_connections = 20;
  RawPeer peer(options);
  ASSERT_TRUE(peer.handshake());
  for (std::uint32_t i = 0; i < 200; ++i) peer.deliver(spoofed_initial(peer, i), spoofed_address(i));
  EXPECT_EQ(peer.endpoint->connection_count(), 20U);
  EXPECT_EQ(peer.drops(DropReason::connection_limit), 181U);
  EXPECT_TRUE(peer.send(PingFrame{}));  // who is in stays in
}

TEST(HostileStrangers, UnknownVersionsAreAnsweredAtALimitedRate) {  // RFC 9000 §6.1
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  for (std::uint32_t i = 0; i < 25'000; ++i) {
    peer.deliver(long_noise(0xc0, 0x5a5a5a5b, i), spoofed_address(i));
    ASSERT_LT(peer.bytes_to[spoofed_address(i)], 1200U);
  }
  EXPECT_GE(peer.drops(DropReason::rate_limited), 5'000U);
  peer.bytes_to.clear();
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileStrangers, OneSourceGetsFewResets) {  // RFC 9000 §10.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  const SocketAddress one = spoofed_address(1);
  for (std::uint32_t i = 0; i < 5'000; ++i) peer.deliver(short_noise(i), one);
  const auto resets = kAllowances[static_cast<std::size_t>(BudgetPurpose::reset)].of_one_source;
  EXPECT_LE(peer.bytes_to[one], resets * 43U);
  EXPECT_GT(peer.bytes_to[one], 0U);
  EXPECT_EQ(peer.drops(DropReason::unknown_connection), 5'000U);
  EXPECT_LT(flood.growth(), kMegabyte);
}

// --- Where nobody can be

TEST(HostileStrangers, ImpossibleSourcesAreNotAnswered) {
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const std::array sources{SocketAddress{IpAddress::v4({203, 0, 113, 1}), 0},
                           *SocketAddress::parse("0.0.0.0:4000"),
                           *SocketAddress::parse("224.0.0.5:4000"),
                           *SocketAddress::parse("255.255.255.255:4000"),
                           *SocketAddress::parse("[ff02::1]:4000"),
                           *SocketAddress::parse("[::ffff:192.0.2.1]:443"),
                           Pair::server_address()};
  const std::size_t connections = peer.endpoint->connection_count();
  for (const SocketAddress& from : sources) {
    peer.deliver(short_noise(1), from);
    peer.deliver(spoofed_initial(peer, 1), from);
    peer.deliver(long_noise(0xc0, 0xbabababa, 1), from);
    EXPECT_EQ(peer.bytes_to[from], 0U) << from.to_string();
  }
  EXPECT_EQ(peer.drops(DropReason::impossible_source), 3 * sources.size());
  EXPECT_EQ(peer.endpoint->connection_count(), connections);
  EXPECT_EQ(peer.drops(DropReason::unknown_connection), 0U);
}

// --- Hostile servers

/// A client's first Initial and what a Retry with a token of that size brings about: the next Initial, if there is one.
std::optional<std::size_t> initial_after_retry(std::size_t token_size, std::uint64_t& refused) {
  SeededRng rng(1);
  Endpoint client({}, rng);
  const ConnectOptions options{
      .tuple = Pair::tuple(0), .server_name = "localhost", .tls = make_test_tls(rng).client, .ticket = {}, .token = {}};
  EXPECT_TRUE(client.connect(options, Instant{}));
  std::vector<std::byte> out(65536);
  const auto first = client.poll_transmit(out, Instant{});
  if (!first) return std::nullopt;
  const auto header = parse_invariants(Bytes(out).first(first->size), kLocalCidLength);
  const ConnectionId original(header->dcid);
  const ConnectionId client_cid(header->scid);
  while (client.poll_transmit(out, Instant{})) {}
  const std::vector<std::byte> token(token_size, std::byte{1});
  std::vector<std::byte> retry(token_size + 100);
  ByteWriter writer(retry);
  EXPECT_TRUE(write_retry(writer, {.dcid = client_cid, .scid = stranger_cid(9), .token = token}));
  EXPECT_TRUE(writer.write_bytes(retry_integrity_tag(original, writer.written())));
  retry.resize(writer.size());
  client.receive({Pair::tuple(0), Ecn::not_ect, retry, retry.size()}, Instant{});
  refused = client.drops()[static_cast<std::size_t>(DropReason::invalid_retry)];
  const auto next = client.poll_transmit(out, Instant{});
  return next ? std::optional(next->segment_size) : std::nullopt;
}

TEST(HostileStrangers, AGiantRetryTokenIsRefusedAndABigOneFits) {  // RFC 9000 §14.1, §17.2.5
  std::uint64_t refused = 0;
  for (const std::size_t size : {std::size_t{1}, std::size_t{500}, kMaxAddressToken}) {
    EXPECT_EQ(initial_after_retry(size, refused), kMinInitialDatagram) << size;
    EXPECT_EQ(refused, 0U);
  }
  for (const std::size_t size : {kMaxAddressToken + 1, std::size_t{1200}, std::size_t{60'000}}) {
    EXPECT_EQ(initial_after_retry(size, refused), std::nullopt) << size;
    EXPECT_EQ(refused, 1U);
  }
}

}  // namespace
}  // namespace mpquic::test
