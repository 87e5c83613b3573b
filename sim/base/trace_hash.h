// A rolling fingerprint of everything that crosses the links. Two runs with equal hashes did the same things at the
// same times, with the same bytes; that is what "same seed, same run" means here.
#pragma once

#include <cstdint>
#include <cstring>

#include "stack/base/bytes.h"

namespace mpquic::sim {

/// Multiply-and-fold over 8-byte words in four independent lanes, about 10 bytes per cycle. Not cryptographic.
class TraceHash {
 public:
  void add(std::uint64_t word) { state_ = fold(state_ ^ word, kOdd[0]); }
  void add(Bytes bytes) {
    std::uint64_t lanes[4] = {state_, kOdd[1], kOdd[2], kOdd[3]};
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 64; at += 64, left -= 64)
      for (std::size_t i = 0; i < 4; ++i)
        lanes[i] = fold(load(at + 16 * i) ^ lanes[i], load(at + 16 * i + 8) ^ kOdd[i]);
    for (; left >= 8; at += 8, left -= 8) lanes[0] = fold(lanes[0] ^ load(at), kOdd[0]);
    std::uint64_t tail = 0;
    if (left > 0) std::memcpy(&tail, at, left);
    state_ = fold(lanes[0] ^ tail, lanes[1] ^ bytes.size()) ^ fold(lanes[2], lanes[3]);
  }
  [[nodiscard]] std::uint64_t value() const { return fold(state_, kOdd[2]); }

 private:
  static constexpr std::uint64_t kOdd[4] = {0x9e3779b97f4a7c15, 0xd1b54a32d192ed03, 0x8cb92ba72f3d8dd7,
                                            0xaef17502108ef2d9};
  [[nodiscard]] static std::uint64_t load(const std::byte* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
  }
  /// Adding the operands keeps a zero factor from erasing the state.
  [[nodiscard]] static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return (static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64)) + (a ^ (b << 1));
  }
  std::uint64_t state_ = kOdd[3];
};

}  // namespace mpquic::sim
