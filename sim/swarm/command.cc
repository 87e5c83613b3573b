#include "sim/swarm/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <expected>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/base/standard_output.h"
#include "sim/base/trace_hash.h"
#include "sim/run/process_pool.h"
#include "sim/run/progress_line.h"
#include "sim/swarm/shrink.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim::swarm {
namespace {

constexpr const char* kProgram = "mpquic-sim";
/// Shrinking takes seconds each; a swarm that fails everywhere needs no more of them.
constexpr std::size_t kMostShrunk = 5;
/// All of them together: a failure that hangs takes two minutes for each run.
constexpr std::chrono::minutes kMostShrinkTime(5);
constexpr std::size_t kMostPrinted = 20;

[[nodiscard]] DrawOptions draw_options(const Arguments& arguments) {
  DrawOptions options{.crypto = arguments.crypto == "real" ? Crypto::real : Crypto::null};
  for (const auto bug : {InjectedBug::free_unacked, InjectedBug::nonce_without_path, InjectedBug::timer_on_send})
    if (arguments.bug == name_of(bug)) options.bug = bug;
  return options;
}

[[nodiscard]] std::string replay_of(const Arguments& arguments, std::uint64_t seed) {
  std::string command = fmt::format("mpquic-sim swarm --seeds 1 --first-seed {}", seed);
  if (arguments.crypto != "null") command += " --crypto " + arguments.crypto;
  if (arguments.bug != "none") command += " --inject " + arguments.bug;
  return command;
}

struct Failure {
  Outcome outcome;
  std::string replay;
  std::string file;       // of the smallest scenario; empty: not shrunk
  std::string unwritten;  // why it is in no file
  std::size_t paths = 0;
  std::size_t events = 0;
  std::size_t runs = 0;
  bool stopped = false;  // could be smaller
};

/// The file's name. The error is one line.
[[nodiscard]] std::expected<std::string, std::string> write_smallest(const Arguments& arguments, std::uint64_t seed,
                                                                     const Shrunk& shrunk) {
  const std::string name =
      arguments.bug == "none" ? fmt::format("swarm-{}", seed) : fmt::format("swarm-{}-{}", arguments.bug, seed);
  const std::string file = (std::filesystem::path(arguments.out) / (name + ".yaml")).string();
  if (auto made = io::make_directories(arguments.out); !made) return std::unexpected(std::move(made.error().message));
  auto out = OutputFile::create(file);
  if (!out) return std::unexpected(std::move(out).error());
  Case named = shrunk.smallest;
  named.top.set("name", name);
  out->write(to_yaml(named, {fmt::format("mpquic-sim run {} --seed {}", file, named.seed),
                             fmt::format("Shrunk from: {}", replay_of(arguments, seed)),
                             fmt::format("It showed: {}", shrunk.outcome.violations.front())}));
  if (auto closed = out->close(); !closed) return std::unexpected(std::move(closed).error());
  return file;
}

using Clock = std::chrono::steady_clock;

void shrink_failure(const Arguments& arguments, Failure& failure, const ProgressLine& line, Clock::time_point until) {
  const auto progress = [&](std::size_t runs, const Case& best) {
    line.show(fmt::format("shrinking seed {}: {} runs, {} paths, {} events, {} workloads", failure.outcome.seed, runs,
                          best.paths.size(), best.events.size(), best.workloads.size()));
    return Clock::now() < until;
  };
  const Shrunk shrunk = shrink(draw(failure.outcome.seed, draw_options(arguments)), failure.outcome, progress);
  line.clear();
  if (auto file = write_smallest(arguments, failure.outcome.seed, shrunk))
    failure.file = std::move(*file);
  else
    failure.unwritten = std::move(file).error();
  failure.paths = shrunk.smallest.paths.size();
  failure.events = shrunk.smallest.events.size();
  failure.runs = shrunk.runs;
  failure.stopped = shrunk.stopped;
}

void print_failures(const std::vector<Failure>& failures) {
  for (std::size_t i = 0; i < failures.size() && i < kMostPrinted; ++i) {
    const Failure& failure = failures[i];
    fmt::print("FAILED seed {}: {}\n  again:    {}\n", failure.outcome.seed, failure.outcome.violations.front(),
               failure.replay);
    if (!failure.unwritten.empty()) fmt::print("  smallest: {}\n", failure.unwritten);
    if (!failure.file.empty())
      fmt::print("  smallest: {} ({} paths, {} events, {} runs{})\n", failure.file, failure.paths, failure.events,
                 failure.runs, failure.stopped ? ", stopped: it may get smaller" : "");
  }
}

struct Summary {
  std::vector<Outcome> outcomes;
  std::vector<Failure> failures;
  std::uint64_t hash = 0;  // of all runs, in the order of seeds
  double wall_s = 0;
};

[[nodiscard]] std::string to_json(const Arguments& arguments, const Summary& summary) {
  nlohmann::ordered_json out{{"seeds", arguments.seeds},
                             {"first_seed", arguments.first_seed},
                             {"crypto", arguments.crypto},
                             {"inject", arguments.bug},
                             {"violations", summary.failures.size()},
                             {"hash", fmt::format("{:016x}", summary.hash)},
                             {"wall_s", summary.wall_s}};
  auto& failures = out["failures"] = nlohmann::ordered_json::array();
  for (const Failure& failure : summary.failures)
    failures.push_back({{"seed", failure.outcome.seed},
                        {"violations", failure.outcome.violations},
                        {"replay", failure.replay},
                        {"scenario", failure.file},
                        {"paths", failure.paths},
                        {"events", failure.events},
                        {"shrink_runs", failure.runs},
                        {"shrink_stopped", failure.stopped}});
  auto& runs = out["runs"] = nlohmann::ordered_json::array();
  for (const Outcome& run : summary.outcomes)
    runs.push_back({{"seed", run.seed}, {"trace_hash", fmt::format("{:016x}", run.hash)}, {"events", run.events}});
  return out.dump(1) + "\n";
}

[[nodiscard]] Summary run_swarm(const Arguments& arguments, const ProgressLine& line) {
  const auto began = std::chrono::steady_clock::now();
  std::size_t over = 0;
  std::size_t failed = 0;
  Summary summary;
  summary.outcomes =
      run_all({.count = arguments.seeds,
               .jobs = arguments.jobs == 0 ? default_processes() : arguments.jobs,
               .make = [&](std::size_t i) { return draw(arguments.first_seed + i, draw_options(arguments)); },
               .done =
                   [&](const Outcome& outcome) {
                     failed += outcome.failed();
                     line.show(fmt::format("swarm: {} of {} seeds, {} failed", ++over, arguments.seeds, failed));
                   }});
  line.clear();
  TraceHash hash;
  for (const Outcome& outcome : summary.outcomes) {
    hash.add(outcome.hash);
    if (outcome.failed())
      summary.failures.push_back({.outcome = outcome, .replay = replay_of(arguments, outcome.seed)});
  }
  summary.hash = hash.value();
  summary.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return summary;
}

}  // namespace

