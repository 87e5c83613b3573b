// mpquic-sim: runs scenarios in the discrete-event simulator.
#include "sim/base/standard_output.h"
#include "sim/cli/command_line.h"
#include "sim/cli/commands.h"
#include "sim/run/ns3_launch.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] int run_program(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Runs scenarios over the multipath QUIC stack in a deterministic simulator.", kProgram);
  app.set_version_flag("--version", std::string(MPQUIC_VERSION));
  app.require_subcommand(1);
  app.footer(std::string(kRunExamples) +
             "  mpquic-sim list\n  mpquic-sim compare six-wan-bulk\n  mpquic-sim swarm --seeds 1000 --crypto null\n"
             "  mpquic-sim profile starlink --plot starlink.svg\n\nEach command has its own --help.\n" +
             kExitStatus);
  add_run_commands(app, arguments);
  const CLI::App* compare_command = add_compare_command(app, arguments);
  const CLI::App* list_command = add_list_command(app, arguments);
  swarm::Arguments swarm_arguments;
  const CLI::App* swarm_command = add_swarm_command(app, swarm_arguments);
  ProfileRequest request;
  const CLI::App* profile_command = add_profile_command(app, request);
  DiffArguments diff;
  const CLI::App* diff_command = add_diff_command(app, diff);
  QvisArguments qvis;
  const CLI::App* qvis_command = add_qvis_command(app, qvis);
  if (const auto over = parse_command_line(app, argc, argv)) return *over;
  if (compare_command->parsed()) return compare(arguments);
  if (list_command->parsed()) return list(arguments);
  if (swarm_command->parsed()) return swarm::run(swarm_arguments);
  if (profile_command->parsed()) return profile(request);
  if (diff_command->parsed()) return run_diff(diff, [&diff](const std::string& file) { return record(diff, file); });
  if (qvis_command->parsed()) return run_qvis(qvis);
  return run(arguments);
}

}  // namespace
}  // namespace mpquic::sim

int main(int argc, char** argv) {
  using namespace mpquic::sim;
  if (const auto failed = become_ns3(argc, argv)) return *failed;
  return run_checked(kProgram, [&] { return run_program(argc, argv); });
}
