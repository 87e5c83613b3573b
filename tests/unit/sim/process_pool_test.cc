#include "sim/run/process_pool.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

namespace mpquic::sim {
namespace {

using testing::HasSubstr;

struct Results {
  std::map<std::size_t, std::string> done;
  std::map<std::size_t, std::string> died;
};

[[nodiscard]] Results run(std::size_t count, std::size_t processes, std::function<std::string(std::size_t)> job) {
  Results results;
  run_in_processes({.count = count,
                    .processes = processes,
                    .hang_seconds = 2,
                    .run = std::move(job),
                    .done = [&](std::size_t i, const std::string& text) { results.done[i] = text; },
                    .died = [&](std::size_t i, const std::string& why) { results.died[i] = why; }});
  return results;
}

TEST(ProcessPool, EveryJobIsDoneOnceWhateverTheNumberOfProcesses) {
  for (const std::size_t processes : {1U, 3U, 50U}) {
    const Results results = run(20, processes, [](std::size_t i) { return std::string(i * 5000, 'x'); });
    ASSERT_EQ(results.done.size(), 20U);
    EXPECT_TRUE(results.died.empty());
    for (const auto& [i, text] : results.done) EXPECT_EQ(text.size(), i * 5000);
  }
}

TEST(ProcessPool, JobsThatEndTheirProcessOrHangAreNamedAndTheRestGoesOn) {
  const Results results = run(9, 2, [](std::size_t i) {
    if (i == 3) ::_exit(7);
    while (i == 4) ::pause();
    return fmt::format("job {}", i);
  });
  EXPECT_EQ(results.done.size(), 7U);
  EXPECT_EQ(results.done.at(8), "job 8");
  ASSERT_EQ(results.died.size(), 2U);
  EXPECT_THAT(results.died.at(3), HasSubstr("status 7"));
  EXPECT_THAT(results.died.at(4), HasSubstr("hangs"));
}

TEST(ProcessPool, NothingToDo) {
  EXPECT_TRUE(run(0, 4, [](std::size_t) { return std::string(); }).done.empty());
}

}  // namespace
}  // namespace mpquic::sim
