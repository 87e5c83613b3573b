// `mpquic-sim run|replay ... --engine ns3`: the same command line, run by mpquic-ns3. ns-3 is GPLv2 and large, so it is
// another program's (docs/adr/0009).
#pragma once

#include <optional>

namespace mpquic::sim {

/// Becomes mpquic-ns3, which stands beside this program, if the command line asks for ns-3. Returns if it does not ask,
/// or with the exit code after a message if that program cannot be started.
[[nodiscard]] std::optional<int> become_ns3(int argc, char** argv);

}  // namespace mpquic::sim
