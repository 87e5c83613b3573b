// The reassembler against a model that keeps a byte and a flag per offset.
#include "stack/stream/reassembler.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace mpquic {
namespace {

/// What a reassembler is, without any cleverness.
class ReassemblerModel {
 public:
  void insert(std::uint64_t offset, Bytes data) {
    if (bytes_.size() < offset + data.size()) bytes_.resize(static_cast<std::size_t>(offset + data.size()));
    for (std::size_t i = 0; i < data.size(); ++i) {
      auto& slot = bytes_[static_cast<std::size_t>(offset) + i];
      if (!slot) slot = data[i];
    }
  }
  std::vector<std::byte> read(std::size_t most) {
    std::vector<std::byte> out;
    while (out.size() < most && next_ < bytes_.size() && bytes_[next_]) out.push_back(*bytes_[next_++]);
    return out;
  }
  [[nodiscard]] std::uint64_t contiguous_end() const {
    const auto hole = std::find(bytes_.begin() + static_cast<std::ptrdiff_t>(next_), bytes_.end(), std::nullopt);
    return static_cast<std::uint64_t>(hole - bytes_.begin());
  }

 private:
  std::vector<std::optional<std::byte>> bytes_;
  std::size_t next_ = 0;
};

RC_GTEST_PROP(StreamReassemblerProperty, BehavesLikeTheModel, ()) {
  ChunkPool pool;
  Reassembler reassembler(pool);
  ReassemblerModel model;
  // Mostly small ranges near each other, so that they overlap; some large, so that chunk edges matter.
  const auto steps = *rc::gen::inRange(1, 60);
  std::uint64_t center = 0;
  for (int step = 0; step < steps; ++step) {
    if (*rc::gen::inRange(0, 4) == 0) {
      const auto most = static_cast<std::size_t>(*rc::gen::inRange(0, 40000));
      std::vector<std::byte> out;
      for (Bytes front = reassembler.front(); out.size() < most && !front.empty(); front = reassembler.front()) {
        front = front.first(std::min(front.size(), most - out.size()));
        out.insert(out.end(), front.begin(), front.end());
        RC_ASSERT(reassembler.pop(front.size()) == front.size());
      }
      RC_ASSERT(out == model.read(most));
    } else {
      const std::uint64_t jump = *rc::gen::element<std::uint64_t>(0, 0, 5, 64, 1000, Chunk::kBytes - 3);
      const auto length = static_cast<std::size_t>(*rc::gen::element(0, 1, 7, 63, 64, 65, 1200, 20000));
      const auto fill = static_cast<std::byte>(*rc::gen::inRange(0, 256));
      const std::uint64_t back = std::min(center, static_cast<std::uint64_t>(*rc::gen::inRange(0, 300)));
      const std::uint64_t offset = center - back + jump;
      if (*rc::gen::inRange(0, 3) == 0) center = reassembler.contiguous_end();
      const std::vector<std::byte> data(length, fill);
      reassembler.insert(offset, data);
      model.insert(offset, data);
    }
    RC_ASSERT(reassembler.contiguous_end() == model.contiguous_end());
  }
}

}  // namespace
}  // namespace mpquic
