#include "sim/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sim/random_streams.h"
#include "stack/base/overloaded.h"

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
[[nodiscard]] bool carries_everything(const LinkConfig& link) {
  return link.loss == 0 && link.truncate == 0 && !link.burst_loss && !link.policer &&
         link.discipline.kind == QueueKind::drop_tail && !link.cross_traffic;
}

}  // namespace

Simulation::Simulation(Scenario scenario, SimulationOptions options)
    : scenario_(std::move(scenario)),
      options_(std::move(options)),
      ledger_(scenario_.workloads),
      content_(options_.seed),
      packet_numbers_(violations_, options_.trace),
      world_(std::make_unique<World>(configs_of(scenario_), options_.seed, scenario_.common)) {
  invariants_ = std::make_unique<Invariants>(Invariants::Parts{
      .world = *world_, .ledger = ledger_, .violations = violations_, .max_stall = scenario_.max_stall});
  world_->observe(*invariants_);
  world_->set_tap(options_.tap);
  if (auto tls = make_tls_pair(scenario_.crypto, options_.seed, options_.keylog))
    tls_ = std::move(*tls);
  else
    violations_.add(Instant{}, "TLS cannot be set up: " + tls.error());
  build_side(Role::server, options_.server, tls_.server);
  build_side(Role::client, options_.client, tls_.client);
}

Simulation::~Simulation() = default;

void Simulation::build_side(Role role, const EngineFactory& factory, std::shared_ptr<TlsProvider> tls) {
  Side& built = side(role);
  const Purpose purpose = role == Role::client ? Purpose::client_core : Purpose::server_core;
  built.rng = std::make_unique<SeededRng>(options_.seed, stream_of(purpose));
  EngineSetup setup;
  setup.role = role;
  setup.connection = scenario_.endpoints.connection;
  setup.require_retry = role == Role::server && scenario_.endpoints.require_retry;
  setup.tls = std::move(tls);
  setup.rng = built.rng.get();
  setup.trace = &packet_numbers_;
  setup.seed = options_.seed;
  built.engine = factory(setup);
  Transport& transport = built.engine->transport();
  built.app = std::make_unique<App>(role, App::Parts{.transport = transport,
                                                     .events = world_->events(),
                                                     .ledger = ledger_,
                                                     .content = content_,
                                                     .violations = violations_});
  built.host = std::make_unique<Host>(
      role, Host::Parts{.world = *world_, .transport = transport, .application = *built.app, .observer = *invariants_});
  world_->attach(role, *built.host);
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
  const auto connection = engine(Role::client).connect(world_->client_tuple(first), world_->now());
  app(Role::client).set_connection(connection);
  for (std::size_t path = 0; scenario_.endpoints.connection.multipath && path < scenario_.paths.size(); ++path)
    if (path != first && scenario_.paths[path].used)
      events.post(Instant{} + scenario_.paths[path].open_at, {EventKind::open_path, 0, path});
  host(Role::client).service();
}

bool Simulation::step() {
  if (ledger_.complete() || invariants_->must_stop() || tls_.client == nullptr) return false;
  if (app(Role::client).closed() || app(Role::server).closed()) return false;
  const Deadline next = world_->events().next_time();
  if (!next || next->time_since_epoch() > scenario_.duration) return false;
  handle(*world_->events().pop());
  if (app(Role::client).has_validated_paths()) on_paths_validated();
  return true;
}

void Simulation::on_paths_validated() {
  bool changed = false;
  for (const PathChanged& change : app(Role::client).take_validated_paths()) {
    const auto path = world_->path_of(change.tuple.local);
    if (!path || !scenario_.paths[*path].backup) continue;
    engine(Role::client).set_path_status(*app(Role::client).connection(), *change.id, false);
    changed = true;
  }
  if (changed) host(Role::client).service();
}

void Simulation::handle(const SimEvent& event) {
  if (world_->dispatch(event)) return;
  const Role role = static_cast<Role>(event.target);
  switch (event.kind) {
    case EventKind::host_timer: host(role).on_timer(); break;
    case EventKind::app_timer:
      app(role).on_timer(event.payload, world_->now());
      host(role).service();
      break;
    case EventKind::script: run_script(scenario_.events[event.payload]); break;
    case EventKind::open_path: open_path(event.payload); break;
    case EventKind::sample:
      watch_connections();
      invariants_->sample();
      if (options_.tap != nullptr) options_.tap->on_sample(*world_);
      world_->events().post(world_->now() + kSampleInterval, {EventKind::sample, 0, 0});
      break;
    case EventKind::link:
    case EventKind::bottleneck:
    case EventKind::outage: break;
  }
}

