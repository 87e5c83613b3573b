#include "sim/cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cli/command_line.h"
#include "sim/scenario/units.h"
#ifdef MPQUIC_HAVE_NGTCP2
#include "sim/peers/ngtcp2_engine.h"
#endif

namespace mpquic::sim {

void add_seed_option(CLI::App& command, const std::string& name, std::uint64_t& seed, const std::string& description) {
  const auto take = [&seed, name](const std::string& text) {
    const auto value = parse_count(text);
    if (!value) throw CLI::ValidationError(name, fmt::format("expected {}, got '{}'", value.error(), text));
    seed = *value;
  };
  command.add_option_function<std::string>(name, take, description)
      ->type_name("UINT")
      ->default_str(std::to_string(seed));
}

void add_common_options(CLI::App& command, Arguments& arguments) {
  add_scenario_options(command, arguments.scenario);
  add_seed_option(command, "--seed", arguments.seed, "Everything random follows from it");
  command.add_option("--crypto", arguments.crypto, "real: TLS 1.3 and AEADs. null: neither, for speed")
      ->check(CLI::IsMember({"real", "null"}));
  command.add_option("--set", arguments.overrides, "Override a value of the scenario, like paths.0.rate=5Mbit/s")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::vector<std::string> overrides_of(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  if (!arguments.crypto.empty()) overrides.push_back("crypto=" + arguments.crypto);
  if (!arguments.engine.empty())
    for (const char* side : {"client", "server"})
      overrides.push_back(fmt::format("endpoints.{}.engine={}", side, arguments.engine));
  if (!arguments.baseline.empty()) overrides.push_back("baseline=" + arguments.baseline);
  return overrides;
}

bool wants_null_crypto(const Arguments& arguments) {
  return arguments.crypto == "null" ||
         std::ranges::find(arguments.overrides, "crypto=null") != arguments.overrides.end();
}

EngineFactory ngtcp2() {
#ifdef MPQUIC_HAVE_NGTCP2
  return peers::make_ngtcp2_engine;
#else
  return {};
#endif
}

}  // namespace mpquic::sim
