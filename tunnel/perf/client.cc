#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "io/event_loop.h"
#include "io/interfaces.h"
#include "io/signals.h"
#include "io/system_clock.h"
#include "io/system_rng.h"
#include "tunnel/perf/client_app.h"
#include "tunnel/perf/credentials.h"
#include "tunnel/perf/engine.h"
#include "tunnel/perf/jobs.h"
#include "tunnel/perf/progress.h"
#include "tunnel/perf/report.h"
#include "tunnel/perf/run.h"

namespace mpquic::perf {
namespace {

constexpr Duration kClosingLimit = std::chrono::seconds(1);
constexpr Duration kTicketPatience = std::chrono::milliseconds(500);  // after the transfer, for a ticket to arrive

class Client {
 public:
  explicit Client(const ClientOptions& options) : options_(options) {}
  [[nodiscard]] int run();

 private:
  [[nodiscard]] io::Result<void> set_up();
  [[nodiscard]] io::Result<SocketAddress> find_server();
  [[nodiscard]] io::Result<std::vector<SocketAddress>> open_sockets(const SocketAddress& server);
  [[nodiscard]] io::Result<void> connect(const SocketAddress& server, const std::vector<SocketAddress>& locals);
  void on_turn(Instant now);
  void on_event(const Event& event, Instant now);
  void on_delivery_error(const io::DeliveryError& error);
  void show_progress(Instant now);
  [[nodiscard]] bool finished(Instant now);
  [[nodiscard]] int finish();
  [[nodiscard]] ClientReport report() const;

