#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "io/event_loop.h"
#include "io/interfaces.h"
#include "io/signals.h"
#include "io/system_clock.h"
#include "io/system_rng.h"
#include "tunnel/perf/credentials.h"
#include "tunnel/perf/engine.h"
#include "tunnel/perf/report.h"
#include "tunnel/perf/run.h"
#include "tunnel/perf/server_app.h"

namespace mpquic::perf {
namespace {

constexpr Duration kClosingLimit = std::chrono::seconds(1);
constexpr std::size_t kMaxRecords = 10000;  // of ended connections in the JSON report

/// "ADDR:PORT", "[ADDR]:PORT" or "if:NAME:PORT".
[[nodiscard]] io::Result<io::UdpSocketOptions> parse_listen(const std::string& text) {
  io::UdpSocketOptions options;
  if (const auto address = io::parse_socket_address(text)) {
    options.local = *address;
    return options;
  } else if (text.find('%') != std::string::npos) {  // of a zone it says what is wrong
    return io::failure(fmt::format("--listen {}: {}", text, address.error().message));
  }
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : SocketAddress::parse("0.0.0.0" + text.substr(colon));
  if (!port || !text.starts_with("if:") || colon < 3)
    return io::failure(fmt::format("--listen {}: want ADDR:PORT, [ADDR]:PORT or if:NAME:PORT", text));
  auto binding = io::resolve_binding(text.substr(0, colon), IpAddress::Family::none);
  if (!binding) return std::unexpected(std::move(binding).error());
  options.local = {binding->ip, port->port};
  options.device = binding->device;
  return options;
}

class Server {
 public:
  Server(const ServerOptions& options, OnListening on_listening)
      : options_(options), on_listening_(std::move(on_listening)) {}
  [[nodiscard]] int run();

 private:
  [[nodiscard]] io::Result<void> set_up();
  [[nodiscard]] io::Result<void> listen();
  void on_turn(Instant now);
  [[nodiscard]] int finish();

  const ServerOptions& options_;
  OnListening on_listening_;
  io::SystemRng rng_;
  std::optional<io::SignalWatch> signals_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<io::EventLoop> loop_;
  std::optional<ReportFile> report_file_;
  std::optional<ServerApp> app_;
  std::vector<ConnectionRecord> records_;
  bool closing_ = false;
};

int Server::run() {
  if (auto ready = set_up(); !ready) return complain(kExitUsage, ready.error().message);
  // Who waits for the address and the pin would wait for ever.
  if (std::fflush(stdout) != 0) return kExitFailed;
  if (auto ran = loop_->run(); !ran) return complain(kExitFailed, ran.error().message);
  return finish();
}

io::Result<void> Server::set_up() {
  auto signals = io::SignalWatch::create({SIGINT, SIGTERM});
  if (!signals) return std::unexpected(std::move(signals).error());
  signals_ = std::move(*signals);

  std::string pin;
  const auto credentials = load_credentials(options_, rng_, pin);
  if (!credentials) return io::failure(credentials.error());
  ServerAppOptions app{.stream_send_buffer = options_.common.connection.send_buffer};
  if (!options_.root.empty()) {
    auto root = io::Directory::open(options_.root);
    if (!root) return std::unexpected(std::move(root).error());
    app.root = std::move(*root);
  }
  auto engine = make_server_engine(options_, *credentials, rng_);
  if (!engine) return io::failure(engine.error());
  engine_ = std::move(*engine);
  app_.emplace(engine_->transport(), std::move(app));

  auto loop = io::EventLoop::create(engine_->transport());
  if (!loop) return std::unexpected(std::move(loop).error());
  loop_ = std::move(*loop);
  auto report_file = ReportFile::create(options_.common.json_file);
  if (!report_file) return std::unexpected(std::move(report_file).error());
  report_file_ = std::move(*report_file);
  if (auto listening = listen(); !listening) return listening;
  if (!pin.empty()) fmt::print("pin {}\n", pin);
  loop_->set_handler([this](Instant now) { on_turn(now); });
  return loop_->watch(signals_->fd(), [this](Instant) {
    while (signals_->take()) loop_->stop();
  });
}

io::Result<void> Server::listen() {
  std::vector<SocketAddress> addresses;
  for (const std::string& text : options_.listen) {
    auto socket = parse_listen(text);
    if (!socket) return std::unexpected(std::move(socket).error());
    socket->gso = socket->gro = options_.common.segmentation_offload;
    const auto local = loop_->add_socket(*socket);
    if (!local) return std::unexpected(local.error());
    addresses.push_back(*local);
  }
  for (const SocketAddress& address : addresses) {
    fmt::print("listening {}\n", io::text_of(address));
    if (on_listening_) on_listening_(address);
  }
  return {};
}

void Server::on_turn(Instant now) {
  while (const auto event = engine_->transport().poll_event()) {
    if (const auto* handshake = std::get_if<HandshakeCompleted>(&event->what))
      spdlog::info("connection {}: {}{}{}", event->connection.value(), handshake->alpn,
                   handshake->multipath ? ", multipath" : "", handshake->resumed ? ", resumed" : "");
    if (const auto* path = std::get_if<PathChanged>(&event->what))
      spdlog::debug("connection {} {} from {}: {} {}", event->connection.value(), name_of_path(*path),
                    io::text_of(path->tuple.remote), name_of_change(path->change), path->reason);
    app_->on_event(*event, now);
  }
  for (ConnectionRecord& record : app_->take_finished()) {
    spdlog::info("{}", summary(record));
    if (records_.size() == kMaxRecords) records_.erase(records_.begin());
    records_.push_back(std::move(record));
    if (options_.once && records_.back().served() && !closing_) loop_->stop();
  }
}

int Server::finish() {
  closing_ = true;
  app_->shut_down(io::SystemClock::now());
  if (auto drained = loop_->drain(kClosingLimit); !drained) return complain(kExitFailed, drained.error().message);
  const auto written = report_file_->write(to_json(records_, io::SystemClock::cpu_time()));
  if (!written) return complain(kExitFailed, written.error().message);
  const auto only = std::ranges::find_if(records_, &ConnectionRecord::served);
  const bool failed = options_.once && only != records_.end() && only->closed && !is_clean(*only->closed);
  return failed ? kExitFailed : kExitOk;
}

}  // namespace

int run_server(const ServerOptions& options, OnListening on_listening) {
  return Server(options, std::move(on_listening)).run();
}

}  // namespace mpquic::perf
