// What the subcommands of mpquic-sim that load a scenario have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/standard_output.h"
#include "sim/engine/engine.h"
#include "sim/run/run_command.h"

namespace mpquic::sim {

inline constexpr const char* kProgram = "mpquic-sim";

inline constexpr const char* kRunExamples =
    "Examples:\n"
    "  mpquic-sim run six-wan-bulk --seed 7\n"
    "  mpquic-sim run six-wan-bulk --seed 7 --set endpoints.cc=cubic --set paths.0.rate=5Mbit/s\n"
    "  mpquic-sim run six-wan-bulk --engine ngtcp2\n"
    "  mpquic-sim run scenarios/unequal-six.yaml --json report.json --qlog out/ --plot run.svg\n"
    "  mpquic-sim run lossy-lines --seeds 100 --csv lossy.csv\n"
    "  mpquic-sim run six-wan-bulk --explain\n";
inline constexpr const char* kExitStatus =
    "Exit status: 0 all checks hold, 1 an invariant or assertion is violated, 2 wrong usage or scenario.";

struct Arguments {
  std::string scenario;
  std::uint64_t seed = 1;
  RunRequest request;
  std::string crypto;
  std::string engine;
  std::string baseline;
  std::vector<std::string> overrides;
  std::uint64_t seeds = 0;  // 0: one run
  std::size_t jobs = 0;     // 0: one per core
  std::string csv;
  std::string json;       // of compare
  std::string directory;  // of list; empty: wherever find_scenario() looks
};

/// An option that takes a whole number, and no sign, fraction or leading zero that would mean something else.
void add_seed_option(CLI::App& command, const std::string& name, std::uint64_t& seed, const std::string& description);
void add_common_options(CLI::App& command, Arguments& arguments);

/// Prints one line; for `return complain(...)`.
[[nodiscard]] inline int complain(const std::string& what) { return complain(kProgram, what); }
/// The overrides that the command line comes down to.
[[nodiscard]] std::vector<std::string> overrides_of(const Arguments& arguments);
/// The command line itself wants null crypto, whatever the file says.
[[nodiscard]] bool wants_null_crypto(const Arguments& arguments);
inline constexpr const char* kNoNullCrypto = "--crypto null: ngtcp2 has real TLS only";
/// Empty in a build without ngtcp2.
[[nodiscard]] EngineFactory ngtcp2();

}  // namespace mpquic::sim
