#include "sim/trace/network_qlog.h"

#include <cmath>

#include "sim/trace/script_text.h"
#include "stack/trace/qlog.h"

namespace mpquic::sim {
namespace {

constexpr std::string_view kSchemas[] = {"urn:ietf:params:qlog:events:simulation-14",
                                         "urn:x-mpquic:qlog:events:mpquic_net-1"};

}  // namespace

NetworkQlog::NetworkQlog(OutputFile file, const Scenario& scenario, std::uint64_t seed) : file_(std::move(file)) {
  for (const PathSpec& path : scenario.paths) path_names_.push_back(path.config.name);
  trace::write_qlog_header(
      record_, {.title = scenario.name, .vantage_point = "network", .event_schemas = kSchemas, .group_id = {}});
  file_.write(record_);
  begin("simulation:scenario", Instant{});
  json_.field("name", scenario.name);
  json_.begin_object("details");
  json_.field("seed", seed);
  json_.field("crypto", name_of(scenario.crypto));
  json_.end_object();
  end();
}

void NetworkQlog::begin(std::string_view name, Instant at) {
  record_ = '\x1e';
  json_.begin_object();
  json_.milliseconds("time", at - Instant{});
  json_.field("name", name);
  json_.begin_object("data");
}

void NetworkQlog::end() {
  json_.end_object();
  json_.end_object();
  record_ += '\n';
  file_.write(record_);
}

void NetworkQlog::name_link(std::uint32_t link) {
  const auto [path, direction] = LinkEnd::of(link);
  json_.field("path", path_names_[path]);
  json_.field("direction", direction == Direction::up ? "up" : "down");
}

NetworkQlog::LinkState NetworkQlog::state_of(const World& world, std::uint32_t link) {
  constexpr double kMillion = 1e6;
  const LinkEnd end = LinkEnd::of(link);
  const Link& state = world.link(end.path, end.direction);
  return {.known = true,
          .up = state.up(),
          .held = state.held(),
          .rate_bps = state.rate().bits_per_second(),
          .delay = state.config().delay,
          .loss_millionths = static_cast<std::uint64_t>(std::llround(state.config().loss * kMillion)),
          .queued_bytes = state.queued_bytes()};
}

void NetworkQlog::write_changes(const World& world) {
  for (std::uint32_t link = 0; link < links_.size(); ++link) {
    LinkState now = state_of(world, link);
    LinkState& before = links_[link];
    if (now.same_settings(before)) continue;
    now.queued_bytes = before.queued_bytes;
    before = now;
    begin("mpquic_net:link_updated", world.now());
    name_link(link);
    json_.flag("up", now.up);
    json_.flag("held", now.held);
    json_.field("rate", now.rate_bps);
    json_.milliseconds("delay", now.delay);
    json_.field("loss_millionths", now.loss_millionths);
    end();
  }
}

void NetworkQlog::on_start(const World& world) {
  links_.resize(world.path_count() * 2);
  write_changes(world);
}

void NetworkQlog::on_dropped(const Sighting& seen, LinkDrop reason) {
  begin("mpquic_net:packet_dropped", seen.at);
  name_link(seen.link);
  json_.field("reason", name_of(reason));
  json_.field("serial", seen.packet.serial);
  json_.field("length", std::uint64_t{seen.packet.size});
  end();
}

void NetworkQlog::on_unroutable(Instant at, std::size_t size) {
  begin("mpquic_net:packet_unroutable", at);
  json_.field("length", std::uint64_t{size});
  end();
}

void NetworkQlog::on_script(const World& world, const ScriptedEvent& event) {
  begin("simulation:marker", world.now());
  json_.field("type", name_of(event.action));
  json_.field("message", describe(event, path_names_[event.path]));
  end();
  write_changes(world);
}

void NetworkQlog::on_sample(const World& world) {
  write_changes(world);
  for (std::uint32_t link = 0; link < links_.size(); ++link) {
    const std::uint64_t bytes = state_of(world, link).queued_bytes;
    if (bytes == links_[link].queued_bytes) continue;
    links_[link].queued_bytes = bytes;
    begin("mpquic_net:queue_sampled", world.now());
    name_link(link);
    json_.field("bytes", bytes);
    end();
  }
}

}  // namespace mpquic::sim
