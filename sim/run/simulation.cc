#include "sim/run/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sim/base/random_streams.h"
#include "sim/engine/per_path_engine.h"
#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

constexpr Duration kSampleInterval = std::chrono::milliseconds(20);
/// How long CONNECTION_CLOSE may take to arrive, beyond a round trip.
constexpr Duration kCloseTime = std::chrono::seconds(1);

[[nodiscard]] std::vector<PathConfig> configs_of(const Scenario& scenario) {
  std::vector<PathConfig> configs;
  configs.reserve(scenario.paths.size());
  for (const PathSpec& path : scenario.paths) configs.push_back(path.config);
  return configs;
}

/// Whatever fits into its queue.
[[nodiscard]] bool carries_everything(const BottleneckConfig& bottleneck) {
  return bottleneck.discipline.kind == QueueKind::drop_tail && bottleneck.discipline.age == Duration::zero() &&
         !bottleneck.cross_traffic;
}
[[nodiscard]] bool carries_everything(const LinkConfig& link) {
  return link.loss == 0 && link.corrupt == 0 && link.truncate == 0 && !link.burst_loss && !link.policer &&
         !link.drops_ect && carries_everything(static_cast<const BottleneckConfig&>(link));
}

[[nodiscard]] bool drops_acks(const Scenario& scenario) {
  return std::ranges::any_of(scenario.events, &ScriptedEvent::acks);
}

}  // namespace

std::optional<std::string> obstacle(const Scenario& scenario, const SimulationOptions& options) {
  if (scenario.ns3.only_ns3())
    return fmt::format("{}: key 'ns3.topology': only ns-3 has this one: add --engine ns3", scenario.source);
  if (scenario.endpoints.any(EngineKind::ngtcp2) && !options.ngtcp2)
    return fmt::format("{}: engine ngtcp2: this build has no ngtcp2", scenario.source);
  return std::nullopt;
}

Simulation::Simulation(Scenario scenario, SimulationOptions options)
    : scenario_(std::move(scenario)),
      options_(std::move(options)),
      ledger_(scenario_.workloads),
      content_(options_.seed),
      acks_(options_.trace),
      packet_numbers_(violations_, drops_acks(scenario_) ? &acks_ : options_.trace),
      world_(std::make_unique<World>(configs_of(scenario_), options_.seed, scenario_.common)) {
  MPQUIC_CHECK(scenario_.baseline != Baseline::best_path || scenario_.endpoints.first_path);
  invariants_ = std::make_unique<Invariants>(Invariants::Parts{
      .world = *world_, .ledger = ledger_, .violations = violations_, .max_stall = scenario_.max_stall});
  world_->observe(*invariants_);
  world_->set_tap(options_.tap);
  world_->set_carrier(options_.carrier);
  if (drops_acks(scenario_)) world_->set_ack_watch(acks_);
  if (auto tls = make_tls_pair(scenario_, options_.seed, options_.keylog))
    tls_ = std::move(*tls);
  else
    violations_.add(Instant{}, "TLS cannot be set up: " + tls.error());
  build_side(Role::server);
  build_side(Role::client);
}

Simulation::~Simulation() = default;

std::unique_ptr<Engine> Simulation::build_engine(Role role, const EngineSetup& setup) {
  EngineFactory factory = role == Role::client ? options_.client : options_.server;
  if (scenario_.endpoints.side(role).engine == EngineKind::ngtcp2) {
    MPQUIC_CHECK(options_.ngtcp2 != nullptr);  // obstacle()
    factory = options_.ngtcp2;
  }
  if (scenario_.baseline != Baseline::per_path) return factory(setup);
  const auto at_start = [](const PathSpec& path) { return path.used && path.open_at == Duration::zero(); };
  return make_per_path_engine(
      factory, setup,
      {.path_of = [this](const SocketAddress& client) { return world_->path_of(client); },
       .connections = static_cast<std::size_t>(std::ranges::count_if(scenario_.paths, at_start))});
}

void Simulation::build_side(Role role) {
  Side& built = side(role);
  built.clock = std::make_unique<HostClock>(world_->events());
  boot(role);
  built.host = std::make_unique<Host>(role, Host::Parts{.world = *world_,
                                                        .transport = built.engine->transport(),
                                                        .application = *built.app,
                                                        .observer = *invariants_,
                                                        .clock = *built.clock});
  world_->attach(role, *built.host);
}

