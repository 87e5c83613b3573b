// Transfers over paths that lose, reorder and duplicate: everything arrives, once and in order (RFC 9000 §2.2).
#include <gtest/gtest.h>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

class LossyPair : public testing::TestWithParam<int> {};

TEST_P(LossyPair, TransfersCompleteBothWays) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair({.client = {}, .server = {}, .seed = seed, .suites = {}});
    SeededRng loss(seed, 99);
    pair.filter = [&](InFlight& datagram) {
      if (loss.below(100) < 5) datagram.arrives += 7ms;  // reordered
      return loss.below(100) >= static_cast<std::uint64_t>(GetParam());
    };
    ASSERT_TRUE(pair.connect());
    EXPECT_TRUE(pair.transfer(false, 300'000, 600s));
    EXPECT_TRUE(pair.transfer(true, 300'000, 600s));
  }
}

TEST_P(LossyPair, ThreePathsComplete) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair({.client = {}, .server = {}, .seed = seed, .suites = {}});
    SeededRng loss(seed, 98);
    pair.filter = [&](InFlight&) { return loss.below(100) >= static_cast<std::uint64_t>(GetParam()); };
    ASSERT_TRUE(pair.connect());
    for (std::uint8_t i = 1; i < 3; ++i)
      ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(i), pair.now));
    EXPECT_TRUE(pair.transfer(false, 500'000, 600s));
    EXPECT_TRUE(pair.transfer(true, 500'000, 600s));
  }
}

INSTANTIATE_TEST_SUITE_P(Percent, LossyPair, testing::Values(0, 2, 10, 25));

TEST(Loss, DuplicatedDatagramsAreCountedAndHarmless) {
  Pair pair;
  std::vector<InFlight> copies;
  ASSERT_TRUE(pair.connect());
  pair.filter = [&](InFlight& datagram) {
    if (copies.size() < 20) copies.push_back(datagram);
    return true;
  };
  EXPECT_TRUE(pair.transfer(false, 20'000));  // few enough that truncated packet numbers still expand to the same
  for (InFlight& copy : copies)
    if (copy.to_server) pair.server->receive({copy.tuple, copy.ecn, copy.bytes, copy.bytes.size()}, pair.now);
  EXPECT_GT(pair.server->drops()[static_cast<std::size_t>(DropReason::duplicate_packet)], 0U)
      << pair.unexpected_drops();
  EXPECT_TRUE(pair.transfer(false, 200'000));
}

}  // namespace
}  // namespace mpquic::test
