// Handshakes that are long, lossy, cut short or followed by too much (RFC 9001 §4, RFC 9002 §6.2).
#include <gtest/gtest.h>

#include "stack/wire/header.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLongChain = 50;  // 18 kB of certificates
constexpr Duration kOneWay = 20ms;

bool is_confirmed(const Pair& pair) {
  return !pair.events_of<HandshakeConfirmed>(false).empty() && !pair.events_of<HandshakeConfirmed>(true).empty();
}

/// How long the handshake takes; the limit where it does not end before.
Duration handshake_time(Pair& pair, Duration limit) {
  const Instant begin = pair.now;
  pair.start();
  pair.run_until([&] { return is_confirmed(pair); }, limit);
  return pair.now - begin;
}

// Three times what the client has sent, then a window of ten datagrams: 18 kB need three round trips, and Finished and
// HANDSHAKE_DONE one more.
TEST(LongChain, TakesNoMoreRoundTripsThanItsWindowsDo) {
  Pair pair({.client = {}, .server = {}, .delay = kOneWay, .suites = {}, .chain = kLongChain});
  EXPECT_LE(handshake_time(pair, 10s), 4 * 2 * kOneWay);
  EXPECT_EQ(pair.unexpected_drops(), "");
}

bool has_handshake_packet(std::vector<std::byte> datagram) {
  MutableBytes rest = datagram;
  while (!rest.empty()) {
    const auto packet = parse_packet(rest, kLocalCidLength);
    if (!packet) return false;
    if (packet->type == PacketType::handshake) return true;
    rest = rest.subspan(packet->consumed);
  }
  return false;
}

// RFC 9000 §13.2.1: Handshake packets are acknowledged at once, the first ones too, long before the flight is whole.
TEST(LongChain, IsAcknowledgedAsItArrives) {
  Pair pair({.client = {}, .server = {}, .delay = kOneWay, .suites = {}, .chain = kLongChain});
  std::size_t from_server = 0;
  std::optional<std::size_t> answered_after;
  pair.filter = [&](InFlight& datagram) {
    if (!datagram.to_server) ++from_server;
    if (datagram.to_server && !answered_after && has_handshake_packet(datagram.bytes)) answered_after = from_server;
    return true;
  };
  EXPECT_LT(handshake_time(pair, 10s), 10s);
  ASSERT_TRUE(answered_after);
  EXPECT_LE(*answered_after, 3U);
}

TEST(LongChain, SurvivesLoss) {
  for (const auto& [percent, limit] : {std::pair(5U, Duration(2s)), std::pair(20U, Duration(6s))}) {
    Duration total{};
    constexpr std::uint64_t kRuns = 24;
    for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
      SCOPED_TRACE(std::to_string(percent) + " %, seed " + std::to_string(seed));
      Pair pair({.client = {}, .server = {}, .seed = seed, .delay = kOneWay, .suites = {}, .chain = kLongChain});
      SeededRng loss(seed, 97);
      pair.filter = [&](InFlight&) { return loss.below(100) >= percent; };
      const Duration time = handshake_time(pair, limit);
      EXPECT_TRUE(is_confirmed(pair));
      total += time;
    }
    RecordProperty("mean_ms_" + std::to_string(percent), static_cast<int>((total / kRuns) / 1ms));
  }
}

// --- Waiting

/// Timers that a side is woken up by, while the other's datagrams do not arrive any more.
std::size_t wakeups_in(Pair& pair, Duration time) {
  const Instant end = pair.now + time;
  std::size_t steps = 0;
  constexpr std::size_t kSpin = 10'000;
  while (pair.now < end && steps < kSpin && pair.step()) ++steps;
  return steps;
}

// Whatever is cut off, both sides wait on timers that lie ahead: ten seconds hold a few PTOs, and nothing else.
TEST(Waiting, CostsNothing) {
  constexpr std::size_t kProbesOfTenSeconds = 100;
  for (const std::size_t chain : {std::size_t{1}, std::size_t{12}, kLongChain}) {
    for (std::size_t passed = 0; passed < 12; ++passed) {
      SCOPED_TRACE(std::to_string(passed) + " datagrams of a chain of " + std::to_string(chain));
      Pair pair({.client = {}, .server = {}, .delay = kOneWay, .suites = {}, .chain = chain});
      std::size_t from_server = 0;
      pair.filter = [&](InFlight& datagram) { return datagram.to_server || ++from_server <= passed; };
      pair.start();
      EXPECT_LT(wakeups_in(pair, 9s), kProbesOfTenSeconds);
    }
  }
}

