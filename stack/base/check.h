// CHECK is for our own bugs only: nothing that the network can send may reach a failing CHECK.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace mpquic {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace mpquic

#define MPQUIC_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::mpquic::check_failed(#condition, __FILE__, __LINE__))

/// Checks that cost something per packet: on in every build but `release`.
#ifdef MPQUIC_EXPENSIVE_CHECKS
#define MPQUIC_DCHECK(condition) MPQUIC_CHECK(condition)
#else
#define MPQUIC_DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#endif
