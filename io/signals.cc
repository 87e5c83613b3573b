#include "io/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace mpquic::io {

Result<SignalWatch> SignalWatch::create(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int code = pthread_sigmask(SIG_BLOCK, &set, nullptr); code != 0)
    return system_error("cannot block signals", code);
  Descriptor fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return system_error("cannot watch signals", errno);
  return SignalWatch(std::move(fd));
}

std::optional<int> SignalWatch::take() {
  signalfd_siginfo info{};
  if (read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace mpquic::io
