// Floods of what a peer may say about paths: memory, events and work per packet stay bounded (draft-21 §7, RFC 9000
// §21). Work is processor time, measured against that of packets as long which are full of PINGs.
#include <gtest/gtest.h>

#include <ctime>
#include <functional>

#include "tests/pair/flood.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

using FrameMaker = std::function<Frame(std::uint64_t)>;

/// So many times what a packet of PINGs costs. A packet that has to be answered costs some five times as much.
constexpr std::clock_t kMaxCost = 15;
constexpr std::size_t kPayload = 1150;
constexpr int kFloodPackets = 300;

RawPeerOptions advertising() {
  RawPeerOptions options;
  options.endpoint.connection.address_advertisement = true;
  options.parameters = [](TransportParameters& p) { p.address_advertisement = true; };
  return options;
}

class PathFlood {
 public:
  explicit PathFlood(RawPeer& peer) : peer_(peer), buffer_(65536) {}

  /// Packets full of such frames, numbered; processor time that the endpoint took.
  std::clock_t run(const FrameMaker& make) {
    std::clock_t spent = 0;
    for (int i = 0; i < kFloodPackets; ++i) {
      std::vector<std::byte> payload;
      while (payload.size() < kPayload) {
        const auto frame = RawPeer::encoded(make(sequence_++));
        payload.insert(payload.end(), frame.begin(), frame.end());
      }
      auto packet = peer_.seal({}, payload);
      const FourTuple at{peer_.endpoint_address(kInitialPath), peer_.address_of(kInitialPath)};
      const std::clock_t before = std::clock();
      peer_.endpoint->receive({at, Ecn::not_ect, packet, packet.size()}, peer_.now);
      for (std::size_t answers = 0; peer_.endpoint->poll_transmit(buffer_, peer_.now); ++answers)
        EXPECT_LT(answers, 8U);
      spent += std::clock() - before;
      std::size_t reported = 0;
      while (peer_.endpoint->poll_event()) ++reported;
      most_events_ = std::max(most_events_, reported);
    }
    return spent;
  }
  [[nodiscard]] std::size_t most_events() const { return most_events_; }

 private:
  RawPeer& peer_;
  std::vector<std::byte> buffer_;
  std::uint64_t sequence_ = 1;
  std::size_t most_events_ = 0;
};

struct Row {
  const char* name;
  FrameMaker make;
};

TEST(HostilePathFlood, FramesAboutPathsCostLittleAndLeaveNothing) {
  const SocketAddress elsewhere{IpAddress::v4({203, 0, 113, 9}), 9};
  const std::vector<Row> rows{
      {"PATHS_BLOCKED", [](std::uint64_t) { return PathsBlockedFrame{7}; }},
      {"PATH_CIDS_BLOCKED",
       [](std::uint64_t i) {
         return PathCidsBlockedFrame{1 + i % 7, 0};
       }},
      {"PATH_STATUS",
       [](std::uint64_t i) {
         return PathStatusFrame{i % 8, i, i / 8 % 2 == 0};
       }},
      {"PATH_STATUS of one path",
       [](std::uint64_t i) {
         return PathStatusFrame{0, i, i % 2 == 0};
       }},
      {"PATH_CHALLENGE",
       [](std::uint64_t i) {
         return PathChallengeFrame{{std::byte(i), std::byte(i >> 8)}};
       }},
      {"PATH_RESPONSE",
       [](std::uint64_t i) {
         return PathResponseFrame{{std::byte(i), std::byte(i >> 8)}};
       }},
      {"MAX_PATH_ID", [](std::uint64_t i) { return MaxPathIdFrame{7 + i}; }},
      {"MAX_PATH_ID, far jumps", [](std::uint64_t i) { return MaxPathIdFrame{i % 2 == 0 ? kMaxPathIdValue : 7}; }},
      {"ADD_ADDRESS",
       [&](std::uint64_t i) {
         return AddAddressFrame{i, i, elsewhere};
       }},
      {"PATHS",
       [](std::uint64_t i) {
         return PathsFrame{i, i};
       }},
      {"CLOSE_PATH",
       [](std::uint64_t i) {
         return ClosePathFrame{i, i, {}};
       }},
  };
  for (const Row& row : rows) {
    RawPeer peer(advertising());
    ASSERT_TRUE(peer.handshake());
    peer.run_for(1s);
    PathFlood flood(peer);
    const std::clock_t pings = flood.run([](std::uint64_t) { return PingFrame{}; });
    const Flood memory(peer);
    const std::clock_t cost = flood.run(row.make);
    EXPECT_LT(cost, kMaxCost * pings) << row.name;
    EXPECT_LE(flood.most_events(), 8U) << row.name << ": one for each path";
    EXPECT_LT(memory.growth(), kMegabyte / 2) << row.name;
    EXPECT_TRUE(peer.send(PingFrame{})) << row.name;
    peer.keeps = true;
    EXPECT_TRUE(peer.open_path(kOne)) << row.name;
  }
}

