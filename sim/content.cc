#include "sim/content.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/random_streams.h"

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

void Checksum::add(std::uint64_t offset, Bytes data) {
  const auto add_byte = [&](std::size_t i) {
    sum_ += std::to_integer<std::uint64_t>(data[i]) << (8 * ((offset + i) % 8));
  };
  std::size_t i = 0;
  for (; i < data.size() && (offset + i) % 8 != 0; ++i) add_byte(i);
  std::array<std::uint64_t, 8> lanes{};
  for (; data.size() - i >= sizeof(lanes); i += sizeof(lanes)) {
    std::array<std::uint64_t, lanes.size()> words;
    std::memcpy(words.data(), data.data() + i, sizeof(words));
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] += words[lane];
  }
  for (const std::uint64_t lane : lanes) sum_ += lane;
  for (; i < data.size(); ++i) add_byte(i);
}

}  // namespace mpquic::sim