// A server whose credit is too small for what it owes waits for more.
TEST(Waiting, CostsAServerWithoutCreditNothing) {
  constexpr std::size_t kProbesOfTenSeconds = 100;
  for (std::size_t passed = 1; passed < 8; ++passed) {
    SCOPED_TRACE(std::to_string(passed) + " datagrams");
    Pair pair({.client = {}, .server = {}, .delay = kOneWay, .suites = {}, .chain = kLongChain});
    std::size_t from_client = 0;
    pair.filter = [&](InFlight& datagram) { return !datagram.to_server || ++from_client <= passed; };
    pair.start();
    EXPECT_LT(wakeups_in(pair, 9s), kProbesOfTenSeconds);
  }
}

// --- Bytes after the end

/// What the endpoint says to handshake bytes beyond the raw peer's Finished, in the frame or after a gap.
std::optional<RawPeer::Closed> after_finished(Role role, bool client_certificates, std::size_t more, std::size_t gap) {
  RawPeerOptions options;
  options.role = role;
  options.client_certificates = client_certificates;
  RawPeer peer(options);
  peer.finishes = false;
  peer.handshake();
  const Bytes flight = peer.crypto(EncryptionLevel::handshake);
  std::vector<std::byte> sent(flight.begin(), flight.end());
  EXPECT_GT(sent.size(), 0U);
  constexpr std::size_t kTail = 32;
  const std::size_t head = sent.size() - kTail;
  for (std::size_t at = 0; at < head; at += 1000)
    peer.send(CryptoFrame{at, Bytes(sent).subspan(at, std::min<std::size_t>(1000, head - at))},
              {.level = EncryptionLevel::handshake});
  const std::vector<std::byte> excess(more, std::byte{0});
  std::vector<Frame> frames;
  if (gap > 0) frames.emplace_back(CryptoFrame{sent.size() + gap, excess});
  if (gap == 0) sent.insert(sent.end(), excess.begin(), excess.end());
  frames.emplace_back(CryptoFrame{head, Bytes(sent).subspan(head)});
  peer.send_all(frames, {.level = EncryptionLevel::handshake});
  return peer.closed();
}

// RFC 9001 §4.1.3
TEST(AfterFinished, HandshakeBytesAreAProtocolViolation) {
  for (const Role role : {Role::client, Role::server}) {
    for (const bool client_certificates : {false, true}) {
      for (const std::size_t more : {std::size_t{1}, std::size_t{500}}) {
        for (const std::size_t gap : {std::size_t{0}, std::size_t{1}}) {
          SCOPED_TRACE(testing::Message() << "role " << static_cast<int>(role) << " certificates "
                                          << client_certificates << " more " << more << " gap " << gap);
          const auto closed = after_finished(role, client_certificates, more, gap);
          ASSERT_TRUE(closed);
          EXPECT_EQ(closed->error, error::kProtocolViolation);
        }
      }
    }
  }
}

// A server may repeat itself for ever: the client keeps a few tickets, and no other memory or state.
TEST(HostileServer, TicketsAreKeptWithinBounds) {
  RawPeerOptions options;
  options.role = Role::server;
  RawPeer peer(options);
  peer.keeps = false;
  ASSERT_TRUE(peer.handshake());
  // NewSessionTicket: lifetime, age_add, nonce, ticket, no extensions.
  constexpr std::array kTicket = {4, 0, 0, 17, 0, 0, 1, 0, 9, 9, 9, 9, 1, 7, 0, 3, 1, 2, 3, 0, 0};
  std::vector<std::byte> tickets;
  for (int i = 0; i < 40; ++i)
    for (const int value : kTicket) tickets.push_back(static_cast<std::byte>(value));
  std::uint64_t offset = peer.crypto(EncryptionLevel::one_rtt).size();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(peer.send(CryptoFrame{offset, tickets}));
    offset += tickets.size();
  }
  std::size_t kept = 0;
  while (peer.endpoint->take_ticket(peer.handle)) ++kept;
  EXPECT_GT(kept, 0U);
  EXPECT_LE(kept, 4U);
}

}  // namespace
}  // namespace mpquic::test
