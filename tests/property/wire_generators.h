// Arbitrary wire values. Call these inside a property: every choice is one that RapidCheck can shrink.
#pragma once

#include <rapidcheck.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "stack/base/connection_id.h"
#include "stack/wire/cursor.h"
#include "stack/wire/frame.h"
#include "stack/wire/transport_params.h"

namespace mpquic::testing {

/// Keeps the bytes that generated frames refer to.
class Storage {
 public:
  Bytes keep(std::vector<std::byte> bytes) { return kept_.emplace_back(std::move(bytes)); }

 private:
  std::deque<std::vector<std::byte>> kept_;
};

/// Inclusive.
inline std::uint64_t between(std::uint64_t low, std::uint64_t high) {
  return *rc::gen::inRange<std::uint64_t>(low, high + 1);
}
inline bool any_bool() { return *rc::gen::arbitrary<bool>(); }

/// All four encodings are equally likely.
inline std::uint64_t any_varint(std::uint64_t high = kMaxVarint) {
  const std::uint64_t bound = *rc::gen::element(kMaxVarint1, kMaxVarint2, kMaxVarint4, kMaxVarint);
  return between(0, std::min(bound, high));
}

inline std::vector<std::byte> any_bytes(std::size_t smallest = 0, std::size_t largest = 80) {
  const auto size = static_cast<std::size_t>(between(smallest, largest));
  const auto octets = *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
  std::vector<std::byte> out;
  for (const std::uint8_t octet : octets) out.push_back(static_cast<std::byte>(octet));
  return out;
}
template <std::size_t N>
std::array<std::byte, N> any_array() {
  const auto bytes = any_bytes(N, N);
  std::array<std::byte, N> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

inline ConnectionId any_connection_id(std::size_t smallest = 0) {
  return ConnectionId(any_bytes(smallest, ConnectionId::kMaxLength));
}
inline PathId any_path_id() { return PathId{static_cast<std::uint32_t>(any_varint(kMaxPathIdValue))}; }
inline Directionality any_directionality() {
  return any_bool() ? Directionality::bidirectional : Directionality::unidirectional;
}
inline SocketAddress any_address() {
  const auto octets = any_array<16>();
  std::array<std::uint8_t, 16> v6{};
  for (std::size_t i = 0; i < v6.size(); ++i) v6[i] = std::to_integer<std::uint8_t>(octets[i]);
  const IpAddress ip = any_bool() ? IpAddress::v6(v6) : IpAddress::v4({v6[0], v6[1], v6[2], v6[3]});
  return {ip, static_cast<std::uint16_t>(between(0, 65'535))};
}

inline AckFrame any_ack(Storage& storage) {
  AckFrame ack;
  if (any_bool()) ack.path = any_path_id();
  ack.delay = any_varint();
  ack.first_range = any_varint(kMaxVarint4);
  ack.range_count = between(0, 20);
  std::vector<std::byte> encoded(static_cast<std::size_t>(ack.range_count) * 2 * kMaxVarintSize);
  ByteWriter out(encoded);
  std::uint64_t span = ack.first_range;
  for (std::uint64_t i = 0; i < ack.range_count; ++i) {
    const std::uint64_t gap = any_varint(kMaxVarint4);
    const std::uint64_t length = any_varint(kMaxVarint4);
    RC_ASSERT(out.write_varint(gap) && out.write_varint(length));
    span += gap + 2 + length;
  }
  encoded.resize(out.size());
  ack.ranges = storage.keep(std::move(encoded));
  ack.largest = PacketNumber{span + between(0, kMaxVarint4)};
  if (any_bool()) ack.ecn = EcnCounts{any_varint(), any_varint(), any_varint()};
  return ack;
}

inline NewConnectionIdFrame any_new_connection_id() {
  NewConnectionIdFrame frame;
  if (any_bool()) frame.path = any_path_id();
  frame.sequence = any_varint();
  frame.retire_prior_to = any_varint(frame.sequence);
  frame.id = any_connection_id(1);
  frame.reset_token = any_array<16>();
  return frame;
}

inline ConnectionCloseFrame any_close(Storage& storage) {
  ConnectionCloseFrame frame{any_bool(), any_varint(), 0, storage.keep(any_bytes())};
  if (!frame.application) frame.frame_type = any_varint();
  return frame;
}

/// Any frame, each kind equally likely.
inline Frame any_frame(Storage& storage) {
  const auto stream = [] { return StreamId{any_varint()}; };
  switch (between(0, std::variant_size_v<Frame> - 1)) {
    case 0: return StreamFrame{stream(), any_varint(kMaxVarint - 100), storage.keep(any_bytes()), any_bool()};
    case 1: return any_ack(storage);
    case 2: return DatagramFrame{storage.keep(any_bytes()), any_bool() ? std::optional(any_varint()) : std::nullopt};
    case 3: return PaddingFrame{static_cast<std::size_t>(between(1, 100))};
    case 4: return PingFrame{};
    case 5: return CryptoFrame{any_varint(kMaxVarint - 100), storage.keep(any_bytes())};
    case 6: return MaxDataFrame{any_varint()};
    case 7: return MaxStreamDataFrame{stream(), any_varint()};
    case 8: return MaxStreamsFrame{any_directionality(), any_varint(kMaxStreamCount)};
    case 9: return ResetStreamFrame{stream(), any_varint(), any_varint()};
    case 10: return StopSendingFrame{stream(), any_varint()};
    case 11: return NewTokenFrame{storage.keep(any_bytes(1))};
    case 12: return DataBlockedFrame{any_varint()};
    case 13: return StreamDataBlockedFrame{stream(), any_varint()};
    case 14: return StreamsBlockedFrame{any_directionality(), any_varint(kMaxStreamCount)};
    case 15: return any_new_connection_id();
    case 16: return RetireConnectionIdFrame{any_bool() ? std::optional(any_path_id()) : std::nullopt, any_varint()};
    case 17: return PathChallengeFrame{any_array<8>()};
    case 18: return PathResponseFrame{any_array<8>()};
    case 19: return any_close(storage);
    case 20: return HandshakeDoneFrame{};
    case 21: return PathAbandonFrame{any_varint(), any_varint()};
    case 22: return PathStatusFrame{any_varint(), any_varint(), any_bool()};
    case 23: return MaxPathIdFrame{any_varint()};
    case 24: return PathsBlockedFrame{any_varint()};
    case 25: return PathCidsBlockedFrame{any_varint(), any_varint()};
    case 26: return AddAddressFrame{any_varint(), any_varint(), any_address()};
    case 27: return PathsFrame{any_varint(), any_varint()};
    default: return ClosePathFrame{any_varint(), any_varint(), storage.keep(any_bytes())};
  }
}

}  // namespace mpquic::testing
