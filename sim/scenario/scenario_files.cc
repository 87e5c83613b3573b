#include "sim/scenario/scenario_files.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

namespace mpquic::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHere = "scenarios";
constexpr const char* kProfiles = "wan";
constexpr const char* kExtension = ".yaml";

[[nodiscard]] std::optional<fs::path> find_in(const std::vector<fs::path>& directories, const std::string& name) {
  std::error_code error;
  for (const fs::path& directory : directories)
    if (const fs::path file = directory / (name + kExtension); fs::is_regular_file(file, error)) return file;
  return std::nullopt;
}

[[nodiscard]] std::vector<fs::path> profile_directories() {
  std::vector<fs::path> directories = scenario_directories();
  for (fs::path& directory : directories) directory /= kProfiles;
  return directories;
}

/// Those of the first directories hide others of the same name.
[[nodiscard]] std::vector<fs::path> files_in(const std::vector<fs::path>& directories) {
  std::map<std::string, fs::path> by_name;
  std::error_code error;
  for (const fs::path& directory : directories)
    for (const auto& entry : fs::directory_iterator(directory, error))
      if (entry.path().extension() == kExtension) by_name.try_emplace(entry.path().stem().string(), entry.path());
  std::vector<fs::path> files;
  files.reserve(by_name.size());
  for (auto& [name, file] : by_name) files.push_back(std::move(file));
  return files;
}

}  // namespace

fs::path installed_scenarios(const fs::path& program) {
  return (program.parent_path() / MPQUIC_SCENARIOS_FROM_PROGRAM).lexically_normal();
}

std::vector<fs::path> scenario_directories() {
  std::error_code error;
  const char* chosen = std::getenv(kScenariosVariable);
  std::vector<fs::path> directories = {chosen == nullptr ? "" : chosen, kHere, MPQUIC_SCENARIOS_OF_SOURCE,
                                       installed_scenarios(fs::read_symlink("/proc/self/exe", error))};
  std::erase_if(directories, [&](const fs::path& directory) { return !fs::is_directory(directory, error); });
  return directories;
}

std::string find_scenario(const std::string& name) {
  std::error_code error;
  if (fs::is_regular_file(name, error) || name.find('/') != std::string::npos) return name;
  const auto found = find_in(scenario_directories(), name);
  return found ? found->string() : name;
}

std::vector<fs::path> scenario_files() { return files_in(scenario_directories()); }

std::string profile_file(const std::string& name, const std::string& source) {
  std::vector<fs::path> directories = {fs::path(source).parent_path() / kProfiles};
  for (fs::path& directory : profile_directories()) directories.push_back(std::move(directory));
  const auto found = find_in(directories, name);
  return (found ? *found : directories.front() / (name + kExtension)).string();
}

std::vector<fs::path> profile_files() { return files_in(profile_directories()); }

}  // namespace mpquic::sim
