#include "stack/stream/reassembler.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace mpquic {
namespace {

class ReassemblerTest : public ::testing::Test {
 protected:
  void insert(std::uint64_t offset, std::string_view text) { reassembler.insert(offset, as_bytes(text)); }
  std::string read(std::size_t most = 100000) {
    std::string out;
    for (Bytes front = reassembler.front(); out.size() < most && !front.empty(); front = reassembler.front()) {
      front = front.first(std::min(front.size(), most - out.size()));
      out += as_text(front);
      EXPECT_EQ(reassembler.pop(front.size()), front.size());
    }
    return out;
  }
  ChunkPool pool;
  Reassembler reassembler{pool};
};

TEST_F(ReassemblerTest, GivesInOrderDataAtOnce) {
  insert(0, "abc");
  EXPECT_EQ(read(), "abc");
  insert(3, "def");
  EXPECT_EQ(read(2), "de");
  EXPECT_EQ(read(), "f");
  EXPECT_EQ(read(), "");
}

TEST_F(ReassemblerTest, HoldsDataBehindAGap) {
  insert(3, "def");
  EXPECT_EQ(read(), "");
  EXPECT_EQ(reassembler.contiguous_end(), 0U);
  insert(0, "abc");
  EXPECT_EQ(reassembler.contiguous_end(), 6U);
  EXPECT_EQ(read(), "abcdef");
}

TEST_F(ReassemblerTest, IgnoresDuplicatesAndDataAlreadyRead) {
  insert(0, "abc");
  insert(0, "abc");
  EXPECT_EQ(read(), "abc");
  insert(0, "xyz");
  insert(1, "yzd");
  EXPECT_EQ(read(), "d");
}

TEST_F(ReassemblerTest, KeepsTheFirstCopyWhereOverlapsConflict) {
  insert(2, "CD");
  insert(6, "GH");
  insert(0, "abcdefghij");
  EXPECT_EQ(read(), "abCDefGHij");
}

TEST_F(ReassemblerTest, KeepsTheFirstCopyOfUnreadInOrderData) {
  insert(0, "abcd");
  insert(2, "XXef");
  EXPECT_EQ(read(), "abcdef");
}

TEST_F(ReassemblerTest, JoinsSeveralGapsOutOfOrder) {
  insert(8, "i");
  insert(4, "ef");
  insert(2, "cd");
  insert(6, "gh");
  EXPECT_EQ(read(), "");
  insert(0, "ab");
  EXPECT_EQ(read(), "abcdefghi");
}

TEST_F(ReassemblerTest, CrossesChunkEdges) {
  const std::string text(3 * Chunk::kBytes + 17, 'q');
  insert(5, text.substr(5));
  EXPECT_EQ(pool.in_use(), 4U);
  insert(0, "01234");
  EXPECT_EQ(read(), "01234" + text.substr(5));
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(ReassemblerTest, TakesOneChunkPerTouchedCellHoweverManyGaps) {
  // Every second byte: the worst pattern for a list of ranges.
  for (std::uint64_t offset = 1; offset < 2 * Chunk::kBytes; offset += 2) insert(offset, "x");
  EXPECT_EQ(pool.in_use(), 2U);
  for (std::uint64_t offset = 0; offset < 2 * Chunk::kBytes; offset += 2) insert(offset, "y");
  const std::string text = read();
  ASSERT_EQ(text.size(), 2 * Chunk::kBytes);
  for (std::size_t i = 0; i < text.size(); ++i) ASSERT_EQ(text[i], i % 2 == 0 ? 'y' : 'x') << i;
}

TEST_F(ReassemblerTest, HoldsNoChunkWhenEverythingIsRead) {
  insert(0, "abc");
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_EQ(read(), "abc");
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(ReassemblerTest, MarksOfAnEarlierUseOfAChunkAreForgotten) {
  insert(10, "stale");
  reassembler.reset();
  insert(0, "0123456789");
  EXPECT_EQ(reassembler.contiguous_end(), 10U);
  EXPECT_EQ(read(), "0123456789");
}

TEST_F(ReassemblerTest, AnEmptyRangeChangesNothing) {
  insert(0, "a");
  insert(1, "");
  insert(9, "");
  EXPECT_EQ(reassembler.contiguous_end(), 1U);
  EXPECT_EQ(read(), "a");
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(ChunkPoolTest, KeepsWhatItNeededUntilItIsTrimmed) {
  ChunkPool pool;
  std::vector<std::unique_ptr<Chunk>> chunks;
  for (int i = 0; i < 20; ++i) chunks.push_back(pool.take());
  for (int i = 0; i < 10; ++i) {
    pool.give_back(std::move(chunks.back()));
    chunks.pop_back();
  }
  EXPECT_EQ(pool.in_use(), 10U);
  EXPECT_EQ(pool.spare(), 10U);
  while (!chunks.empty()) {
    pool.give_back(std::move(chunks.back()));
    chunks.pop_back();
  }
  EXPECT_EQ(pool.spare(), 20U);
  pool.trim();
  EXPECT_EQ(pool.spare(), ChunkPool::kReserve);
  EXPECT_LT(pool.memory(), 100'000U);
}

TEST(ChunkedBufferTest, FindsMarksAcrossWordsAndChunks) {
  ChunkPool pool;
  ChunkedBuffer buffer(pool);
  const std::uint64_t begin = Chunk::kBytes - 70;
  const std::uint64_t end = Chunk::kBytes + 129;
  EXPECT_EQ(buffer.first_marked(0, 3 * Chunk::kBytes), 3 * Chunk::kBytes);
  buffer.mark(begin, end);
  EXPECT_EQ(buffer.first_marked(0, 3 * Chunk::kBytes), begin);
  EXPECT_EQ(buffer.first_unmarked(begin, 3 * Chunk::kBytes), end);
  EXPECT_EQ(buffer.first_unmarked(begin, begin + 10), begin + 10);
  EXPECT_EQ(buffer.first_marked(end, 3 * Chunk::kBytes), 3 * Chunk::kBytes);
  EXPECT_EQ(buffer.first_unmarked(0, 10), 0U);
}

TEST(ChunkedBufferTest, AdvanceJoinsWhatWasMarkedBefore) {
  ChunkPool pool;
  ChunkedBuffer buffer(pool);
  EXPECT_EQ(buffer.advance(0, 10, 20), 0U);
  EXPECT_EQ(buffer.advance(0, 30, 40), 0U);
  EXPECT_EQ(buffer.advance(0, 0, 10), 20U);
  EXPECT_EQ(buffer.advance(20, 15, 30), 40U);
  EXPECT_EQ(buffer.advance(40, 5, 12), 40U);
}

}  // namespace
}  // namespace mpquic
