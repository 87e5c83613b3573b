#include "sim/standard_output.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <system_error>

namespace mpquic::sim {
namespace {

constexpr int kOutputLost = 1;

}  // namespace

bool write_text(const std::string& file, const std::string& text) {
  if (file == kStandardOutput) {
    fmt::print("{}", text);
    return true;
  }
  std::ofstream out(file, std::ios::binary);
  out << text;
  return static_cast<bool>(out.flush());
}

int run_checked(std::string_view program, const std::function<int()>& body) {
  int code = kOutputLost;
  try {
    code = body();
  } catch (const std::system_error&) {  // fmt::print, as soon as a buffer cannot be written
    if (std::ferror(stdout) == 0) throw;
  }
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::cout && std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "{}: standard output cannot be written to the end\n", program);
  return code == 0 ? kOutputLost : code;
}

}  // namespace mpquic::sim
