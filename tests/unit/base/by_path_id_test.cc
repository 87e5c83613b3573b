#include "stack/base/by_path_id.h"

#include <gtest/gtest.h>

#include <vector>

namespace mpquic {
namespace {

struct Entry {
  PathId id;
  int value = 0;
};

TEST(ByPathIdTest, FindsEveryEntryOfADenseTable) {
  const std::vector<Entry> table{{PathId{0}, 10}, {PathId{1}, 11}, {PathId{2}, 12}};
  for (std::uint32_t id = 0; id < 3; ++id) {
    const Entry* found = find_by_path_id(table, PathId{id}, &Entry::id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->value, 10 + static_cast<int>(id));
  }
}

TEST(ByPathIdTest, FindsEntriesThatGapsHaveShifted) {
  std::vector<Entry> table{{PathId{1}, 11}, {PathId{4}, 14}, {PathId{7}, 17}};
  for (const Entry& entry : table) EXPECT_EQ(find_by_path_id(table, entry.id, &Entry::id), &entry);
}

TEST(ByPathIdTest, MissesWhatIsNotThere) {
  const std::vector<Entry> table{{PathId{1}, 11}, {PathId{4}, 14}};
  for (const std::uint32_t id : {0U, 2U, 3U, 5U, UINT32_MAX})
    EXPECT_EQ(find_by_path_id(table, PathId{id}, &Entry::id), nullptr);
  const std::vector<Entry> none;
  EXPECT_EQ(find_by_path_id(none, PathId{0}, &Entry::id), nullptr);
}

}  // namespace
}  // namespace mpquic
