#include "sim/swarm/run.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/simulation.h"

namespace mpquic::sim::swarm {
namespace {

/// A case has less than a million.
constexpr std::uint64_t kMostEvents = 20'000'000;
/// Of wall time, for a case that no simulated limit ends.
constexpr unsigned kHangSeconds = 120;
constexpr std::size_t kKeptViolations = 5;

[[nodiscard]] std::string encode(std::size_t index, const Outcome& outcome) {
  nlohmann::json out{index, outcome.seed, outcome.hash, outcome.events, outcome.violations};
  return out.dump() + "\n";
}

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written <= 0) ::_exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A process that runs every `step`-th case and writes a line for each.
class Worker {
 public:
  Worker(const Batch& batch, std::size_t first, std::size_t step) : batch_(batch), next_(first), step_(step) {
    start();
  }
  [[nodiscard]] int file() const { return file_; }
  [[nodiscard]] bool over() const { return file_ < 0; }

  void on_readable(std::vector<Outcome>& outcomes) {
    char chunk[65536];
    const ssize_t got = ::read(file_, chunk, sizeof(chunk));
    if (got > 0) {
      text_.append(chunk, static_cast<std::size_t>(got));
      for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        take(text_.substr(0, end), outcomes);
        text_.erase(0, end + 1);
      }
      return;
    }
    const int status = reap();
    if (next_ >= batch_.count) return;
    Outcome& died = outcomes[next_];
    died.seed = batch_.make(next_).seed;
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    died.violations = {signal == SIGALRM ? std::string("hangs: no simulated limit ends it")
                                         : fmt::format("the process dies: signal {}, status {}", signal,
                                                       WIFEXITED(status) ? WEXITSTATUS(status) : 0)};
    batch_.done(died);
    next_ += step_;
    start();
  }

 private:
  void start() {
    if (next_ >= batch_.count) return;
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return;
    std::fflush(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      for (std::size_t i = next_; i < batch_.count; i += step_) {
        ::alarm(kHangSeconds);
        write_all(ends[1], encode(i, run_here(batch_.make(i))));
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    file_ = ends[0];
  }
  int reap() {
    ::close(file_);
    file_ = -1;
    int status = 0;
    ::waitpid(child_, &status, 0);
    return status;
  }
  void take(const std::string& line, std::vector<Outcome>& outcomes) {
    const auto in = nlohmann::json::parse(line);
    Outcome& outcome = outcomes[in[0].get<std::size_t>()];
    outcome = {.seed = in[1].get<std::uint64_t>(),
               .hash = in[2].get<std::uint64_t>(),
               .events = in[3].get<std::uint64_t>(),
               .violations = in[4].get<std::vector<std::string>>()};
    next_ = in[0].get<std::size_t>() + step_;
    batch_.done(outcome);
  }

  const Batch& batch_;
  std::size_t next_;
  std::size_t step_;
  pid_t child_ = -1;
  int file_ = -1;
  std::string text_;
};

}  // namespace

std::string kind_of(const Outcome& outcome) {
  if (!outcome.failed()) return {};
  std::string kind = outcome.violations.front();
  if (const auto at = kind.find(" s: "); at != std::string::npos) kind.erase(0, at + 4);
  // Which side notices first depends on little.
  for (const std::string_view side : {"client: ", "server: "})
    if (kind.starts_with(side)) kind.erase(0, side.size());
  std::erase_if(kind, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return kind;
}

Outcome run_here(const Case& drawn) {
  Outcome outcome{.seed = drawn.seed};
  const auto scenario = to_scenario(drawn);
  if (!scenario) {
    outcome.violations = {"no scenario: " + scenario.error()};
    return outcome;
  }
  Simulation simulation(*scenario, {.seed = drawn.seed});
  simulation.start();
  while (outcome.events < kMostEvents && simulation.step()) ++outcome.events;
  if (outcome.events == kMostEvents)
    simulation.violations().add(simulation.world().now(), "more events than any run needs");
  const Report report = simulation.finish(0);
  outcome.hash = report.trace_hash;
  for (const Violation& violation : report.violations) {
    if (outcome.violations.size() == kKeptViolations) break;
    outcome.violations.push_back(
        fmt::format("{:.6f} s: {}", to_seconds(violation.at.time_since_epoch()), violation.what));
  }
  return outcome;
}

std::vector<Outcome> run_all(const Batch& batch) {
  std::vector<Outcome> outcomes(batch.count);
  const std::size_t jobs = std::max<std::size_t>(1, std::min(batch.jobs, batch.count));
  std::vector<Worker> workers;
  workers.reserve(jobs);
  for (std::size_t i = 0; i < jobs; ++i) workers.emplace_back(batch, i, jobs);
  while (!std::ranges::all_of(workers, &Worker::over)) {
    std::vector<pollfd> files;
    files.reserve(workers.size());
    for (const Worker& worker : workers) files.push_back({.fd = worker.file(), .events = POLLIN, .revents = 0});
    if (::poll(files.data(), files.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < workers.size(); ++i)
      if (files[i].revents != 0) workers[i].on_readable(outcomes);
  }
  return outcomes;
}

Outcome run_apart(const Case& drawn) {
  return run_all({.count = 1, .jobs = 1, .make = [&](std::size_t) { return drawn; }, .done = [](const Outcome&) {}})
      .front();
}

}  // namespace mpquic::sim::swarm
