#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "stack/base/overloaded.h"
#include "tunnel/perf/run.h"

namespace {

using namespace mpquic::perf;

void set_up_logging(const CommonOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("mpquic-perf", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%H:%M:%S.%e %l %v");
  logger->set_level(spdlog::level::from_str(options.log_level));
  spdlog::set_default_logger(std::move(logger));
}

/// The exit code, now that everything was printed: what did not arrive, on a full disk for example, is no success.
[[nodiscard]] int end(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return complain(code == kExitOk ? kExitFailed : code, "standard output cannot be written to the end");
}

[[nodiscard]] int run(const Command& command) {
  return std::visit(mpquic::overloaded{[](const ServerOptions& options) {
                                         set_up_logging(options.common);
                                         return run_server(options);
                                       },
                                       [](const ClientOptions& options) {
                                         set_up_logging(options.common);
                                         return run_client(options);
                                       }},
                    command);
}

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGPIPE, SIG_IGN);
  const auto command = parse_command_line(argc, argv);
  if (!command) {
    std::fputs((command.error().text + "\n").c_str(), command.error().code == kExitOk ? stdout : stderr);
    return end(command.error().code);
  }
  return end(run(*command));
} catch (const std::exception& error) {
  return complain(kExitFailed, error.what());
}
