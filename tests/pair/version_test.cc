// A client that offers another version than ours (RFC 9000 §6): it starts again, or ends, and is not to be fooled.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "stack/packet/builder.h"
#include "stack/wire/header.h"
#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kReserved = 0x1a2a3a4a;  // RFC 9000 §15
constexpr std::uint32_t kVersion2 = 0x6b3343cf;  // RFC 9369

/// What the long headers of a datagram's first packet say.
struct Seen {
  std::uint32_t version = 0;
  ConnectionId dcid;
  ConnectionId scid;
};

Seen seen_in(Bytes datagram) {
  const auto header = parse_invariants(datagram, kLocalCidLength);
  return {header->version, ConnectionId(header->dcid), ConnectionId(header->scid)};
}

/// A client that offers `version` to a server that is not there; forge() answers in its place.
class OfferedVersion {
 public:
  explicit OfferedVersion(std::uint32_t version) {
    pair.connect_options.version = version;
    pair.filter = [this](InFlight& datagram) {
      if (datagram.to_server) flights.push_back(seen_in(datagram.bytes));
      return false;
    };
    pair.start();
  }

  void forge(const ConnectionId& dcid, const ConnectionId& scid, std::span<const std::uint32_t> versions) {
    std::array<std::byte, 100> buffer;
    ByteWriter out(buffer);
    ASSERT_TRUE(write_version_negotiation(
        out, {.dcid = dcid.bytes(), .scid = scid.bytes(), .versions = versions, .unused = 0}));
    const MutableBytes packet = MutableBytes(buffer).first(out.size());
    pair.client->receive({Pair::tuple(0), Ecn::not_ect, packet, packet.size()}, pair.now);
    pair.run_for(1ms);
  }
  /// In answer to the latest Initial.
  void answer(std::span<const std::uint32_t> versions) { forge(flights.back().scid, flights.back().dcid, versions); }
  [[nodiscard]] std::vector<ConnectionClosed> closed() const { return pair.events_of<ConnectionClosed>(false); }
  [[nodiscard]] std::uint64_t refused() const {
    return pair.client->drops()[static_cast<std::size_t>(DropReason::unsupported_version)];
  }

  Pair pair;
  std::vector<Seen> flights;
};

constexpr std::array kOnlyVersion1{kVersion1};
constexpr std::array kOnlyVersion2{kVersion2};

