#include "sim/base/standard_output.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <system_error>

namespace mpquic::sim {
namespace {

constexpr int kOutputLost = 1;

}  // namespace

ExitCode complain(std::string_view program, std::string_view what) {
  fmt::print(stderr, "{}: {}\n", program, what);
  return kUsage;
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
