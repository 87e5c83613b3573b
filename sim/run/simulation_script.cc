// What the scripted events of a scenario do.
#include <fmt/format.h>

#include <algorithm>

#include "sim/run/simulation.h"
#include "stack/base/overloaded.h"

namespace mpquic::sim {
namespace {

/// What the transport hears of.
[[nodiscard]] std::optional<TransmitFailure> failure_of(SocketError error) {
  switch (error) {
    case SocketError::too_big: return TransmitFailure::too_big;
    case SocketError::unreachable: return TransmitFailure::unreachable;
    case SocketError::refused: return TransmitFailure::refused;
    case SocketError::would_block:
    case SocketError::no_buffers: break;
  }
  return std::nullopt;
}

}  // namespace

void Simulation::run_script(std::size_t index) {
  if (index >= scenario_.events.size()) return end_of(scenario_.events[index - scenario_.events.size()]);
  const ScriptedEvent& event = scenario_.events[index];
  note_life(event);
  switch (event.action) {
    case Action::abandon_path:
    case Action::migrate_path:
    case Action::path_status: change_path(event); break;
    case Action::link_down: world_->set_interface_up(event.path, false); break;
    case Action::link_up:
      if (event.direction)
        world_->set_link_up(event.path, *event.direction, true);
      else
        world_->set_interface_up(event.path, true);
      break;
    case Action::nat_rebind: world_->rebind(event.path); break;
    case Action::silent_death:
    case Action::set_rate:
    case Action::set_delay:
    case Action::hold:
    case Action::set_loss:
    case Action::set_mtu: change_links(event); break;
    case Action::address_change: change_address(event); break;
    case Action::socket_error: fail_socket(index); break;
    case Action::clock_jump:
      side(event.side).clock->jump(std::get<Duration>(event.value));
      host(event.side).service();  // re-arms: a clock that jumped may have made timers due
      break;
    case Action::peer_restart: restart(event.side); break;
    case Action::key_update:
    case Action::close: touch_connection(event); break;
    case Action::open_path:
      if (scenario_.endpoints.multipath() && app(Role::client).connection() && !app(Role::client).closed())
        open_path(event.path);
      break;
    case Action::drop_datagrams:
    case Action::reorder_burst: meddle(index); break;
    case Action::reset_stream:
      app(event.side).reset_stream(event.nth);
      host(event.side).service();
      break;
    case Action::stop_sending:
      app(event.side).stop_sending(event.nth);
      host(event.side).service();
      break;
    case Action::heal: heal(); break;
  }
  invariants_->on_network_change();
  if (options_.tap != nullptr) options_.tap->on_script(*world_, event);
}

void Simulation::change_links(const ScriptedEvent& event) {
  for (const Direction direction : {Direction::up, Direction::down}) {
    if (event.direction && *event.direction != direction) continue;
    Link& link = world_->link(event.path, direction);
    std::visit(overloaded{
                   [&](std::monostate) {
                     if (event.action == Action::hold)
                       world_->set_link_held(event.path, direction, true);
                     else
                       world_->set_link_up(event.path, direction, false);
                   },
                   [&](Bandwidth rate) { link.set_rate(rate); },
                   [&](Duration delay) { link.set_delay(delay); },
                   [&](double loss) { link.set_loss(loss); },
                   [&](ByteCount mtu) { world_->set_mtu(event.path, direction, mtu.value()); },
                   [](bool) {},
               },
               event.value);
  }
}

void Simulation::change_path(const ScriptedEvent& event) {
  const auto stats = client_path(event.path);
  if (!stats && event.if_open) return;
  if (!stats && scenario_.baseline != Baseline::none) return;  // that path is not part of the baseline
  if (!stats) return violations_.add(world_->now(), fmt::format("path {} is not open", world_->path_name(event.path)));
  const ConnectionHandle connection = *app(Role::client).connection();
  const Instant now = local_now(Role::client);
  Engine& client = engine(Role::client);
  if (event.action == Action::abandon_path) client.abandon_path(connection, stats->id, now);
  if (event.action == Action::path_status) client.set_path_status(connection, stats->id, std::get<bool>(event.value));
  if (event.action == Action::migrate_path)
    client.migrate_path(connection, stats->id, world_->new_client_address(event.path), now);
  host(Role::client).service();
}

void Simulation::change_address(const ScriptedEvent& event) {
  const auto stats = client_path(event.path);
  world_->change_address(event.path);
  if (!stats) return;
  // The host sees its own address change, and tells the transport.
  engine(Role::client)
      .migrate_path(*app(Role::client).connection(), stats->id, world_->new_client_address(event.path),
                    local_now(Role::client));
  host(Role::client).service();
}

void Simulation::fail_socket(std::size_t index) {
  const ScriptedEvent& event = scenario_.events[index];
  const Instant until = world_->now() + event.length;
  if (event.error != SocketError::would_block) {
    const bool once = event.length == Duration::zero();
    return world_->fail_sends(event.side, event.path, failure_of(event.error), once ? std::nullopt : Deadline(until));
  }
  const auto stats = client_path(event.path);
  if (!stats) return;
  blocked_sockets_.resize(world_->path_count());
  blocked_sockets_[event.path] = stats->tuple.local;
  engine(Role::client).transport().set_writable(stats->tuple.local, false);
  world_->events().post(until, {EventKind::script, 0, index + scenario_.events.size()});
}

void Simulation::unblock_socket(const ScriptedEvent& event) {
  engine(Role::client).transport().set_writable(blocked_sockets_[event.path], true);
  host(Role::client).service();
}

void Simulation::end_of(const ScriptedEvent& event) {
  if (event.action != Action::reorder_burst) return unblock_socket(event);
  for (const Direction direction : {Direction::up, Direction::down})
    if (!event.direction || *event.direction == direction) world_->release_burst(event.path, direction);
}

void Simulation::meddle(std::size_t index) {
  const ScriptedEvent& event = scenario_.events[index];
  for (const Direction direction : {Direction::up, Direction::down}) {
    if (event.direction && *event.direction != direction) continue;
    if (event.action == Action::drop_datagrams)
      world_->drop_datagrams(event.path, direction, {.nth = event.nth, .count = event.count, .acks = event.acks});
    else
      world_->hold_burst(event.path, direction);
  }
  if (event.action == Action::reorder_burst)
    world_->events().post(world_->now() + event.length, {EventKind::script, 0, index + scenario_.events.size()});
}

void Simulation::heal() {
  world_->end_outages();
  for (std::size_t path = 0; path < world_->path_count(); ++path) {
    world_->heal(path);
    failovers_.on_return(path);
    for (const Direction direction : {Direction::up, Direction::down}) {
      Link& link = world_->link(path, direction);
      link.set_rate(scenario_.link(path, direction).rate);
      link.set_delay(scenario_.link(path, direction).delay);
      link.set_loss(0);
      world_->set_mtu(path, direction, scenario_.link(path, direction).mtu);
    }
  }
  for (const SocketAddress& socket : blocked_sockets_) engine(Role::client).transport().set_writable(socket, true);
  host(Role::client).service();
}

void Simulation::touch_connection(const ScriptedEvent& event) {
  const auto connection = app(event.side).connection();
  if (!connection) return;
  if (event.action == Action::key_update)
    engine(event.side).initiate_key_update(*connection, local_now(event.side));
  else
    engine(event.side).transport().close(*connection, kScriptedClose, "scripted", local_now(event.side));
  host(event.side).service();
}

void Simulation::restart(Role role) {
  invariants_->forget(role);
  silence_[static_cast<std::size_t>(role)] = {};
  boot(role);
}

std::optional<PathStats> Simulation::client_path(std::size_t path) {
  if (!app(Role::client).connection()) return std::nullopt;
  stats_.clear();
  engine(Role::client).transport().path_stats(*app(Role::client).connection(), stats_);
  for (const PathStats& stats : stats_)
    if (!stats.abandoned && world_->path_of(stats.tuple.local) == path) return stats;
  return std::nullopt;
}

void Simulation::note_life(const ScriptedEvent& event) {
  if (event.action == Action::link_up) failovers_.on_return(event.path);
  if (!event.is_death() || !scenario_.endpoints.multipath() || !scenario_.paths[event.path].used) return;
  failovers_.on_death(event.path, world_->now());
}

}  // namespace mpquic::sim
