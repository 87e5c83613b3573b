// What the programs print: errors of standard output end in an exit code, and "-" names it where a file is asked for.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mpquic::sim {

inline constexpr std::string_view kStandardOutput = "-";

/// To a file, or to standard output. False if the file cannot be written.
[[nodiscard]] bool write_text(const std::string& file, const std::string& text);

/// Runs the program and gives its exit code; 1 and a message instead of success where standard output got lost, on a
/// full disk for example.
[[nodiscard]] int run_checked(std::string_view program, const std::function<int()>& body);

}  // namespace mpquic::sim
