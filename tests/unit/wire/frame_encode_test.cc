#include "stack/wire/frame_encode.h"

#include <gtest/gtest.h>

#include <set>

#include "stack/wire/frame_rules.h"
#include "tests/unit/wire/frame_samples.h"

namespace mpquic {
namespace {

using testing::Blob;
using testing::FrameSample;
using testing::to_hex;

TEST(FrameEncode, WritesEveryFrameAsTheRfcsSay) {
  for (const FrameSample& sample : testing::frame_samples()) {
    Blob buffer(200);
    ByteWriter out(buffer);
    EXPECT_TRUE(encode(out, sample.frame)) << sample.name;
    EXPECT_EQ(to_hex(out.written()), to_hex(sample.bytes)) << sample.name;
  }
}

TEST(FrameEncode, SamplesCoverEveryFrame) {
  std::set<std::size_t> kinds;
  std::set<std::uint64_t> rules;
  for (const FrameSample& sample : testing::frame_samples()) {
    kinds.insert(sample.frame.index());
    rules.insert(find_frame_rule(type_of(sample.frame))->first);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Frame>);
  EXPECT_EQ(rules.size(), kFrameRules.size());
}

TEST(FrameEncode, KnowsTheSizeInAdvance) {
  for (const FrameSample& sample : testing::frame_samples()) {
    EXPECT_EQ(encoded_size(sample.frame), sample.bytes.size()) << sample.name;
  }
}

TEST(FrameEncode, NamesTheTypeThatItWrites) {
  for (const FrameSample& sample : testing::frame_samples()) {
    EXPECT_EQ(type_of(sample.frame), read_varint(sample.bytes)->value) << sample.name;
  }
}

TEST(FrameEncode, IsAllOrNothing) {
  for (const FrameSample& sample : testing::frame_samples()) {
    Blob buffer(sample.bytes.size());
    for (std::size_t room = 0; room < buffer.size(); ++room) {
      ByteWriter out(MutableBytes(buffer).first(room));
      EXPECT_FALSE(encode(out, sample.frame)) << sample.name << " in " << room;
      EXPECT_EQ(out.size(), 0U) << sample.name;
    }
    ByteWriter out(buffer);
    EXPECT_TRUE(encode(out, sample.frame)) << sample.name;
  }
}

TEST(FrameEncode, AppendsBehindWhatIsThere) {
  Blob buffer(3);
  ByteWriter out(buffer);
  EXPECT_TRUE(encode(out, PingFrame{}) && encode(out, MaxDataFrame{9}));
  EXPECT_FALSE(encode(out, PingFrame{}));
  EXPECT_EQ(to_hex(out.written()), "011009");
}

}  // namespace
}  // namespace mpquic
