#include "sim/run/ns3_launch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <vector>

namespace mpquic::sim {
namespace {

constexpr int kUsage = 2;
constexpr std::string_view kOption = "--engine";
constexpr std::string_view kNs3 = "ns3";

/// Takes `--engine ns3` out, and says whether it was there.
[[nodiscard]] bool take_engine(std::vector<char*>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == fmt::format("{}={}", kOption, kNs3)) {
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    if (word == kOption && i + 1 < words.size() && words[i + 1] == kNs3) {
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i), words.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<int> become_ns3(int argc, char** argv) {
  std::vector<char*> words(argv, argv + argc);
  if (argc < 2 || !take_engine(words)) return std::nullopt;
  const std::string_view command = words.size() > 1 ? words[1] : "";
  if (command != "run" && command != "replay") return std::nullopt;  // it knows no such option
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string program = (self.parent_path() / "mpquic-ns3").string();
  if (error || !std::filesystem::exists(program)) {
    fmt::print(stderr, "mpquic-sim: --engine ns3: {} is not there; install libns3-dev and build again\n", program);
    return kUsage;
  }
  std::string run = "run";
  words[0] = program.data();
  words[1] = run.data();
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  fmt::print(stderr, "mpquic-sim: {}: cannot be started\n", program);
  return kUsage;
}

}  // namespace mpquic::sim