  const ClientOptions& options_;
  io::SystemRng rng_;
  std::optional<io::SignalWatch> signals_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<io::EventLoop> loop_;
  std::optional<ClientApp> app_;
  std::optional<Progress> progress_;
  ConnectionHandle connection_;
  Resumption resumption_;
  bool new_ticket_ = false;
  Instant started_{};
  Deadline timeout_;
  Deadline next_progress_;
  Deadline patience_;
  std::optional<std::string> error_;  // ours: interrupted, timed out
  std::vector<PathStats> paths_;
};

int Client::run() {
  if (auto ready = set_up(); !ready) return complain(kExitUsage, ready.error().message);
  if (auto ran = loop_->run(); !ran) return complain(kExitFailed, ran.error().message);
  return finish();
}

io::Result<void> Client::set_up() {
  auto signals = io::SignalWatch::create({SIGINT, SIGTERM});
  if (!signals) return std::unexpected(std::move(signals).error());
  signals_ = std::move(*signals);

  const auto credentials = load_credentials(options_);
  if (!credentials) return io::failure(credentials.error());
  if (!options_.ticket_file.empty()) {
    auto resumption = load_resumption(options_.ticket_file);
    if (!resumption) return io::failure(resumption.error());
    resumption_ = std::move(*resumption);
  }
  auto engine = make_client_engine(options_, *credentials, rng_);
  if (!engine) return io::failure(engine.error());
  engine_ = std::move(*engine);
  auto loop = io::EventLoop::create(engine_->transport());
  if (!loop) return std::unexpected(std::move(loop).error());
  loop_ = std::move(*loop);

  const auto server = find_server();
  if (!server) return std::unexpected(server.error());
  const auto locals = open_sockets(*server);
  if (!locals) return std::unexpected(locals.error());
  if (auto connected = connect(*server, *locals); !connected) return connected;
  loop_->set_handler([this](Instant now) { on_turn(now); });
  loop_->set_failure_handler([this](const io::DeliveryError& error) { on_delivery_error(error); });
  return loop_->watch(signals_->fd(), [this](Instant) {
    while (signals_->take()) {
      error_ = "interrupted";
      loop_->stop();
    }
  });
}

/// The family follows the first --path that is an address.
io::Result<SocketAddress> Client::find_server() {
  auto family = IpAddress::Family::none;
  for (const std::string& path : options_.paths)
    if (const auto ip = IpAddress::parse(path); ip && family == IpAddress::Family::none) family = ip->family();
  const auto ip = io::resolve_host(options_.host, family);
  if (!ip) return std::unexpected(ip.error());
  return SocketAddress{*ip, options_.port};
}

io::Result<std::vector<SocketAddress>> Client::open_sockets(const SocketAddress& server) {
  std::vector<io::LocalBinding> bindings;
  for (const std::string& text : options_.paths) {
    auto binding = io::resolve_binding(text, server.ip.family());
    if (!binding) return std::unexpected(std::move(binding).error());
    bindings.push_back(std::move(*binding));
  }
  if (bindings.empty()) {
    const auto source = io::route_source(server);
    if (!source) return std::unexpected(source.error());
    bindings.push_back({*source});
  }
  std::vector<SocketAddress> locals;
  for (const io::LocalBinding& binding : bindings) {
    io::UdpSocketOptions socket{.local = {binding.ip, 0}, .device = binding.device, .icmp_errors = true};
    socket.gso = socket.gro = options_.common.segmentation_offload;
    const auto local = loop_->add_socket(socket);
    if (!local) return std::unexpected(local.error());
    locals.push_back(*local);
  }
  return locals;
}

io::Result<void> Client::connect(const SocketAddress& server, const std::vector<SocketAddress>& locals) {
  started_ = io::SystemClock::now();
  const auto connection = engine_->connect({locals.front(), server}, resumption_, started_);
  if (!connection) return io::failure("cannot start a connection: " + connection.error());
  connection_ = *connection;
  for (std::size_t i = 1; i < locals.size(); ++i)
    if (const auto opened = engine_->open_path(connection_, {locals[i], server}, started_); !opened)
      return io::failure(fmt::format("cannot open a path from {}: {}", locals[i].to_string(), opened.error()));

  auto jobs = plan_jobs(options_);
  if (!jobs) return io::failure(jobs.error());
  std::uint64_t total = 0;
  for (const Job& job : jobs->jobs) total += job.download + job.upload;
  app_.emplace(engine_->transport(), connection_, std::move(*jobs));
  const bool terminal = io::is_terminal(STDERR_FILENO);
  if (options_.progress.value_or(terminal)) {
    progress_.emplace(options_.duration ? 0 : total, terminal);
    next_progress_ = started_ + Progress::kInterval;
  }
  if (options_.timeout) timeout_ = started_ + *options_.timeout;
  return {};
}

void Client::on_turn(Instant now) {
  while (const auto event = engine_->transport().poll_event()) on_event(*event, now);
  app_->on_turn(now);
  if (expired(next_progress_, now)) show_progress(now);
  if (!app_->done() && expired(timeout_, now))
    error_ = fmt::format("timed out after {:.1f} s", to_seconds(now - started_));
  if (error_ || finished(now)) return loop_->stop();
  const Deadline app = earlier(app_->next_deadline(), timeout_);
  loop_->set_application_deadline(earlier(earlier(app, next_progress_), patience_));
}

void Client::on_event(const Event& event, Instant now) {
  if (const auto* path = std::get_if<PathChanged>(&event.what))
    spdlog::log(path->change == PathChange::refused ? spdlog::level::warn : spdlog::level::debug, "{} {} -> {}: {} {}",
                name_of_path(*path), path->tuple.local.to_string(), path->tuple.remote.to_string(),
                name_of_change(path->change), path->reason);
  if (std::holds_alternative<HandshakeConfirmed>(event.what) && options_.key_update)
    engine_->update_keys(connection_, now);
  app_->on_event(event, now);
}

/// ICMP is not authenticated, so it ends nothing that has begun. Before the handshake's end it saves people from
/// waiting.
void Client::on_delivery_error(const io::DeliveryError& error) {
  if (app_->handshake() || error.failure == TransmitFailure::too_big || options_.paths.size() > 1) return;
  const std::string_view what = error.failure == TransmitFailure::refused ? "connection refused" : "unreachable";
  error_ = fmt::format("{}: {}", error.tuple.remote.to_string(), what);
  loop_->stop();
}

void Client::show_progress(Instant now) {
  paths_.clear();
  engine_->transport().path_stats(connection_, paths_);
  progress_->show(app_->bytes_downloaded() + app_->bytes_uploaded(), paths_, now);
  next_progress_ = now + Progress::kInterval;
}

/// The transfer has ended and, where a ticket was asked for, it has come or will not.
bool Client::finished(Instant now) {
  if (!options_.ticket_file.empty()) {
    Resumption fresh;
    engine_->take_resumption(connection_, fresh);
    if (!fresh.ticket.empty()) resumption_.ticket = std::move(fresh.ticket), new_ticket_ = true;
    if (!fresh.token.empty()) resumption_.token = std::move(fresh.token);
  }
  if (!app_->done()) return false;
  if (app_->failure() || options_.ticket_file.empty() || new_ticket_) return true;
  if (!patience_) patience_ = now + kTicketPatience;
  return expired(patience_, now);
}

ClientReport Client::report() const {
  ClientReport report;
  report.engine = options_.common.engine;
  report.congestion_control = options_.common.connection.congestion_control;
  report.scheduler = options_.common.connection.scheduler;
  report.downloaded = app_->bytes_downloaded();
  report.uploaded = app_->bytes_uploaded();
  report.cpu = io::SystemClock::cpu_time();
  report.documents = app_->results();
  report.paths = paths_;
  report.connection = engine_->transport().stats(connection_);
  report.error = error_ ? error_ : app_->failure();
  if (const auto& handshake = app_->handshake()) {
    report.alpn = handshake->alpn;
    report.multipath = handshake->multipath;
    report.resumed = handshake->resumed;
    report.handshake = app_->established() - started_;
    report.transfer = (app_->done() ? app_->ended() : io::SystemClock::now()) - app_->established();
  }
  return report;
}

int Client::finish() {
  if (progress_) progress_->end();
  paths_.clear();
  engine_->transport().path_stats(connection_, paths_);
  if (paths_.empty()) paths_ = app_->final_paths();
  const ClientReport result = report();
  engine_->transport().close(connection_, result.error ? kCancelled : kNoError, "", io::SystemClock::now());
  loop_->set_handler([this](Instant) {
    while (engine_->transport().poll_event()) {}
  });
  loop_->set_application_deadline(std::nullopt);
  const auto drained = loop_->drain(kClosingLimit);
  if (!options_.common.json_file.empty()) {
    const auto written = write_json(options_.common.json_file, to_json(result));
    if (!written) return complain(kExitFailed, written.error().message);
  }
  if (result.error) return complain(kExitFailed, *result.error);
  if (!drained) return complain(kExitFailed, drained.error().message);
  if (new_ticket_)
    if (const auto saved = save_resumption(options_.ticket_file, resumption_); !saved)
      return complain(kExitFailed, saved.error());
  if (options_.common.json_file != "-") fmt::print("{}\n", summary(result));
  return kExitOk;
}

}  // namespace

int run_client(const ClientOptions& options) { return Client(options).run(); }

int complain(int code, std::string_view text) {
  fmt::print(stderr, "mpquic-perf: {}\n", text);
  return code;
}

}  // namespace mpquic::perf
