#include "sim/trace/script_text.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "stack/base/overloaded.h"

namespace mpquic::sim {
namespace {

/// In the largest unit that leaves no fraction: exact, and as a file would say it.
template <std::size_t N>
[[nodiscard]] std::string in_units(std::uint64_t value,
                                   const std::array<std::pair<std::uint64_t, const char*>, N>& units) {
  for (const auto& [unit, name] : units)
    if (value % unit == 0 && value > 0) return fmt::format("{}{}", value / unit, name);
  return fmt::format("0{}", units.back().second);
}

[[nodiscard]] std::string rate_text(Bandwidth rate) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits = {
      {{1'000'000'000, "Gbit/s"}, {1'000'000, "Mbit/s"}, {1000, "kbit/s"}, {1, "bit/s"}}};
  return in_units(rate.bits_per_second(), kUnits);
}

[[nodiscard]] std::string time_text(Duration time) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits = {
      {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1000, "us"}, {1, "ns"}}};
  const bool back = time < Duration::zero();
  return (back ? "-" : "") + in_units(static_cast<std::uint64_t>(back ? -time.count() : time.count()), kUnits);
}

[[nodiscard]] std::string value_of(const ScriptedEvent& event) {
  if (event.action == Action::socket_error) return std::string(name_of(event.error));
  constexpr double kPercent = 100;
  return std::visit(overloaded{
                        [](std::monostate) { return std::string(); },
                        [](Bandwidth rate) { return rate_text(rate); },
                        [](Duration time) { return time_text(time); },
                        [](double loss) { return fmt::format("{:.6g}%", loss * kPercent); },
                        [](ByteCount size) { return fmt::format("{}B", size.value()); },
                        [](bool available) { return std::string(available ? "available" : "backup"); },
                    },
                    event.value);
}

[[nodiscard]] std::string subject_of(const ScriptedEvent& event, std::string_view path) {
  if (event.action == Action::heal) return "of all paths";
  if (!is_about_host(event.action)) return fmt::format("on path {}", path);
  return event.side == Role::client ? "at the client" : "at the server";
}

}  // namespace

std::string describe(const ScriptedEvent& event, std::string_view path) {
  std::string text = fmt::format("{} {}", name_of(event.action), subject_of(event, path));
  bool first = true;
  const auto add = [&](std::string_view key, std::string_view value) {
    text += fmt::format("{} {} {}", std::exchange(first, false) ? ":" : ",", key, value);
  };
  if (const std::string value = value_of(event); !value.empty()) add("value", value);
  if (event.action == Action::drop_datagrams) {
    add("nth", fmt::to_string(event.nth));
    add("count", fmt::to_string(event.count));
    if (event.acks) add("acks", "on");
  }
  if (gives_up_stream(event.action)) add("nth", fmt::to_string(event.nth));
  if (event.direction) add("direction", *event.direction == Direction::up ? "up" : "down");
  if (event.action == Action::socket_error && event.side == Role::server) add("side", "server");
  if (event.length > Duration::zero()) add("for", time_text(event.length));
  if (event.part_of != Compound::none)
    add("part of", fmt::format("{} {}", event.part_of == Compound::outage ? "an" : "a", name_of(event.part_of)));
  if (event.part_of != Compound::none && event.is_death())
    add("mode", event.action == Action::link_down ? "interface" : "silent");
  if (event.part_of != Compound::none && event.action == Action::hold) add("mode", "hold");
  return text;
}

}  // namespace mpquic::sim
