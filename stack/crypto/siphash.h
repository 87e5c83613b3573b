#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "stack/base/bytes.h"

namespace mpquic {

using SipKey = std::array<std::uint64_t, 2>;

/// SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed hash for tables whose keys strangers choose.
class SipHash {
 public:
  explicit SipHash(const SipKey& key)
      : v_{key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U,
           key[1] ^ 0x7465646279746573U} {}

  [[nodiscard]] std::uint64_t of(Bytes data) && {
    const std::uint64_t length = data.size();
    for (; data.size() >= sizeof(std::uint64_t); data = data.subspan(sizeof(std::uint64_t)))
      absorb(little_endian(data.first(sizeof(std::uint64_t))));
    absorb(little_endian(data) | length << 56);
    v_[2] ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  [[nodiscard]] static std::uint64_t little_endian(Bytes bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) word = word << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    return word;
  }
  void absorb(std::uint64_t word) {
    v_[3] ^= word;
    round();
    round();
    v_[0] ^= word;
  }
  void round() {
    auto& [a, b, c, d] = v_;
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }

  std::array<std::uint64_t, 4> v_;
};

}  // namespace mpquic
