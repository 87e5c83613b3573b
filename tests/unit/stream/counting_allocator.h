#pragma once

#include <cstddef>

namespace mpquic::stream_test {

/// Calls of operator new in this test binary so far.
[[nodiscard]] std::size_t allocation_count();

}  // namespace mpquic::stream_test