int run(const Arguments& arguments) {
  if (arguments.bug != "none" && !kBugsCanBeInjected) {
    return complain(
        kProgram, fmt::format("--inject {0}: this build has no bugs to inject; ./dev sim swarm --inject {0} makes one",
                              arguments.bug));
  }
  if (arguments.print) {
    for (std::uint64_t i = 0; i < arguments.seeds; ++i)
      fmt::print("{}", to_yaml(draw(arguments.first_seed + i, draw_options(arguments))));
    return kOk;
  }
  auto json = OptionalOutput::open(arguments.json);
  if (!json) return complain(kProgram, json.error());
  if (arguments.shrink)
    if (auto writable = check_directory(arguments.out); !writable) return complain(kProgram, writable.error());
  const ProgressLine line;
  Summary summary = run_swarm(arguments, line);
  const auto until = Clock::now() + kMostShrinkTime;
  for (std::size_t i = 0; arguments.shrink && i < summary.failures.size() && i < kMostShrunk; ++i)
    shrink_failure(arguments, summary.failures[i], line, until);
  if (arguments.json != kStandardOutput) print_failures(summary.failures);
  if (arguments.json != kStandardOutput)
    fmt::print("swarm: {} seeds from {}, {} failed, {:.1f} s, hash {:016x}\n", arguments.seeds, arguments.first_seed,
               summary.failures.size(), summary.wall_s, summary.hash);
  if (auto written = json->finish([&] { return to_json(arguments, summary); }); !written)
    return complain(kProgram, written.error());
  if (std::ranges::any_of(summary.failures, [](const Failure& failure) { return !failure.unwritten.empty(); }))
    return complain(kProgram, fmt::format("{}: smallest scenarios could not be written", arguments.out));
  return summary.failures.empty() ? kOk : kViolated;
}

}  // namespace mpquic::sim::swarm
