// What the program allocates: linking this replaces the global operator new by one that counts.
#pragma once

#include <cstddef>

namespace mpquic::test {

/// Calls of operator new so far.
[[nodiscard]] std::size_t allocation_count();
/// Bytes of heap in use now, malloc's included (TLS allocates there).
[[nodiscard]] std::size_t heap_bytes();

}  // namespace mpquic::test
