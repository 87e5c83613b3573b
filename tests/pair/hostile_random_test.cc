// Random sequences of well-formed frames with random values, in random packets: the endpoint never crashes, and either
// goes on or closes with a code that RFC 9000 §20.1 knows for such an error.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "stack/wire/frame_encode.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

/// Random values that like the edges of what a connection knows: small, near a limit, and anything.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed, 0x0ff) {}
  std::uint64_t below(std::uint64_t bound) { return rng_.below(bound); }
  bool one_in(std::uint64_t n) { return rng_.below(n) == 0; }
  std::uint64_t value() {
    switch (rng_.below(wild ? 8 : 7)) {
      case 0:
      case 1:
      case 2: return rng_.below(4);
      case 3:
      case 4: return rng_.below(12);
      case 5: return rng_.below(200);
      case 6: return rng_.below(5'000);
      default: return rng_.below(kMaxVarint + 1);
    }
  }
  Bytes data() {
    rng_.fill(MutableBytes(buffer_).first(8));
    return Bytes(buffer_).first(rng_.below(60));
  }
  ConnectionId cid() {
    std::array<std::byte, 20> bytes;
    rng_.fill(bytes);
    return ConnectionId(Bytes(bytes).first(1 + rng_.below(20)));
  }
  std::optional<PathId> path() {
    return one_in(3) ? std::nullopt : std::optional(PathId{static_cast<std::uint32_t>(rng_.below(8))});
  }

  /// Whether values of any size may appear: they end most connections at once.
  bool wild = false;

 private:
  SeededRng rng_;
  std::array<std::byte, 64> buffer_{};
};

Frame stream_frame(Dice& dice) {
  const StreamId id{dice.value()};
  const Directionality dir = dice.one_in(2) ? Directionality::bidirectional : Directionality::unidirectional;
  switch (dice.below(10)) {
    case 0: return ResetStreamFrame{id, dice.value(), dice.value()};
    case 1: return StopSendingFrame{id, dice.value()};
    case 2: return MaxDataFrame{dice.value()};
    case 3: return MaxStreamDataFrame{id, dice.value()};
    case 4: return MaxStreamsFrame{dir, dice.value()};
    case 5: return DataBlockedFrame{dice.value()};
    case 6: return StreamDataBlockedFrame{id, dice.value()};
    case 7: return StreamsBlockedFrame{dir, dice.value()};
    default: return StreamFrame{id, dice.value(), dice.data(), dice.one_in(8)};
  }
}

