#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>

#include "stack/base/ring_buffer.h"

namespace mpquic {
namespace {

RC_GTEST_PROP(BaseRingBuffer, AgreesWithADeque, (const std::vector<std::uint8_t>& steps)) {
  RingBuffer<int> ring;
  std::deque<int> model;
  int next = 0;
  for (const std::uint8_t step : steps) {
    if (step % 4 < 2) {
      ring.push_back(next);
      model.push_back(next++);
    } else if (!model.empty() && step % 4 == 2) {
      RC_ASSERT(ring.pop_front() == model.front());
      model.pop_front();
    } else if (!model.empty()) {
      RC_ASSERT(ring.pop_back() == model.back());
      model.pop_back();
    }
    RC_ASSERT(ring.size() == model.size());
    for (std::size_t i = 0; i < model.size(); ++i) RC_ASSERT(ring[i] == model[i]);
  }
}

}  // namespace
}  // namespace mpquic
