// What the subcommands of mpquic-sim that load a scenario have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine.h"
#include "sim/trace/tracing.h"

namespace mpquic::sim {

enum ExitCode : int { kOk = 0, kViolated = 1, kUsage = 2 };

inline constexpr const char* kRunExamples =
    "Examples:\n"
    "  mpquic-sim run six-wan-bulk --seed 7\n"
    "  mpquic-sim run six-wan-bulk --seed 7 --set endpoints.cc=cubic --set paths.0.rate=5Mbit/s\n"
    "  mpquic-sim run six-wan-bulk --engine ngtcp2\n"
    "  mpquic-sim run scenarios/unequal-six.yaml --json report.json --qlog out/\n";
inline constexpr const char* kExitStatus =
    "Exit status: 0 all checks hold, 1 an invariant or assertion is violated, 2 wrong usage or scenario.";

struct Arguments {
  std::string scenario;
  std::uint64_t seed = 1;
  std::string json;
  TraceOptions trace;
  std::string crypto;
  std::string engine;
  std::string baseline;
  std::vector<std::string> overrides;
  bool quiet = false;
  std::string directory = "scenarios";
};

/// An option that takes a whole number, and no sign, fraction or leading zero that would mean something else.
void add_seed_option(CLI::App& command, const std::string& name, std::uint64_t& seed, const std::string& description);
void add_common_options(CLI::App& command, Arguments& arguments);

/// Prints one line; for `return complain(...)`.
[[nodiscard]] int complain(const std::string& what);
/// A file, or the name of one in scenarios/.
[[nodiscard]] std::string find_file(const Arguments& arguments);
/// The overrides that the command line comes down to.
[[nodiscard]] std::vector<std::string> overrides_of(const Arguments& arguments);
/// The command line itself wants null crypto, whatever the file says.
[[nodiscard]] bool wants_null_crypto(const Arguments& arguments);
inline constexpr const char* kNoNullCrypto = "--crypto null: ngtcp2 has real TLS only";
/// Empty in a build without ngtcp2.
[[nodiscard]] EngineFactory ngtcp2();

}  // namespace mpquic::sim
