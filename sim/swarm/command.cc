#include "sim/swarm/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/swarm/shrink.h"
#include "sim/trace_hash.h"

namespace mpquic::sim::swarm {
namespace {

enum ExitCode : int { kOk = 0, kViolated = 1, kUsage = 2 };
/// Shrinking takes seconds each; a swarm that fails everywhere needs no more of them.
constexpr std::size_t kMostShrunk = 5;
/// All of them together: a failure that hangs takes two minutes for each run.
constexpr std::chrono::minutes kMostShrinkTime(5);
constexpr std::size_t kMostPrinted = 20;

/// One line that is written again and again, on a terminal only.
class ProgressLine {
 public:
  ProgressLine() : shown_(::isatty(STDERR_FILENO) == 1) {}
  void show(const std::string& text) const {
    if (shown_) fmt::print(stderr, "\r\x1b[K{}", text);
  }
  void clear() const { show(""); }

 private:
  bool shown_;
};

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
  std::string file;  // of the smallest scenario; empty: not shrunk
  std::size_t paths = 0;
  std::size_t events = 0;
  std::size_t runs = 0;
  bool stopped = false;  // could be smaller
};

[[nodiscard]] std::string write_smallest(const Arguments& arguments, std::uint64_t seed, const Shrunk& shrunk) {
  const std::string name =
      arguments.bug == "none" ? fmt::format("swarm-{}", seed) : fmt::format("swarm-{}-{}", arguments.bug, seed);
  std::error_code error;
  std::filesystem::create_directories(arguments.out, error);
  const auto file = std::filesystem::path(arguments.out) / (name + ".yaml");
  Case named = shrunk.smallest;
  named.top.set("name", name);
  std::ofstream out(file, std::ios::binary);
  out << to_yaml(named, {fmt::format("mpquic-sim run {} --seed {}", file.string(), named.seed),
                         fmt::format("Shrunk from: {}", replay_of(arguments, seed)),
                         fmt::format("It showed: {}", shrunk.outcome.violations.front())});
  return out.flush() ? file.string() : std::string();
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
  failure.file = write_smallest(arguments, failure.outcome.seed, shrunk);
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
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::size_t over = 0;
  std::size_t failed = 0;
  Summary summary;
  summary.outcomes =
      run_all({.count = arguments.seeds,
               .jobs = arguments.jobs == 0 ? cores : arguments.jobs,
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
    fmt::print(stderr,
               "mpquic-sim: --inject {0}: this build has no bugs to inject; ./dev sim swarm --inject {0} makes one\n",
               arguments.bug);
    return kUsage;
  }
  if (arguments.print) {
    for (std::uint64_t i = 0; i < arguments.seeds; ++i)
      fmt::print("{}", to_yaml(draw(arguments.first_seed + i, draw_options(arguments))));
    return kOk;
  }
  const ProgressLine line;
  Summary summary = run_swarm(arguments, line);
  const auto until = Clock::now() + kMostShrinkTime;
  for (std::size_t i = 0; arguments.shrink && i < summary.failures.size() && i < kMostShrunk; ++i)
    shrink_failure(arguments, summary.failures[i], line, until);
  print_failures(summary.failures);
  fmt::print("swarm: {} seeds from {}, {} failed, {:.1f} s, hash {:016x}\n", arguments.seeds, arguments.first_seed,
             summary.failures.size(), summary.wall_s, summary.hash);
  if (!arguments.json.empty()) {
    std::ofstream out(arguments.json, std::ios::binary);
    out << to_json(arguments, summary);
    if (!out.flush()) {
      fmt::print(stderr, "mpquic-sim: {}: cannot be written\n", arguments.json);
      return kUsage;
    }
  }
  return summary.failures.empty() ? kOk : kViolated;
}

}  // namespace mpquic::sim::swarm
