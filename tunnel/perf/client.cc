#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "io/event_loop.h"
#include "io/interfaces.h"
#include "io/signals.h"
#include "io/system_clock.h"
#include "io/system_rng.h"
#include "tunnel/perf/client_app.h"
#include "tunnel/perf/credentials.h"
#include "tunnel/perf/dialer.h"
#include "tunnel/perf/engine.h"
#include "tunnel/perf/jobs.h"
#include "tunnel/perf/progress.h"
#include "tunnel/perf/report.h"
#include "tunnel/perf/routes.h"
#include "tunnel/perf/run.h"

namespace mpquic::perf {
namespace {

constexpr Duration kClosingLimit = std::chrono::seconds(1);
constexpr Duration kPathRetry = std::chrono::seconds(5);              // after a path has ended: its line may be back
constexpr Duration kTicketPatience = std::chrono::milliseconds(500);  // after the transfer, for a ticket to arrive

class Client {
 public:
  explicit Client(const ClientOptions& options) : options_(options) {}
  [[nodiscard]] int run();

 private:
  [[nodiscard]] io::Result<void> set_up();
  [[nodiscard]] io::Result<void> start();
  [[nodiscard]] io::Result<SocketAddress> open_socket(const io::LocalBinding& binding);
  void on_turn(Instant now);
  void on_event(const Event& event, Instant now);
  void on_path(const PathChanged& path, Instant now);
  void on_connected(const HandshakeCompleted& handshake, Instant now);
  void open_paths(const HandshakeCompleted& handshake, Instant now);
  void open_path(std::size_t route, Instant now);
  void retry_paths(Instant now);
  void on_delivery_error(const io::DeliveryError& error);
  void migrate(Instant now);
  void show_progress(Instant now);
  [[nodiscard]] Deadline next_deadline() const;
  [[nodiscard]] bool finished(Instant now);
  [[nodiscard]] int finish();
  [[nodiscard]] ClientReport report() const;

  const ClientOptions& options_;
  io::SystemRng rng_;
  std::optional<io::SignalWatch> signals_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<io::EventLoop> loop_;
  std::optional<ReportFile> report_file_;
  std::vector<FourTuple> tuples_;  // of all routes
  std::vector<Deadline> retries_;  // when to open each route's path again
  std::optional<Dialer> dialer_;
  std::optional<ClientApp> app_;
  std::optional<Progress> progress_;
  ConnectionHandle connection_;  // once the dialer has it
  bool multipath_ = false;
  std::vector<FourTuple> complained_about_;
  Resumption resumption_;
  bool new_ticket_ = false;
  Instant started_{};
  Deadline timeout_;
  Deadline next_progress_;
  Deadline patience_;
  Deadline migration_;
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
    if (auto place = io::NewFile::create(options_.ticket_file, true); !place)
      return std::unexpected(std::move(place).error());
  }
  auto engine = make_client_engine(options_, *credentials, rng_);
  if (!engine) return io::failure(engine.error());
  engine_ = std::move(*engine);
  auto loop = io::EventLoop::create(engine_->transport());
  if (!loop) return std::unexpected(std::move(loop).error());
  loop_ = std::move(*loop);