void Simulation::boot(Role role) {
  Side& built = side(role);
  const Purpose purpose = role == Role::client ? Purpose::client_core : Purpose::server_core;
  built.rngs.push_back(std::make_unique<SeededRng>(options_.seed, stream_of(purpose, built.rngs.size())));
  EngineSetup setup;
  setup.role = role;
  setup.connection = scenario_.endpoints.side(role).connection;
  setup.connection.injected_bug = scenario_.endpoints.injected_bug;
  if (const double probability = scenario_.endpoints.side(role).buggify; probability > 0) {
    const auto index = (built.buggifies.size() << 1) | static_cast<std::uint64_t>(role);
    built.buggifies.push_back(
        std::make_unique<Buggify>(options_.seed, stream_of(Purpose::buggify, index), probability));
    setup.connection.buggify = built.buggifies.back().get();
  }
  setup.require_retry = role == Role::server && scenario_.endpoints.require_retry;
  setup.tls = role == Role::client ? tls_.client : tls_.server;
  setup.rng = built.rngs.back().get();
  setup.trace = &packet_numbers_;
  setup.keylog = options_.keylog;
  setup.seed = options_.seed;
  if (std::ranges::find(scenario_.events, Action::peer_restart, &ScriptedEvent::action) != scenario_.events.end())
    SeededRng(options_.seed, stream_of(Purpose::static_key, static_cast<std::uint64_t>(role))).fill(setup.static_key);
  auto engine = build_engine(role, setup);
  auto app = std::make_unique<App>(role, App::Parts{.transport = engine->transport(),
                                                    .events = world_->events(),
                                                    .ledger = ledger_,
                                                    .content = content_,
                                                    .violations = violations_,
                                                    .clock = *built.clock});
  if (scenario_.assertions.closed) app->expect_close();
  if (scenario_.assertions.refused_paths) app->expect_refusals();
  if (built.host) built.host->restart(engine->transport(), *app);
  built.app = std::move(app);
  built.engine = std::move(engine);
}

Report Simulation::run() {
  const auto began = std::chrono::steady_clock::now();
  start();
  while (step()) {}
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  return finish(wall.count());
}

void Simulation::start() {
  if (options_.tap != nullptr) options_.tap->on_start(*world_);
  EventQueue& events = world_->events();
  for (std::size_t i = 0; i < scenario_.events.size(); ++i)
    events.post(Instant{} + scenario_.events[i].at, {EventKind::script, 0, i});
  events.post(Instant{} + kSampleInterval, {EventKind::sample, 0, 0});
  if (tls_.client == nullptr) return;
  const std::size_t first = scenario_.first_path();
  const auto connection = engine(Role::client).connect(world_->client_tuple(first), local_now(Role::client));
  app(Role::client).set_connection(connection);
  const bool several = scenario_.endpoints.multipath() || scenario_.baseline == Baseline::per_path;
  for (std::size_t path = 0; several && path < scenario_.paths.size(); ++path)
    if (path != first && scenario_.paths[path].used)
      events.post(Instant{} + scenario_.paths[path].open_at, {EventKind::open_path, 0, path});
  host(Role::client).service();
}

bool Simulation::over() {
  if (invariants_->must_stop() || tls_.client == nullptr) return true;
  if (const auto& expected = scenario_.assertions.closed) return app(expected->side).closed().has_value();
  return ledger_.complete() || app(Role::client).closed() || app(Role::server).closed();
}

bool Simulation::step() {
  if (over()) return false;
  const Deadline next = world_->next_time();
  if (!next || next->time_since_epoch() > scenario_.duration) return false;
  handle(*world_->events().pop());
  if (app(Role::client).has_validated_paths()) on_paths_validated();
  return true;
}

void Simulation::on_paths_validated() {
  bool changed = false;
  for (const PathChanged& change : app(Role::client).take_validated_paths()) {
    const auto path = world_->path_of(change.tuple.local);
    if (!path || !scenario_.paths[*path].backup || scenario_.baseline != Baseline::none) continue;
    engine(Role::client).set_path_status(*app(Role::client).connection(), *change.id, false);
    changed = true;
  }
  if (changed) host(Role::client).service();
}

