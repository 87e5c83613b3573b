#include "stack/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace mpquic {
namespace {

/// Independent of the implementation: the published recurrences of splitmix64 and xoshiro256++.
struct Reference {
  std::uint64_t s[4];
  static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  static std::uint64_t split(std::uint64_t& x) {
    x += 0x9e3779b97f4a7c15;
    std::uint64_t z = x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  explicit Reference(std::uint64_t seed) : s{} {
    std::uint64_t mixed = split(seed);  // purpose 0
    for (auto& word : s) word = split(mixed);
  }
  std::uint64_t next() {
    const std::uint64_t result = rotl(s[0] + s[3], 23) + s[0];
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
  }
};

TEST(SeededRng, FollowsThePublishedRecurrence) {
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xdeadbeef}, UINT64_MAX}) {
    SeededRng rng(seed);
    Reference reference(seed);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(rng.next(), reference.next());
  }
}

TEST(SeededRng, KnownAnswersStayKnown) {  // splitmix64 of 0 begins with this word: the published test value
  std::uint64_t state = 0;
  EXPECT_EQ(Reference::split(state), 0xe220a8397b1dcdafU);
}

TEST(SeededRng, SameSeedSameNumbers) {
  SeededRng a(42, 7);
  SeededRng b(42, 7);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a.next(), b.next());
}

TEST(SeededRng, SeedsAndPurposesAreIndependent) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::uint64_t purpose = 0; purpose < 50; ++purpose) first.push_back(SeededRng(seed, purpose).next());
  }
  std::sort(first.begin(), first.end());
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
}

TEST(SeededRng, FillsAnyLengthFromTheSameStream) {
  SeededRng words(5);
  for (std::size_t size = 0; size <= 33; ++size) {
    SeededRng bytes(5);
    std::vector<std::byte> out(size + 1, std::byte{0xee});
    bytes.fill(MutableBytes(out).first(size));
    EXPECT_EQ(out[size], std::byte{0xee}) << "nothing behind the end";
    SeededRng reference(5);
    for (std::size_t at = 0; at < size; at += 8) {
      const std::uint64_t word = reference.next();
      EXPECT_EQ(std::memcmp(out.data() + at, &word, std::min<std::size_t>(8, size - at)), 0);
    }
  }
}

TEST(Rng, BelowStaysBelow) {
  SeededRng rng(1);
  for (const std::uint64_t bound :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{7}, (std::uint64_t{1} << 63) + 1, UINT64_MAX}) {
    for (int i = 0; i < 200; ++i) ASSERT_LT(rng.below(bound), bound);
  }
  EXPECT_EQ(rng.below(1), 0U);
}

TEST(Rng, BelowIsUniform) {
  constexpr std::uint64_t kBuckets = 10;
  constexpr int kDraws = 100'000;
  SeededRng rng(3);
  std::array<int, kBuckets> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts[rng.below(kBuckets)];
  double chi_squared = 0;
  for (const int count : counts) {
    const double difference = count - kDraws / static_cast<double>(kBuckets);
    chi_squared += difference * difference / (kDraws / static_cast<double>(kBuckets));
  }
  EXPECT_LT(chi_squared, 27.9);  // 9 degrees of freedom, p = 0.001
}

TEST(Rng, BelowRejectsTheBiasedTail) {
  /// Gives 0, 1, 2, ...: for bound 3, 2^64 mod 3 = 1, so the 0 must be thrown away.
  class Counter final : public Rng {
   public:
    void fill(MutableBytes out) override {
      std::memcpy(out.data(), &count_, out.size());
      ++count_;
    }

   private:
    std::uint64_t count_ = 0;
  };
  Counter rng;
  EXPECT_EQ(rng.below(3), 1U);
}

TEST(SeededRng, UnitIsInTheHalfOpenInterval) {
  SeededRng rng(9);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = rng.unit();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

}  // namespace
}  // namespace mpquic
