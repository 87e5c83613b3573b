// What the programs print: errors of standard output end in an exit code, and "-" names it where a file is asked for.
#pragma once

#include <functional>
#include <string_view>

namespace mpquic::sim {

inline constexpr std::string_view kStandardOutput = "-";

/// Of every program here.
enum ExitCode : int { kOk = 0, kViolated = 1, kUsage = 2 };

/// Prints one line, "program: what", as an error; for `return complain(...)`.
[[nodiscard]] ExitCode complain(std::string_view program, std::string_view what);

/// Runs the program and gives its exit code; 1 and a message instead of success where standard output got lost, on a
/// full disk for example.
[[nodiscard]] int run_checked(std::string_view program, const std::function<int()>& body);

}  // namespace mpquic::sim
