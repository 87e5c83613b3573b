#include "stack/base/replay_window.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

TEST(ReplayWindow, TooOldBelowTheWindow) {
  ReplayWindow window;
  window.insert(0);
  window.insert(ReplayWindow::kSize + 10);
  EXPECT_EQ(window.classify(10), ReplayWindow::Arrival::too_old);
  EXPECT_EQ(window.classify(11), ReplayWindow::Arrival::fresh);
  EXPECT_EQ(window.classify(0), ReplayWindow::Arrival::too_old);
}

TEST(ReplayWindow, SurvivesJumpsOfAnyWidth) {
  ReplayWindow window;
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{200},
                                ReplayWindow::kSize + 63, 3 * ReplayWindow::kSize, (std::uint64_t{1} << 62) - 1}) {
    EXPECT_EQ(window.classify(n), ReplayWindow::Arrival::fresh);
    window.insert(n);
    EXPECT_EQ(window.classify(n), ReplayWindow::Arrival::duplicate);
    EXPECT_EQ(window.classify(n + 1), ReplayWindow::Arrival::fresh);
  }
  EXPECT_EQ(window.classify((std::uint64_t{1} << 62) - 2), ReplayWindow::Arrival::fresh);
}

}  // namespace
}  // namespace mpquic
