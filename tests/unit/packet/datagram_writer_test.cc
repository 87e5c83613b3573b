#include "stack/packet/datagram_writer.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/crypto_testing.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

class Train : public testing::Test {
 protected:
  /// A "packet" of `size` bytes: the writer cares for nothing else until flush().
  void write(std::size_t size) { writer_.commit(EncryptionLevel::one_rtt, size, 9); }

  Buffer buffer_ = Buffer(65527);
  DatagramWriter writer_{buffer_};
};

TEST_F(Train, StartsEmpty) {
  EXPECT_TRUE(writer_.empty());
  EXPECT_EQ(writer_.segment_size(), 0U);
  EXPECT_EQ(writer_.datagram_count(), 0U);
  EXPECT_TRUE(writer_.room().empty());
}

TEST_F(Train, FullDatagramsFollowEachOtherAndTheLastMayBeShort) {
  for (const std::size_t size : {1200U, 1200U, 700U}) {
    ASSERT_TRUE(writer_.begin_datagram(1200));
    ASSERT_EQ(writer_.room().size(), 1200U);
    write(size);
  }
  EXPECT_FALSE(writer_.begin_datagram(1200));
  EXPECT_EQ(writer_.size(), 3100U);
  EXPECT_EQ(writer_.segment_size(), 1200U);
  EXPECT_EQ(writer_.datagram_count(), 3U);
}

// Tunnelled packets make datagrams a little shorter than the path would take: they are a train all the same.
TEST_F(Train, TheFirstDatagramSetsTheSegmentSize) {
  ASSERT_TRUE(writer_.begin_datagram(1452));
  write(1400);
  ASSERT_TRUE(writer_.begin_datagram(1452));
  EXPECT_EQ(writer_.room().size(), 1400U);
  write(1400);
  ASSERT_TRUE(writer_.begin_datagram(1452));
  write(1399);
  EXPECT_FALSE(writer_.begin_datagram(1452));
  EXPECT_EQ(writer_.segment_size(), 1400U);
}

TEST_F(Train, AShortFirstDatagramEndsItUnlessTheCallerHasLittleToSay) {
  ASSERT_TRUE(writer_.begin_datagram(1200));
  write(60);
  EXPECT_FALSE(writer_.begin_datagram(1200));
  EXPECT_TRUE(writer_.begin_datagram(1200, 50));
  EXPECT_EQ(writer_.room().size(), 60U);
}

TEST_F(Train, CoalescedPacketsShareADatagram) {
  ASSERT_TRUE(writer_.begin_datagram(1200));
  write(400);
  EXPECT_EQ(writer_.datagram_size(), 400U);
  write(800);
  EXPECT_EQ(writer_.datagram_count(), 1U);
  EXPECT_TRUE(writer_.room().empty());
  ASSERT_TRUE(writer_.begin_datagram(1200));
  EXPECT_EQ(writer_.datagram_size(), 0U);
}

TEST_F(Train, AnEmptyDatagramIsNone) {
  ASSERT_TRUE(writer_.begin_datagram(1200));
  ASSERT_TRUE(writer_.begin_datagram(1452));  // opened anew
  EXPECT_EQ(writer_.room().size(), 1452U);
  write(1452);
  ASSERT_TRUE(writer_.begin_datagram(1452));
  EXPECT_EQ(writer_.datagram_count(), 1U);
  EXPECT_EQ(writer_.size(), 1452U);
  EXPECT_EQ(writer_.segment_size(), 1452U);
}

TEST_F(Train, EndsWithTheBufferAndWithTheSegmentLimit) {
  DatagramWriter small(MutableBytes(buffer_).first(2500));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(small.begin_datagram(1200));
    small.commit(EncryptionLevel::one_rtt, 1200, 9);
  }
  EXPECT_FALSE(small.begin_datagram(1200));

  std::size_t count = 0;
  while (writer_.begin_datagram(100)) {
    write(100);
    ++count;
  }
  EXPECT_EQ(count, DatagramWriter::kMaxDatagrams);
}

}  // namespace
}  // namespace mpquic
