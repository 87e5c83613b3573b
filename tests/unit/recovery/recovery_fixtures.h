// Shared by the tests of the recovery room: time, random numbers and ACK frames at will.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/recovery/packet_number_space.h"
#include "stack/wire/cursor.h"

namespace mpquic::recovery_test {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Instant kStart{seconds(1000)};

/// Always the same byte: 0x00 skips as early as it can, 0xff as late.
class ConstantRng final : public Rng {
 public:
  explicit ConstantRng(std::uint8_t byte) : byte_(byte) {}
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), std::byte{byte_}); }

 private:
  std::uint8_t byte_;
};

/// An ACK frame of inclusive ranges, given highest first.
class AckOf {
 public:
  struct Range {
    std::uint64_t smallest;
    std::uint64_t largest;
  };
  AckOf(std::initializer_list<Range> ranges) : AckOf(std::vector<Range>(ranges)) {}
  explicit AckOf(const std::vector<Range>& ranges) : buffer_(ranges.size() * 2 * kMaxVarintSize) {
    ByteWriter writer(buffer_);
    frame.largest = PacketNumber{ranges.front().largest};
    frame.first_range = ranges.front().largest - ranges.front().smallest;
    frame.range_count = ranges.size() - 1;
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      MPQUIC_CHECK(writer.write_varint(ranges[i - 1].smallest - ranges[i].largest - 2));
      MPQUIC_CHECK(writer.write_varint(ranges[i].largest - ranges[i].smallest));
    }
    frame.ranges = writer.written();
  }
  AckOf(const AckOf&) = delete;
  AckOf& operator=(const AckOf&) = delete;
  operator const AckFrame&() const { return frame; }  // NOLINT: a test's shorthand

  AckFrame frame;

 private:
  std::vector<std::byte> buffer_;
};

[[nodiscard]] inline std::vector<std::uint64_t> numbers_of(const std::vector<LostPacket>& packets) {
  std::vector<std::uint64_t> numbers;
  for (const LostPacket& packet : packets) numbers.push_back(packet.number.value());
  return numbers;
}

/// DatagramTokens serve as labels: their sequence is the packet number.
[[nodiscard]] inline std::vector<std::uint64_t> labels_of(const std::vector<DeliveryToken>& tokens) {
  std::vector<std::uint64_t> labels;
  for (const DeliveryToken& token : tokens) {
    if (const auto* label = std::get_if<DatagramToken>(&token)) labels.push_back(label->sequence);
  }
  return labels;
}

}  // namespace mpquic::recovery_test
