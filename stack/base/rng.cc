#include "stack/base/rng.h"

#include <bit>
#include <cstring>

namespace mpquic {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t Rng::next_u64() {
  std::array<std::byte, 8> bytes{};
  fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  // Rejection keeps it exactly uniform: discard the short tail below 2^64 mod bound.
  const std::uint64_t threshold = -bound % bound;
  for (;;) {
    const std::uint64_t value = next_u64();
    if (value >= threshold) return value % bound;
  }
}

SeededRng::SeededRng(std::uint64_t seed) : SeededRng(seed, 0) {}

SeededRng::SeededRng(std::uint64_t seed, std::uint64_t purpose) {
  std::uint64_t mix = seed;
  mix = splitmix64(mix) ^ (purpose * 0xd6e8feb86659fd93U);
  for (auto& word : state_) word = splitmix64(mix);
}

std::uint64_t SeededRng::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double SeededRng::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

void SeededRng::fill(MutableBytes out) {
  while (!out.empty()) {
    const std::uint64_t word = next();
    const std::size_t n = out.size() < sizeof(word) ? out.size() : sizeof(word);
    std::memcpy(out.data(), &word, n);
    out = out.subspan(n);
  }
}

}  // namespace mpquic
