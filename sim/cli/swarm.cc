#include "sim/cli/commands.h"

namespace mpquic::sim {

namespace {

constexpr const char* kSwarmExamples =
    "Examples:\n"
    "  mpquic-sim swarm --seeds 1000 --crypto null\n"
    "  mpquic-sim swarm --first-seed 41 --seeds 1 --print\n"
    "  mpquic-sim swarm --seeds 1000 --crypto null --inject timer-on-send --out shrunk/\n";

}  // namespace

CLI::App* add_swarm_command(CLI::App& app, swarm::Arguments& arguments) {
  CLI::App* command = app.add_subcommand("swarm", "Run random scenarios, one per seed, with faults that heal");
  command->add_option("--seeds", arguments.seeds, "How many")->capture_default_str()->check(CLI::Range(1, 100'000'000));
  add_seed_option(*command, "--first-seed", arguments.first_seed, "The first of them");
  command->add_option("--jobs,-j", arguments.jobs, "Processes at a time (default: one per core)")
      ->check(CLI::Range(1, 1024));
  command->add_option("--crypto", arguments.crypto, "real: TLS 1.3 and AEADs. null: neither, for speed")
      ->capture_default_str()
      ->check(CLI::IsMember({"real", "null"}));
  command->add_option("--inject", arguments.bug, "A bug on purpose, which the swarm has to find")
      ->check(CLI::IsMember({"none", "free-unacked", "nonce-without-path", "timer-on-send"}));
  command->add_option("--json", arguments.json,
                      "Write hashes and failures to this file; -: to standard output, instead of the text");
  command->add_option("--out", arguments.out, "Where smallest scenarios are written to")->capture_default_str();
  command->add_flag_callback(
      "--no-shrink", [&arguments] { arguments.shrink = false; }, "Report failures as they are");
  command->add_flag("--print", arguments.print, "Print the scenarios of the seeds instead of running them");
  command->footer(std::string(kSwarmExamples) + "\n" + kExitStatus);
  return command;
}

}  // namespace mpquic::sim
