// A network of a test's own: a Linux network namespace that goes away with the thread that entered it. Needs root.
#pragma once

#include <sched.h>

#include <cstdlib>
#include <string>

namespace mpquic::test {

/// Whether a command of iproute2 succeeds, in the namespace of the calling thread.
[[nodiscard]] inline bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// Moves the calling thread, and what it starts, into a new namespace where only loopback is up. False where that is
/// not allowed.
[[nodiscard]] inline bool enter_namespace() { return unshare(CLONE_NEWNET) == 0 && runs("ip link set lo up"); }

}  // namespace mpquic::test
