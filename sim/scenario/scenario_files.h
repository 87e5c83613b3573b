// Where scenarios and profiles are found: by their file, or by their name from any folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mpquic::sim {

/// Names the directory that is searched first; the option --scenario-dir sets it.
inline constexpr const char* kScenariosVariable = "MPQUIC_SCENARIOS";

/// What is searched, in this order: kScenariosVariable's, scenarios/ here, the source tree that the program was built
/// from, and what was installed with the program. Only those that are there.
[[nodiscard]] std::vector<std::filesystem::path> scenario_directories();
/// The installed one of a program: relative to it, so that an installation can be moved.
[[nodiscard]] std::filesystem::path installed_scenarios(const std::filesystem::path& program);

/// The file of that name, or the scenario of that name in the first directory that has it; the name itself, for a
/// message, where there is neither.
[[nodiscard]] std::string find_scenario(const std::string& name);
/// All that find_scenario() finds by name, in the order of their names.
[[nodiscard]] std::vector<std::filesystem::path> scenario_files();

/// The file of the profile for a scenario in `source`: in wan/ beside it, or else in wan/ of the first directory that
/// has it. Where none does, the file that is missing.
[[nodiscard]] std::string profile_file(const std::string& name, const std::string& source);
/// All profiles that any scenario can name, in the order of their names.
[[nodiscard]] std::vector<std::filesystem::path> profile_files();

}  // namespace mpquic::sim
