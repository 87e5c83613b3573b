#include "sim/workload/content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/base/trace_hash.h"

namespace mpquic::sim {
namespace {

std::vector<std::byte> take(const Content& content, ContentKey key, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> out;
  while (out.size() < size) {
    const Bytes part = content.at(key, offset + out.size(), size - out.size());
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

TEST(Content, IsTheSameHoweverItIsCut) {
  const Content content(1);
  const auto whole = take(content, 3, 0, 300'000);
  for (const std::uint64_t offset : {0u, 1u, 65'535u, 65'536u, 200'001u}) {
    const auto part = take(content, 3, offset, 1000);
    EXPECT_TRUE(std::ranges::equal(part, std::span(whole).subspan(offset, 1000))) << offset;
    EXPECT_EQ(content.first_mismatch(3, offset, part), part.size());
  }
}

TEST(Content, DiffersByKeyOffsetAndSeed) {
  const Content content(1);
  const auto here = take(content, 3, 70'000, 64);
  EXPECT_NE(here, take(content, 4, 70'000, 64));
  EXPECT_NE(here, take(content, 3, 70'008, 64));
  EXPECT_NE(here, take(content, 3, 70'000 + 65'536, 64));
  EXPECT_NE(here, take(Content(2), 3, 70'000, 64));
}

TEST(Content, FindsTheFirstWrongByte) {
  const Content content(1);
  auto data = take(content, 9, 65'000, 2000);
  data[1234] ^= std::byte{1};
  EXPECT_EQ(content.first_mismatch(9, 65'000, data), 1234u);
}

TEST(TraceHash, EveryBitOfEveryByteCounts) {
  std::vector<std::byte> data(200, std::byte{0});
  TraceHash reference;
  reference.add(data);
  for (std::size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    TraceHash changed;
    changed.add(data);
    EXPECT_NE(changed.value(), reference.value()) << bit;
    data[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

TEST(TraceHash, OrderAndLengthCount) {
  TraceHash ab;
  ab.add(1);
  ab.add(2);
  TraceHash ba;
  ba.add(2);
  ba.add(1);
  EXPECT_NE(ab.value(), ba.value());
  TraceHash shorter;
  shorter.add(std::vector<std::byte>(8));
  TraceHash longer;
  longer.add(std::vector<std::byte>(9));
  EXPECT_NE(shorter.value(), longer.value());
}

/// The same on every machine and build: committed once, it may only change together with the format of the trace.
TEST(TraceHash, IsThePublishedFunction) {
  std::vector<std::byte> data(100);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i);
  TraceHash hash;
  hash.add(7);
  hash.add(data);
  EXPECT_EQ(hash.value(), 2145536388000946985u);
}

}  // namespace
}  // namespace mpquic::sim
