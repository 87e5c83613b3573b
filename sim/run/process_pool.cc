#include "sim/run/process_pool.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace mpquic::sim {
namespace {

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written <= 0) ::_exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A process that runs every `step`-th job and writes a line for each: the job's number, a blank, its result.
class Worker {
 public:
  Worker(const JobBatch& batch, std::size_t first, std::size_t step) : batch_(batch), next_(first), step_(step) {
    start();
  }
  [[nodiscard]] int file() const { return file_; }
  [[nodiscard]] bool over() const { return file_ < 0; }

  void on_readable() {
    char chunk[65536];
    const ssize_t got = ::read(file_, chunk, sizeof(chunk));
    if (got > 0) {
      text_.append(chunk, static_cast<std::size_t>(got));
      for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        take(std::string_view(text_).substr(0, end));
        text_.erase(0, end + 1);
      }
      return;
    }
    const int status = reap();
    if (next_ >= batch_.count) return;
    text_.clear();  // the beginning of what it did not finish
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    batch_.died(next_, signal == SIGALRM ? std::string("hangs: no simulated limit ends it")
                                         : fmt::format("the process dies: signal {}, status {}", signal,
                                                       WIFEXITED(status) ? WEXITSTATUS(status) : 0));
    next_ += step_;
    start();
  }

 private:
  void start() {
    if (next_ >= batch_.count) return;
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return give_up(errno);
    std::fflush(nullptr);
    child_ = ::fork();
    if (child_ < 0) {
      const int error = errno;
      ::close(ends[0]);
      ::close(ends[1]);
      return give_up(error);
    }
    if (child_ == 0) {
      ::close(ends[0]);
      for (std::size_t i = next_; i < batch_.count; i += step_) {
        ::alarm(batch_.hang_seconds);
        write_all(ends[1], fmt::format("{} {}\n", i, batch_.run(i)));
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    file_ = ends[0];
  }
  void give_up(int error) {
    for (; next_ < batch_.count; next_ += step_)
      batch_.died(next_, fmt::format("no process can be started: {}", std::strerror(error)));
  }
  int reap() {
    ::close(file_);
    file_ = -1;
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {}
    return status;
  }
  void take(std::string_view line) {
    std::size_t job = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), job);
    next_ = job + step_;
    batch_.done(job, std::string(line.substr(static_cast<std::size_t>(end - line.data()) + 1)));
  }

  const JobBatch& batch_;
  std::size_t next_;
  std::size_t step_;
  pid_t child_ = -1;
  int file_ = -1;
  std::string text_;
};

}  // namespace

void run_in_processes(const JobBatch& batch) {
  const std::size_t processes = std::max<std::size_t>(1, std::min(batch.processes, batch.count));
  std::vector<Worker> workers;
  workers.reserve(processes);
  for (std::size_t i = 0; i < processes; ++i) workers.emplace_back(batch, i, processes);
  while (!std::ranges::all_of(workers, &Worker::over)) {
    std::vector<pollfd> files;
    files.reserve(workers.size());
    for (const Worker& worker : workers) files.push_back({.fd = worker.file(), .events = POLLIN, .revents = 0});
    if (::poll(files.data(), files.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < workers.size(); ++i)
      if (files[i].revents != 0) workers[i].on_readable();
  }
}

std::size_t default_processes() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace mpquic::sim
