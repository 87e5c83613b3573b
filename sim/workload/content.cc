#include "sim/workload/content.h"

#include <algorithm>
#include <cstring>

#include "sim/base/random_streams.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] std::uint64_t mix(std::uint64_t x) {  // the finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Content::Content(std::uint64_t seed) : table_(2 * kSegment) {
  SeededRng(seed, stream_of(Purpose::content)).fill(table_);
}

Bytes Content::at(ContentKey key, std::uint64_t offset, std::uint64_t limit) const {
  const std::uint64_t start = mix(mix(key) + offset / kSegment) % kSegment;
  const std::uint64_t within = offset % kSegment;
  return Bytes(table_).subspan(start + within, std::min<std::uint64_t>(kSegment - within, limit));
}

std::size_t Content::first_mismatch(ContentKey key, std::uint64_t offset, Bytes data) const {
  std::size_t done = 0;
  while (done < data.size()) {
    const Bytes expected = at(key, offset + done, data.size() - done);
    if (std::memcmp(expected.data(), data.data() + done, expected.size()) != 0)
      return done +
             static_cast<std::size_t>(std::ranges::mismatch(expected, data.subspan(done)).in1 - expected.begin());
    done += expected.size();
  }
  return done;
}

}  // namespace mpquic::sim