void Simulation::handle(const SimEvent& event) {
  if (world_->dispatch(event)) {
    // What arrived just now may have brought the application further.
    if (ledger_.last_progress() == world_->now()) failovers_.on_progress(world_->now());
    return;
  }
  const Role role = static_cast<Role>(event.target);
  switch (event.kind) {
    case EventKind::host_timer: host(role).on_timer(); break;
    case EventKind::app_timer:
      app(role).on_timer(event.payload, world_->now());
      host(role).service();
      break;
    case EventKind::script: run_script(event.payload); break;
    case EventKind::open_path: open_path(event.payload); break;
    case EventKind::sample:
      watch_connections();
      invariants_->sample();
      if (options_.tap != nullptr) options_.tap->on_sample(*world_);
      watch_silence();
      world_->events().post(world_->now() + kSampleInterval, {EventKind::sample, 0, 0});
      break;
    case EventKind::link:
    case EventKind::bottleneck:
    case EventKind::outage:
    case EventKind::carrier: break;
  }
}

void Simulation::watch_connections() {
  for (const Role role : {Role::client, Role::server})
    if (const auto connection = app(role).connection()) invariants_->watch(role, *connection);
}

void Simulation::watch_silence() {
  for (const Role role : {Role::client, Role::server}) {
    SilenceWatch& watch = silence_[static_cast<std::size_t>(role)];
    const auto connection = app(role).connection();
    if (!connection || app(role).closed() || scenario_.baseline != Baseline::none ||
        scenario_.endpoints.side(role).engine != EngineKind::mpquic)
      continue;
    stats_.clear();
    engine(role).transport().path_stats(*connection, stats_);
    if (const auto path = watch.sample(stats_, app(role).confirmed(), local_now(role)))
      violations_.add(world_->now(),
                      fmt::format("{}: what is in flight on path {} is neither acknowledged, lost nor probed "
                                  "for: its PTO does not fire",
                                  role == Role::client ? "client" : "server", path->value()));
  }
}

void Simulation::open_path(std::size_t path) {
  if (draining_ || app(Role::client).closed()) return;
  const auto why_not =
      engine(Role::client)
          .open_path(*app(Role::client).connection(), world_->client_tuple(path), local_now(Role::client));
  if (!why_not.empty())
    violations_.add(world_->now(), fmt::format("path {} cannot be opened: {}", world_->path_name(path), why_not));
  host(Role::client).service();
}

Report Simulation::finish(double wall_s) {
  Report report = describe();
  report.wall_s = wall_s;
  if (options_.judge) check_assertions(report);
  if (ledger_.complete() && !app(Role::client).closed() && app(Role::client).connection()) close_and_drain();
  invariants_->sample();
  report.trace_hash = world_->trace_hash();
  report.violations = violations_.list();
  report.violations_total = violations_.total();
  return report;
}

void Simulation::close_and_drain() {
  draining_ = true;
  app(Role::client).expect_close();
  app(Role::server).expect_close();
  Duration slowest{};
  bool reliable = scenario_.common.groups.empty();
  for (const BottleneckConfig& shared : scenario_.common.bottlenecks) reliable &= carries_everything(shared);
  for (std::size_t path = 0; path < world_->path_count(); ++path) {
    const Link& up = world_->link(path, Direction::up);
    slowest = std::max(slowest, up.config().delay + world_->link(path, Direction::down).config().delay);
    reliable &=
        up.up() && !up.held() && carries_everything(up.config()) && scenario_.paths[path].config.outages.empty();
  }
  const Instant limit = world_->now() + kCloseTime + slowest;
  for (const ScriptedEvent& event : scenario_.events) {  // faults that are still to come, or wait for their victims
    const Instant begin = Instant{} + event.at;
    reliable &= begin > limit || begin + event.length < world_->now();
    reliable &= begin > limit || (event.action != Action::drop_datagrams && event.action != Action::socket_error);
  }
  engine(Role::client).transport().close(*app(Role::client).connection(), 0, "done", local_now(Role::client));
  host(Role::client).service();
  while (!app(Role::server).closed()) {
    const Deadline next = world_->next_time();
    if (!next || *next > limit || invariants_->must_stop()) break;
    handle(*world_->events().pop());
  }
  if (reliable && !app(Role::server).closed())
    violations_.add(world_->now(), "CONNECTION_CLOSE did not reach the server although all paths are up");
}

}  // namespace mpquic::sim