TEST(HostilePathFlood, AddressFramesOfWhoDidNotOfferThemAreUnknown) {
  for (const bool ours : {false, true}) {
    RawPeerOptions options = advertising();
    if (ours)
      options.parameters = {};
    else
      options.endpoint.connection.address_advertisement = false;
    RawPeer peer(options);
    ASSERT_TRUE(peer.handshake());
    EXPECT_FALSE(peer.send(PathsFrame{1, 1}));
    EXPECT_EQ(peer.closed()->error, error::kFrameEncodingError);
  }
}

TEST(HostilePathFlood, AStatusThatDoesNotChangeIsNoEvent) {  // draft-21 §4.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.run_for(100ms);
  const auto told = [&] {
    peer.events.clear();
    EXPECT_TRUE(peer.send(PingFrame{}));
    return peer.count_events<PathChanged>();
  };
  static_cast<void>(told());
  peer.events.clear();
  ASSERT_TRUE(peer.send_all({PathStatusFrame{0, 1, false}, PathStatusFrame{0, 2, true}, PathStatusFrame{0, 3, false}}));
  EXPECT_EQ(peer.count_events<PathChanged>(), 1U) << "the last one says what holds";
  EXPECT_TRUE(stats_of(peer, kInitialPath)->backup);
  peer.events.clear();
  ASSERT_TRUE(peer.send(PathStatusFrame{0, 4, false}));
  EXPECT_EQ(peer.count_events<PathChanged>(), 0U);
}

TEST(HostilePathFlood, RetirementsOfIdsThatWereNeverSentEndTheConnection) {  // RFC 9000 §19.16
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto carrier = peer.issued(kInitialPath, 0);
  std::vector<Frame> frames;
  for (std::uint64_t i = 1; i < 300; ++i) frames.emplace_back(RetireConnectionIdFrame{.path = {}, .sequence = i});
  EXPECT_FALSE(peer.send_all(frames, {.dcid = carrier}));
  EXPECT_EQ(peer.closed(), (RawPeer::Closed{error::kProtocolViolation, frame_type::kRetireConnectionId}));
}

TEST(HostilePathFlood, RetirementsOfTheRetiredCostNothing) {
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(RetireConnectionIdFrame{.path = {}, .sequence = 1}, {.dcid = peer.issued(kInitialPath, 0)}));
  peer.run_for(1s);
  PathFlood flood(peer);
  const std::clock_t pings = flood.run([](std::uint64_t) { return PingFrame{}; });
  const Flood memory(peer);
  const std::clock_t cost = flood.run([](std::uint64_t) { return RetireConnectionIdFrame{.path = {}, .sequence = 1}; });
  EXPECT_LT(cost, kMaxCost * pings);
  EXPECT_LT(memory.growth(), kMegabyte / 4);
  EXPECT_TRUE(peer.send(PingFrame{}));
}

TEST(HostilePathFlood, KeyUpdatesInterleavedOverPaths) {  // draft-21 §2.5, RFC 9001 §6
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  peer.keys.set_handshake_confirmed();
  peer.keys.set_update_interval(Duration{});
  const Flood flood(peer);
  constexpr int kUpdates = 40;
  for (int i = 0; i < kUpdates; ++i) {
    const PathId first = i % 2 == 0 ? kInitialPath : kOne;
    const PathId other = i % 2 == 0 ? kOne : kInitialPath;
    // Sealed before the update, arrives after it: packet numbers of one path say nothing about another's.
    const auto late = peer.seal({.path = other}, RawPeer::encoded(PingFrame{}));
    peer.keys.on_current_phase_acked(peer.now);
    peer.keys.request_update();
    ASSERT_TRUE(peer.keys.before_sending(peer.now));
    for (int k = 0; k < 3; ++k) ASSERT_TRUE(peer.send(PingFrame{}, {.path = first}));
    ASSERT_TRUE(peer.deliver(late, peer.address_of(other)));
    ASSERT_TRUE(peer.send(PingFrame{}, {.path = other}));
    peer.run_for(2s);
  }
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 0U);
  EXPECT_EQ(peer.endpoint->stats(peer.handle).key_updates, kUpdates);
  EXPECT_LT(flood.growth(), kMegabyte);
}

}  // namespace
}  // namespace mpquic::test