void Simulation::watch_connections() {
  for (const Role role : {Role::client, Role::server})
    if (const auto connection = app(role).connection()) invariants_->watch(role, *connection);
}

void Simulation::open_path(std::size_t path) {
  const auto why_not =
      engine(Role::client).open_path(*app(Role::client).connection(), world_->client_tuple(path), world_->now());
  if (!why_not.empty())
    violations_.add(world_->now(), fmt::format("path {} cannot be opened: {}", world_->path_name(path), why_not));
  host(Role::client).service();
}

void Simulation::run_script(const ScriptedEvent& event) {
  switch (event.action) {
    case Action::abandon_path:
    case Action::migrate_path:
    case Action::path_status: change_path(event); break;
    case Action::link_down: world_->set_interface_up(event.path, false); break;
    case Action::link_up: world_->set_interface_up(event.path, true); break;
    case Action::nat_rebind: world_->rebind(event.path); break;
    case Action::silent_death:
    case Action::set_rate:
    case Action::set_delay:
    case Action::set_loss: change_links(event); break;
  }
  invariants_->on_network_change();
  if (options_.tap != nullptr) options_.tap->on_script(*world_, event);
}

void Simulation::change_links(const ScriptedEvent& event) {
  for (const Direction direction : {Direction::up, Direction::down}) {
    if (event.direction && *event.direction != direction) continue;
    Link& link = world_->link(event.path, direction);
    std::visit(overloaded{
                   [&](std::monostate) { world_->set_link_up(event.path, direction, false); },
                   [&](Bandwidth rate) { link.set_rate(rate); },
                   [&](Duration delay) { link.set_delay(delay); },
                   [&](double loss) { link.set_loss(loss); },
                   [](bool) {},
               },
               event.value);
  }
}

void Simulation::change_path(const ScriptedEvent& event) {
  const auto id = id_of(event.path);
  if (!id) return violations_.add(world_->now(), fmt::format("path {} is not open", world_->path_name(event.path)));
  const ConnectionHandle connection = *app(Role::client).connection();
  Engine& client = engine(Role::client);
  if (event.action == Action::abandon_path) client.abandon_path(connection, *id, world_->now());
  if (event.action == Action::path_status) client.set_path_status(connection, *id, std::get<bool>(event.value));
  if (event.action == Action::migrate_path)
    client.migrate_path(connection, *id, world_->new_client_address(event.path), world_->now());
  host(Role::client).service();
}

std::optional<PathId> Simulation::id_of(std::size_t path) {
  stats_.clear();
  engine(Role::client).transport().path_stats(*app(Role::client).connection(), stats_);
  for (const PathStats& stats : stats_)
    if (!stats.abandoned && world_->path_of(stats.tuple.local) == path) return stats.id;
  return std::nullopt;
}

Report Simulation::finish(double wall_s) {
  Report report = describe();
  report.wall_s = wall_s;
  check_assertions(report);
  if (ledger_.complete()) close_and_drain();
  invariants_->sample();
  report.trace_hash = world_->trace_hash();
  report.violations = violations_.list();
  report.violations_total = violations_.total();
  return report;
}

void Simulation::close_and_drain() {
  app(Role::client).expect_close();
  app(Role::server).expect_close();
  Duration slowest{};
  bool reliable = scenario_.common.groups.empty();
  for (std::size_t path = 0; path < world_->path_count(); ++path) {
    const Link& up = world_->link(path, Direction::up);
    slowest = std::max(slowest, up.config().delay + world_->link(path, Direction::down).config().delay);
    reliable &= up.up() && carries_everything(up.config()) && scenario_.paths[path].config.outages.empty();
  }
  const Instant limit = world_->now() + kCloseTime + slowest;
  engine(Role::client).transport().close(*app(Role::client).connection(), 0, "done", world_->now());
  host(Role::client).service();
  while (!app(Role::server).closed()) {
    const Deadline next = world_->events().next_time();
    if (!next || *next > limit || invariants_->must_stop()) break;
    handle(*world_->events().pop());
  }
  if (reliable && !app(Role::server).closed())
    violations_.add(world_->now(), "CONNECTION_CLOSE did not reach the server although all paths are up");
}

}  // namespace mpquic::sim