  if (auto started = start(); !started) return started;
  loop_->set_handler([this](Instant now) { on_turn(now); });
  loop_->set_failure_handler([this](const io::DeliveryError& error) { on_delivery_error(error); });
  return loop_->watch(signals_->fd(), [this](Instant) {
    while (signals_->take()) {
      error_ = "interrupted";
      loop_->stop();
    }
  });
}

io::Result<SocketAddress> Client::open_socket(const io::LocalBinding& binding) {
  io::UdpSocketOptions socket{.local = {binding.ip, 0}, .device = binding.device, .icmp_errors = true};
  socket.gso = socket.gro = options_.common.segmentation_offload;
  return loop_->add_socket(socket);
}

io::Result<void> Client::start() {
  const auto routes = find_routes(options_);
  if (!routes) return std::unexpected(routes.error());
  std::vector<Dialer::Route> ways;
  for (const Route& route : *routes) {
    const auto local = open_socket(route.local);
    if (!local) return std::unexpected(local.error());
    tuples_.push_back({*local, route.server});
    ways.push_back({route.name, tuples_.back()});
  }
  retries_.resize(tuples_.size());
  if (options_.migration)
    if (auto binding = io::resolve_binding(options_.migration->local, IpAddress::Family::none); !binding)
      return io::failure(fmt::format("--migrate: {}", binding.error().message));
  auto jobs = plan_jobs(options_);
  if (!jobs) return io::failure(jobs.error());
  auto report_file = ReportFile::create(options_.common.json_file);
  if (!report_file) return std::unexpected(std::move(report_file).error());
  report_file_ = std::move(*report_file);

  std::uint64_t total = 0;
  for (const Job& job : jobs->jobs) total += job.download + job.upload;
  app_.emplace(engine_->transport(), std::move(*jobs));
  started_ = io::SystemClock::now();
  dialer_.emplace(*engine_, std::move(ways), resumption_);
  resumption_.token.clear();  // the dialer spends it
  dialer_->start(started_);
  if (dialer_->failure()) return io::failure(*dialer_->failure());
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
  dialer_->on_deadline(now);
  if (dialer_->failure()) error_ = dialer_->failure();
  app_->on_turn(now);
  if (expired(migration_, now)) migrate(now);
  retry_paths(now);
  if (expired(next_progress_, now)) show_progress(now);
  if (!error_ && !app_->done() && expired(timeout_, now))
    error_ = fmt::format("timed out after {:.1f} s", to_seconds(now - started_));
  if (error_ || finished(now)) return loop_->stop();
  loop_->set_application_deadline(next_deadline());
}

Deadline Client::next_deadline() const {
  Deadline next = earlier(app_->next_deadline(), dialer_->next_deadline());
  for (const Deadline& other : {timeout_, next_progress_, patience_, migration_}) next = earlier(next, other);
  for (const Deadline& retry : retries_) next = earlier(next, retry);
  return next;
}

void Client::on_event(const Event& event, Instant now) {
  if (!dialer_->winner()) {
    dialer_->on_event(event, now);
    if (const auto* handshake = std::get_if<HandshakeCompleted>(&event.what); handshake && dialer_->winner())
      on_connected(*handshake, now);
  }
  if (dialer_->winner() != event.connection) return;
  if (const auto* path = std::get_if<PathChanged>(&event.what)) on_path(*path, now);
  if (std::holds_alternative<HandshakeConfirmed>(event.what) && options_.key_update)
    engine_->update_keys(connection_, now);
  app_->on_event(event, now);
}

void Client::on_path(const PathChanged& path, Instant now) {
  const bool has_ended = path.change == PathChange::refused || path.change == PathChange::abandoned;
  spdlog::log(has_ended ? spdlog::level::warn : spdlog::level::debug, "{} {} -> {}: {} {}", name_of_path(path),
              io::text_of(path.tuple.local), io::text_of(path.tuple.remote), name_of_change(path.change), path.reason);
  const auto route = std::ranges::find(tuples_, path.tuple);
  if (has_ended && multipath_ && route != tuples_.end())
    retries_[static_cast<std::size_t>(route - tuples_.begin())] = now + kPathRetry;
}

void Client::on_connected(const HandshakeCompleted& handshake, Instant now) {
  connection_ = *dialer_->winner();
  app_->set_connection(connection_);
  if (options_.migration) migration_ = now + options_.migration->after;
  open_paths(handshake, now);
}

void Client::open_paths(const HandshakeCompleted& handshake, Instant now) {
  const std::size_t first = dialer_->winning_route();
  multipath_ = handshake.multipath;
  if (tuples_.size() > 1 && !handshake.multipath)
    spdlog::warn("the server does not support multipath: only {} is used", io::text_of(tuples_[first].local));
  const std::size_t allowed = engine_->transport().stats(connection_).path_limit;
  if (handshake.multipath && tuples_.size() > allowed)
    spdlog::warn("the server allows {} paths at a time (its --max-paths): {} of {} have to wait for one to end",
                 allowed, tuples_.size() - allowed, tuples_.size());
  for (std::size_t i = 0; i < tuples_.size() && multipath_; ++i)
    if (i != first && !dialer_->is_useless(i)) open_path(i, now);
}

void Client::open_path(std::size_t route, Instant now) {
  if (const auto opened = engine_->open_path(connection_, tuples_[route], now); !opened)
    spdlog::warn("cannot open a path from {}: {}", io::text_of(tuples_[route].local), opened.error());
}

void Client::retry_paths(Instant now) {
  for (std::size_t i = 0; i < retries_.size(); ++i) {
    if (!expired(retries_[i], now)) continue;
    retries_[i].reset();
    open_path(i, now);
  }
}

void Client::on_delivery_error(const io::DeliveryError& error) {
  const Instant now = io::SystemClock::now();
  if (!dialer_->winner()) {
    dialer_->on_delivery_error(error, now);
    return loop_->set_application_deadline(now);  // for on_turn(): it may have failed
  }
  // Too big for a path that was never validated: not a probe of its MTU, but its challenge.
  if (error.failure != TransmitFailure::too_big) return;
  if (std::ranges::find(complained_about_, error.tuple) != complained_about_.end()) return;
  std::vector<PathStats> paths;
  engine_->transport().path_stats(connection_, paths);
  const auto path = std::ranges::find(paths, error.tuple, &PathStats::tuple);
  if (path == paths.end() || path->validated) return;
  complained_about_.push_back(error.tuple);
  spdlog::warn("{}", describe_small_mtu(error.tuple));
}

/// Moves the first path, as a client does whose address changes (RFC 9000 §9).
void Client::migrate(Instant now) {
  migration_.reset();
  const FourTuple& from = tuples_[dialer_->winning_route()];
  const auto binding = io::resolve_binding(options_.migration->local, from.remote.ip.family());
  if (!binding) return spdlog::warn("--migrate: {}", binding.error().message);
  const auto local = open_socket(*binding);
  if (!local) return spdlog::warn("--migrate: {}", local.error().message);
  if (const auto moved = engine_->migrate_path(connection_, *local, now); !moved)
    spdlog::warn("--migrate: {}", moved.error());
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
    if (!fresh.token.empty()) {
      resumption_.token = std::move(fresh.token);
      resumption_.token_address = tuples_[dialer_->winning_route()].local.ip.to_string();
    }
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
  if (paths_.empty()) paths_ = dialer_->failed_paths();
  const ClientReport result = report();
  engine_->transport().close(connection_, result.error ? kCancelled : kNoError, "", io::SystemClock::now());
  loop_->set_handler([this](Instant) {
    while (engine_->transport().poll_event()) {}
  });
  loop_->set_application_deadline(std::nullopt);
  const auto drained = loop_->drain(dialer_->winner() ? kClosingLimit : Duration::zero());
  const auto written = report_file_->write(to_json(result));
  if (!written) return complain(kExitFailed, written.error().message);
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
  // Not fmt::print, which throws where standard error cannot be written.
  std::fputs(fmt::format("mpquic-perf: {}\n", text).c_str(), stderr);
  return code;
}

}  // namespace mpquic::perf
