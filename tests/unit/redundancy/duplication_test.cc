#include "stack/redundancy/duplication.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/unit/redundancy/view.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint32_t> chosen(std::span<const PathView> paths, std::uint32_t original, std::size_t most = 7) {
  std::array<PathId, kMaxCopies> out{};
  const std::size_t found = choose_copy_paths(paths, PathId{original}, std::span(out).first(most));
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < found; ++i) ids.push_back(out[i].value());
  return ids;
}

TEST(CopyPaths, AreTheOthersByRoundTrip) {
  const std::array paths{view(0, 50ms), view(1, 10ms), view(2, 20ms), view(3, 20ms)};
  EXPECT_EQ(chosen(paths, 1), (std::vector<std::uint32_t>{2, 3, 0}));
  EXPECT_EQ(chosen(paths, 0, 1), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(chosen(paths, 0, 2), (std::vector<std::uint32_t>{1, 2}));
}

TEST(CopyPaths, WithRoomComeFirst) {
  std::array paths{view(0, 50ms), view(1, 10ms), view(2, 20ms)};
  paths[1].bytes_in_flight = paths[1].congestion_window;
  EXPECT_EQ(chosen(paths, 0), (std::vector<std::uint32_t>{2, 1})) << "a full path may have room soon";
}

TEST(CopyPaths, AreUsablePathsOnly) {
  std::array paths{view(0, 50ms), view(1, 10ms), view(2, 20ms), view(3, 30ms), view(4, 40ms), view(5, 5ms)};
  paths[5].socket_blocked = true;
  paths[1].validated = false;
  paths[2].potentially_failed = true;
  paths[3].has_rtt_sample = false;
  paths[4].backup = true;
  EXPECT_TRUE(chosen(paths, 0).empty());
  paths[0].backup = true;  // then the backups are what is in use
  EXPECT_EQ(chosen(paths, 0), std::vector<std::uint32_t>{4});
  EXPECT_TRUE(chosen(std::span(paths).first(1), 0).empty());
}

TEST(Duplication, PoliciesSayWhatIsCopied) {
  const PacketContext fresh{};
  const PacketContext repeat{.has_retransmission = true};
  const auto counts = [](std::string_view name, const PacketContext& context) {
    const CopyCounts copies = make_duplication_policy(name, 2)->copies(context);
    return std::pair(copies.datagrams, copies.streams);
  };
  using Pair = std::pair<std::uint16_t, std::uint16_t>;
  EXPECT_EQ(counts("off", repeat), Pair(0, 0));
  EXPECT_EQ(counts("datagrams", repeat), Pair(2, 0));
  EXPECT_EQ(counts("retransmissions", fresh), Pair(0, 0));
  EXPECT_EQ(counts("retransmissions", repeat), Pair(0, 2));
  EXPECT_EQ(counts("all", fresh), Pair(2, 2));
}

TEST(Duplication, EveryNameMakesAPolicyOfThatName) {
  for (const std::string_view name : duplication_policy_names())
    EXPECT_EQ(make_duplication_policy(name, 1)->name(), name);
  EXPECT_EQ(make_duplication_policy("twice", 1), nullptr);
}

}  // namespace
}  // namespace mpquic