Frame connection_frame(Dice& dice) {
  const std::uint64_t sequence = dice.value();
  switch (dice.below(13)) {
    case 0: return PingFrame{};
    case 1: return PathChallengeFrame{};
    case 2: return PathResponseFrame{};
    case 3:
      return AckFrame{.path = dice.path(),
                      .largest = PacketNumber{sequence},
                      .delay = dice.value(),
                      .first_range = dice.below(sequence + 1),
                      .ranges = {},
                      .ecn = {}};
    case 4: {
      NewConnectionIdFrame frame{
          .path = dice.path(), .sequence = sequence, .retire_prior_to = dice.below(sequence + 1), .id = dice.cid()};
      return frame;
    }
    case 5: return RetireConnectionIdFrame{.path = dice.path(), .sequence = dice.below(3)};
    case 6: return PathAbandonFrame{dice.below(9), dice.value()};
    case 7: return PathStatusFrame{dice.below(9), sequence, dice.one_in(2)};
    case 8: return MaxPathIdFrame{7 + dice.value()};
    case 9: return PathsBlockedFrame{dice.below(9)};
    case 10: return PathCidsBlockedFrame{dice.below(9), dice.below(3)};
    case 11: return DatagramFrame{dice.data(), dice.one_in(2) ? std::optional(dice.value()) : std::nullopt};
    default: return CryptoFrame{dice.one_in(4) ? dice.value() : 4'000, dice.data()};
  }
}

/// Frames that hardly ever break a rule, so that connections live long enough to get into odd states.
Frame tame_frame(Dice& dice, Role role) {
  constexpr std::uint64_t kFinalSize = 6'000;
  const Directionality dir = dice.one_in(2) ? Directionality::bidirectional : Directionality::unidirectional;
  const StreamId id = make_stream_id(role, dir, dice.below(100));
  const StreamId bidi = make_stream_id(role, Directionality::bidirectional, dice.below(100));
  const std::uint64_t path = dice.below(8);
  switch (dice.below(16)) {
    case 0: return PingFrame{};
    case 1: return PathChallengeFrame{};
    case 2: return PathResponseFrame{};
    case 3: return ResetStreamFrame{id, dice.value(), kFinalSize};
    case 4: return StopSendingFrame{bidi, dice.value()};
    case 5: return MaxDataFrame{dice.value()};
    case 6: return MaxStreamDataFrame{bidi, dice.value()};
    case 7: return MaxStreamsFrame{dir, dice.value()};
    case 8: return PathStatusFrame{path, dice.value(), dice.one_in(2)};
    case 9: return MaxPathIdFrame{7 + dice.below(20)};
    case 10: return PathsBlockedFrame{path};
    case 11: return DatagramFrame{dice.data(), dice.one_in(2) ? std::optional(dice.value()) : std::nullopt};
    case 12:
      return dice.one_in(10) ? Frame{PathAbandonFrame{1 + dice.below(7), dice.value()}}
                             : Frame{DataBlockedFrame{dice.value()}};
    default: return StreamFrame{id, dice.below(kFinalSize - 100), dice.data(), false};
  }
}

Frame any_frame(Dice& dice, Role role) {
  if (!dice.one_in(dice.wild ? 3 : 150)) return tame_frame(dice, role);
  return dice.one_in(2) ? stream_frame(dice) : connection_frame(dice);
}

/// One packet of a few frames: on a path, from some address, after some time.
void send_something(RawPeer& peer, Dice& dice, Role role, std::map<PathId, std::uint64_t>& next_cid) {
  std::vector<std::byte> payload;
  for (std::uint64_t n = 1 + dice.below(3); n > 0; --n) {
    const auto bytes = RawPeer::encoded(any_frame(dice, role));  // at once: the frame's data are the dice's
    payload.insert(payload.end(), bytes.begin(), bytes.end());
  }
  RawPacket packet;
  const PathId path{static_cast<std::uint32_t>(dice.below(4))};
  if (dice.one_in(3) && peer.issued(path, 0)) packet.path = path;
  if (dice.one_in(20)) packet.from = Pair::client_address(static_cast<std::uint8_t>(dice.below(5)));
  if (dice.one_in(4)) packet.pad_to = kMinInitialDatagram;
  if (dice.one_in(10)) packet.ecn = static_cast<Ecn>(dice.below(4));
  if (dice.one_in(10)) packet.number = peer.next_number(packet.path) + dice.below(300);
  peer.send_bytes(payload, packet);
  if (dice.one_in(15)) {  // a connection ID more, the oldest of its path out
    const PathId other{static_cast<std::uint32_t>(dice.below(5))};
    const std::uint64_t sequence = next_cid[other]++;
    peer.issue(other, sequence, sequence - std::min<std::uint64_t>(sequence, dice.below(3)));
  }
  if (dice.one_in(10)) peer.run_for(std::chrono::milliseconds(dice.below(400)));
}

/// What a peer's frames may cause: RFC 9000 §20.1 without INTERNAL_ERROR, and TLS alerts.
bool is_legal(std::uint64_t error) {
  static const std::set<std::uint64_t> kCodes = {
      error::kFlowControlError,  error::kStreamLimitError,     error::kStreamStateError,
      error::kFinalSizeError,    error::kFrameEncodingError,   error::kConnectionIdLimitError,
      error::kProtocolViolation, error::kCryptoBufferExceeded, error::kNoViablePath};
  return kCodes.contains(error) || (error & ~std::uint64_t{0xff}) == error::kCryptoErrorBase;
}

class HostileRandom : public testing::TestWithParam<Role> {};

TEST_P(HostileRandom, FramesNeverCrashAndErrorsAreLegal) {
  constexpr std::uint64_t kConnections = 24;
  constexpr int kPackets = 200;
  std::size_t packets = 0;
  std::size_t survived = 0;
  std::map<std::uint64_t, int> codes;
  for (std::uint64_t seed = 1; seed <= kConnections; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    std::map<PathId, std::uint64_t> next_cid{{kInitialPath, 1}};
    dice.wild = seed % 4 == 0;
    RawPeerOptions options{.role = GetParam()};
    options.seed = seed;
    RawPeer peer(options);
    ASSERT_TRUE(peer.handshake());
    if (const auto id = peer.endpoint->open_stream(peer.handle, Directionality::bidirectional))
      static_cast<void>(peer.endpoint->write(peer.handle, *id, std::vector<std::byte>(20'000), dice.one_in(2)));
    for (int i = 0; i < kPackets && !peer.closed() && peer.count_events<ConnectionClosed>() == 0; ++i, ++packets) {
      send_something(peer, dice, GetParam(), next_cid);
      peer.received.clear();
    }
    if (!peer.closed()) {
      ++survived;
    } else {
      EXPECT_TRUE(is_legal(peer.closed()->error)) << peer.closed()->error << " for " << peer.closed()->frame_type;
      ++codes[peer.closed()->error];
    }
    peer.run_for(60s);
  }
  EXPECT_GT(packets, 1'000U);
  EXPECT_GT(codes.size(), 2U);
  RecordProperty("packets", static_cast<int>(packets));
  for (const auto& [code, count] : codes) RecordProperty("error_" + std::to_string(code), count);
  RecordProperty("survived", static_cast<int>(survived));
}

INSTANTIATE_TEST_SUITE_P(Roles, HostileRandom, testing::Values(Role::client, Role::server),
                         [](const auto& parameter) { return parameter.param == Role::client ? "client" : "server"; });

TEST(HostileGarbage, InSealedPacketsIsAnErrorOrNothing) {  // authentic, but not frames
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRng noise(seed, 7);
    RawPeer peer;
    ASSERT_TRUE(peer.handshake());
    for (int i = 0; i < 100 && !peer.closed() && peer.count_events<ConnectionClosed>() == 0; ++i) {
      std::vector<std::byte> payload(1 + noise.below(100));
      noise.fill(payload);
      peer.send_bytes(payload);
    }
    if (peer.closed()) {
      EXPECT_TRUE(is_legal(peer.closed()->error)) << peer.closed()->error;
    }
  }
}

}  // namespace
}  // namespace mpquic::test