TEST(Version, AnotherOneIsNegotiatedDownToVersion1UnderTheSameHandle) {
  Pair pair;
  pair.connect_options.version = kReserved;
  std::vector<Seen> to_server;
  std::size_t negotiations = 0;
  pair.filter = [&](InFlight& datagram) {
    const Seen seen = seen_in(datagram.bytes);
    if (datagram.to_server && (datagram.bytes[0] & std::byte{first_byte::kLongForm}) != std::byte{})
      to_server.push_back(seen);
    negotiations += !datagram.to_server && datagram.bytes[0] >= std::byte{0x80} && seen.version == kVersionNegotiation;
    return true;
  };
  const ConnectionHandle handle = pair.start();
  ASSERT_TRUE(pair.client->open_path(handle, Pair::tuple(1), pair.now));  // what was asked for early is not forgotten
  ASSERT_TRUE(pair.run_until([&] {
    const auto paths = pair.paths(false);
    return paths.size() == 2 && std::ranges::all_of(paths, &PathStats::validated);
  }));
  EXPECT_EQ(negotiations, 1U);
  ASSERT_GE(to_server.size(), 2U);
  EXPECT_EQ(to_server[0].version, kReserved);
  EXPECT_TRUE(std::ranges::all_of(to_server.begin() + 1, to_server.end(),
                                  [](const Seen& seen) { return seen.version == kVersion1; }));
  EXPECT_NE(to_server[0].dcid, to_server[1].dcid);  // RFC 9000 §7.2: a new attempt, a new unpredictable one
  EXPECT_TRUE(pair.transfer(false, 100'000));
  EXPECT_TRUE(pair.transfer(true, 100'000));
  EXPECT_EQ(pair.unexpected_drops({DropReason::unsupported_version}), "");  // the server counts what it refused
}

TEST(Version, NegotiationCostsOneRoundTrip) {
  Pair plain;
  ASSERT_TRUE(plain.connect());
  Pair negotiated;
  negotiated.connect_options.version = kReserved;
  ASSERT_TRUE(negotiated.connect());
  EXPECT_EQ(negotiated.now - plain.now, 2 * 5ms);
}

TEST(Version, ARetryFollowsWhereTheServerWantsOne) {  // RFC 9000 §17.2.5.2: about the second attempt's connection IDs
  PairOptions options;
  options.server.require_retry = true;
  Pair pair(options);
  pair.connect_options.version = kReserved;
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(pair.transfer(true, 100'000));
}

TEST(Version, ALostNegotiationIsAskedForAgain) {
  Pair pair;
  pair.connect_options.version = kReserved;
  bool lost = false;
  pair.filter = [&](InFlight& datagram) { return datagram.to_server || std::exchange(lost, true); };
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(lost);
}

TEST(Version, WithoutACommonVersionTheConnectionEndsSilentlyWithAnError) {  // RFC 9000 §6.2
  for (const std::uint32_t offered : {kReserved, kVersion1}) {
    OfferedVersion client(offered);
    const std::size_t sent = client.flights.size();
    client.answer(kOnlyVersion2);
    ASSERT_EQ(client.closed().size(), 1U);
    EXPECT_EQ(client.closed()[0].error, error::kVersionNegotiationError);
    EXPECT_EQ(client.closed()[0].source, CloseSource::version_negotiation);
    EXPECT_NE(client.closed()[0].reason.find("version negotiation"), std::string::npos);
    client.pair.run_for(20s);
    EXPECT_EQ(client.flights.size(), sent);
    EXPECT_EQ(client.pair.client->connection_count(), 0U);
  }
}

TEST(Version, ANegotiationThatListsTheOfferedVersionIsIgnored) {  // RFC 9000 §6.2
  for (const std::uint32_t offered : {kReserved, kVersion1}) {
    OfferedVersion client(offered);
    const std::size_t sent = client.flights.size();
    client.answer(std::array{kVersion1, offered});
    EXPECT_EQ(client.refused(), 1U);
    EXPECT_EQ(client.flights.size(), sent);
    EXPECT_TRUE(client.closed().empty());
  }
}

TEST(Version, ANegotiationWithOtherConnectionIdsIsIgnored) {  // RFC 8999 §6
  OfferedVersion client(kReserved);
  const Seen first = client.flights[0];
  const std::size_t sent = client.flights.size();
  client.forge(first.scid, first.scid, kOnlyVersion2);  // not what the client addressed
  client.forge(first.dcid, first.dcid, kOnlyVersion2);  // not the client's
  client.forge(first.dcid, first.scid, kOnlyVersion2);  // swapped
  EXPECT_EQ(client.flights.size(), sent);
  EXPECT_TRUE(client.closed().empty());
  client.answer(kOnlyVersion1);
  EXPECT_GT(client.flights.size(), sent);
  EXPECT_EQ(client.flights.back().version, kVersion1);
}

TEST(Version, OnlyTheFirstNegotiationCounts) {  // RFC 9000 §6.2: "including an earlier Version Negotiation packet"
  OfferedVersion client(kReserved);
  const Seen first = client.flights.back();
  client.answer(kOnlyVersion1);
  const std::size_t sent = client.flights.size();
  client.forge(first.scid, first.dcid, kOnlyVersion1);  // again, as to a flight of two datagrams
  client.answer(kOnlyVersion2);
  EXPECT_EQ(client.flights.size(), sent);
  EXPECT_EQ(client.refused(), 2U);
  EXPECT_TRUE(client.closed().empty());
}

TEST(Version, ANegotiationAfterAnotherPacketIsIgnored) {  // RFC 9000 §6.2
  Pair pair;
  Seen first;
  Seen answer;
  pair.filter = [&](InFlight& datagram) {
    Seen& seen = datagram.to_server ? first : answer;
    if (seen.version == 0) seen = seen_in(datagram.bytes);
    return true;
  };
  pair.start();
  ASSERT_TRUE(pair.run_until([&] { return pair.client->stats(pair.client_handle).packets_received > 0; }));
  std::array<std::byte, 100> buffer;
  ByteWriter out(buffer);
  ASSERT_TRUE(write_version_negotiation(
      out, {.dcid = first.scid.bytes(), .scid = first.dcid.bytes(), .versions = kOnlyVersion2, .unused = 0}));
  const MutableBytes packet = MutableBytes(buffer).first(out.size());
  pair.client->receive({Pair::tuple(0), Ecn::not_ect, packet, packet.size()}, pair.now);
  EXPECT_TRUE(pair.run_until([&] { return !pair.events_of<HandshakeConfirmed>(false).empty(); }));
  EXPECT_TRUE(pair.transfer(false, 10'000));
}

TEST(Version, PacketsInAnotherVersionThanTheOfferedOneAreDropped) {  // RFC 9000 §5.2.1
  for (const std::uint32_t offered : {kReserved, kVersion1}) {
    OfferedVersion client(offered);
    KeyRing keys;
    keys.install_initial(client.flights[0].dcid, Role::server);
    std::array<std::byte, kMinInitialDatagram> buffer;
    DatagramWriter train(buffer);
    ASSERT_TRUE(train.begin_datagram(buffer.size()));
    const PacketPlan plan{.level = EncryptionLevel::initial,
                          .path = kInitialPath,
                          .number = PacketNumber{0},
                          .largest_acked = std::nullopt,
                          .dcid = client.flights[0].scid,
                          .scid = client.flights[0].dcid,
                          .token = {}};
    PacketBuilder builder(plan, keys, train);
    TokenList tokens;
    FrameWriter frames(builder.room(), plan.level, plan.path, tokens);
    ASSERT_TRUE(frames.write(
        ConnectionCloseFrame{.application = false, .error = error::kConnectionRefused, .frame_type = 0, .reason = {}}));
    builder.finish(frames.size());
    train.flush(keys);
    const MutableBytes datagram = MutableBytes(buffer).first(train.size());
    client.pair.client->receive({Pair::tuple(0), Ecn::not_ect, datagram, datagram.size()}, client.pair.now);
    client.pair.run_for(1ms);
    EXPECT_EQ(client.closed().size(), offered == kVersion1 ? 1U : 0U);
    EXPECT_EQ(client.refused(), offered == kVersion1 ? 0U : 1U);
  }
}

}  // namespace
}  // namespace mpquic::test
