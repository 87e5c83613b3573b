#include "sim/cli/traces.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "sim/base/standard_output.h"
#include "sim/trace/divergence.h"
#include "sim/trace/qvis.h"

extern char** environ;  // POSIX declares it nowhere

namespace mpquic::sim {
namespace {

constexpr int kEqual = 0;
constexpr int kDifferent = 1;

[[nodiscard]] int refuse(const std::string& what) { return complain("mpquic-sim", what); }

/// A directory for two recordings, gone with the object.
class Scratch {
 public:
  Scratch() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "mpquic-diff-XXXXXX").string();
    if (!error && ::mkdtemp(name.data()) != nullptr) name_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!name_.empty()) std::filesystem::remove_all(name_, ignored);
  }
  [[nodiscard]] bool ok() const { return !name_.empty(); }
  [[nodiscard]] std::string file(const char* name) const { return name_ + "/" + name; }

 private:
  std::string name_;
};

/// Has another build run the scenario. That its checks fail (exit code 1) is no obstacle.
[[nodiscard]] std::expected<void, std::string> record_there(const DiffArguments& arguments, const std::string& file) {
  std::vector<std::string> words = {
      arguments.against, "run", arguments.a, "--seed", fmt::to_string(arguments.seed), "--quiet", "--record", file};
  if (!arguments.crypto.empty()) words.insert(words.end(), {"--crypto", arguments.crypto});
  for (const std::string& change : arguments.overrides) words.insert(words.end(), {"--set", change});
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (const int error = ::posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ); error != 0)
    return std::unexpected(fmt::format("{}: {}", arguments.against, std::strerror(error)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 1) && std::filesystem::exists(file))
    return {};
  return std::unexpected(fmt::format("{} did not record the run: does it know --record?", arguments.against));
}

[[nodiscard]] int compare(const std::string& first, const std::string& second) {
  auto a = EventFile::open(first);
  if (!a) return refuse(a.error());
  auto b = EventFile::open(second);
  if (!b) return refuse(b.error());
  if (a->scenario() != b->scenario() || a->seed() != b->seed())
    fmt::print("note: different runs: {} seed {}, and {} seed {}\n", a->scenario(), a->seed(), b->scenario(),
               b->seed());
  const auto found = find_divergence(*a, *b);
  if (!found) return refuse(found.error());
  fmt::print("{}", found->text);
  return found->equal ? kEqual : kDifferent;
}

}  // namespace

void add_trace_options(CLI::App& command, TraceOptions& options) {
  CLI::Option* qlog = command
                          .add_option("--qlog", options.qlog,
                                      "Write qlogs of our engine's endpoints and of the network to this directory")
                          ->type_name("DIR");
  command.add_flag("--qvis", options.qvis, "Also split them by path, for the qvis viewer")->needs(qlog);
  CLI::Option* pcap = command
                          .add_option("--pcap", options.pcap,
                                      "Capture one host's datagrams as pcapng, with the keys inside: for tshark")
                          ->type_name("FILE");
  command
      .add_option_function<std::string>(
          "--vantage",
          [&options](const std::string& side) { options.vantage = side == "client" ? Role::client : Role::server; },
          "Whose datagrams --pcap captures")
      ->default_str("client")
      ->check(CLI::IsMember({"client", "server"}))
      ->needs(pcap);
  command.add_option("--keylog", options.keylog, "Write TLS secrets to this file (NSS key log)")->type_name("FILE");
  command.add_option("--record", options.record, "Record every event to this file, for mpquic-sim diff")
      ->type_name("FILE");
}

CLI::App* add_qvis_command(CLI::App& app, QvisArguments& arguments) {
  CLI::App* command = app.add_subcommand("qvis", "Split qlogs by path into what the qvis viewer loads");
  command->add_option("traces", arguments.traces, "Endpoints' .sqlog files of mpquic-sim or mpquic-perf")->required();
  command->add_option("--out", arguments.directory, "Directory for the .qlog files")->capture_default_str();
  command->footer(
      "One file for each path: packet numbers belong to a path, and qvis knows one space of them.\n"
      "Example: mpquic-sim qvis out/six-wan-bulk-client.sqlog --out out/");
  return command;
}

int run_qvis(const QvisArguments& arguments) {
  std::vector<QvisConversion> conversions;  // all can be read and written before any is begun
  for (const std::string& trace : arguments.traces) {
    auto conversion = QvisConversion::open(trace, arguments.directory);
    if (!conversion) return refuse(conversion.error());
    conversions.push_back(std::move(*conversion));
  }
  for (QvisConversion& conversion : conversions) {
    const auto files = conversion.finish();
    if (!files) return refuse(files.error());
    for (const std::string& file : *files) fmt::print("{}\n", file);
  }
  return kEqual;
}

CLI::App* add_diff_command(CLI::App& app, DiffArguments& arguments) {
  CLI::App* command = app.add_subcommand("diff", "Find the first event in which two runs differ");
  command->add_option("a", arguments.a, "A recording (mpquic-sim run --record); with --against: the scenario")
      ->required();
  CLI::Option* b = command->add_option("b", arguments.b, "The other recording");
  CLI::Option* against =
      command->add_option("--against", arguments.against, "Another build's mpquic-sim: run the scenario in both")
          ->excludes(b);
  command->add_option("--seed", arguments.seed, "Of the scenario")->needs(against)->capture_default_str();
  command->add_option("--crypto", arguments.crypto, "As for run")
      ->needs(against)
      ->check(CLI::IsMember({"real", "null"}));
  command->add_option("--set", arguments.overrides, "As for run")
      ->type_name("KEY=VALUE")
      ->needs(against)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->footer(
      "Exit status: 0 equal, 1 different, 2 wrong usage.\n"
      "Examples:\n"
      "  mpquic-sim diff a.rec b.rec\n"
      "  mpquic-sim diff silent-death --seed 7 --against build/dev/bin/mpquic-sim");
  return command;
}

int run_diff(const DiffArguments& arguments, const RecordHere& record_here) {
  if (arguments.against.empty()) {
    if (arguments.b.empty()) return refuse("diff: give two recordings, or a scenario and --against");
    return compare(arguments.a, arguments.b);
  }
  const Scratch scratch;
  if (!scratch.ok()) return refuse("diff: no temporary directory can be made");
  if (auto recorded = record_here(scratch.file("a")); !recorded) return refuse(recorded.error());
  if (auto recorded = record_there(arguments, scratch.file("b")); !recorded) return refuse(recorded.error());
  fmt::print("A: this build, B: {}\n", arguments.against);
  return compare(scratch.file("a"), scratch.file("b"));
}

}  // namespace mpquic::sim
