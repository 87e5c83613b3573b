#include "sim/trace/divergence.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/link/link.h"
#include "stack/wire/header.h"

namespace mpquic::sim {
namespace {

constexpr std::size_t kContextBefore = 8;
constexpr std::size_t kContextAfter = 4;
constexpr std::size_t kShortDcidLength = 8;  // what our endpoints issue

[[nodiscard]] std::string hex_of(Bytes bytes) {
  std::string hex;
  for (const std::byte b : bytes) hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return hex;
}

/// What can be read without keys.
[[nodiscard]] std::string header_of(const RecordedEvent& event) {
  const auto header = parse_invariants(Bytes(event.head), kShortDcidLength);
  if (!header) return "not QUIC";
  if (!header->long_form) return fmt::format("1-RTT dcid {}", hex_of(header->dcid));
  static constexpr std::string_view kTypes[] = {"Initial", "0-RTT", "Handshake", "Retry"};  // RFC 9000 §17.2
  const std::string_view type = header->version == kVersionNegotiation
                                    ? "Version Negotiation"
                                    : kTypes[(std::to_integer<unsigned>(event.head[0]) >> 4) & 3];
  return fmt::format("{} dcid {} scid {}", type, hex_of(header->dcid), hex_of(header->scid));
}

[[nodiscard]] std::string_view name_of(std::uint8_t ecn) {
  static constexpr std::string_view kNames[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
  return ecn < std::size(kNames) ? kNames[ecn] : "?";
}

using Events = std::vector<RecordedEvent>;

/// The packet of an event that names it by its serial number only.
[[nodiscard]] std::expected<std::string, std::string> sent_as(const RecordedEvent& event, EventFile& file) {
  if (event.kind != RecordedEvent::Kind::delivered && event.kind != RecordedEvent::Kind::dropped) return "";
  file.rewind();
  while (true) {
    const auto block = file.next_block();
    if (!block) return std::unexpected(block.error());
    if (!*block || (*block)->first > event.at.time_since_epoch().count()) return "";
    const auto events = file.read_block();
    if (!events) return std::unexpected(events.error());
    for (const RecordedEvent& candidate : *events)
      if (candidate.kind == RecordedEvent::Kind::sent && candidate.serial == event.serial)
        return fmt::format("       {}\n", describe(candidate, file));
  }
}

[[nodiscard]] std::string lines(const Events& events, std::size_t from, std::size_t to, const EventFile& file) {
  std::string text;
  for (std::size_t i = from; i < std::min(to, events.size()); ++i)
    text += fmt::format("     {}\n", describe(events[i], file));
  return text;
}

struct Side {
  char letter;
  EventFile& file;
  Events events;  // of the block that differs; none after the end
};

[[nodiscard]] std::expected<std::string, std::string> show(Side& side, std::size_t at) {
  if (at >= side.events.size()) return fmt::format("  {}  ends here\n", side.letter);
  std::string text = fmt::format("  {}  {}\n", side.letter, describe(side.events[at], side.file));
  auto sent = sent_as(side.events[at], side.file);
  if (!sent) return std::unexpected(std::move(sent).error());
  text += *sent;
  const std::string after = lines(side.events, at + 1, at + 1 + kContextAfter, side.file);
  if (!after.empty()) text += "     and then\n" + after;
  return text;
}

/// `at` is known to be the first difference of these blocks, which begin with event number `start`.
[[nodiscard]] std::expected<Divergence, std::string> report(Side& a, Side& b, const Events& before,
                                                            std::uint64_t start) {
  const auto parted = std::ranges::mismatch(a.events, b.events);
  const auto at = static_cast<std::size_t>(parted.in1 - a.events.begin());
  Divergence found{
      .equal = false, .events = start + at, .text = fmt::format("first difference: event {}\n", start + at)};
  const std::size_t from_block = std::min(at, kContextBefore);
  const std::size_t from_before = std::min(kContextBefore - from_block, before.size());
  if (from_block + from_before > 0) found.text += "equal in both, just before\n";
  found.text += lines(before, before.size() - from_before, before.size(), a.file);
  found.text += lines(a.events, at - from_block, at, a.file);
  for (Side* side : {&a, &b}) {
    auto shown = show(*side, at);
    if (!shown) return std::unexpected(std::move(shown).error());
    found.text += *shown;
  }
  return found;
}

[[nodiscard]] std::string describe_script(const RecordedEvent& event, const EventFile& file) {
  const Action action = static_cast<Action>(event.detail);
  if (is_about_host(action))
    return fmt::format("{} {}", static_cast<Role>(event.link) == Role::client ? "client" : "server",
                       sim::name_of(action));
  return fmt::format("{} {}", file.link_name(event.link), sim::name_of(action));
}

[[nodiscard]] std::expected<Events, std::string> events_of(EventFile& file, const std::optional<BlockHeader>& block) {
  if (!block) return Events{};
  return file.read_block();
}

}  // namespace

std::string describe(const RecordedEvent& event, const EventFile& file) {
  const std::int64_t time = event.at.time_since_epoch().count();
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::string begin = fmt::format("{:>4}.{:09} s", time / kSecond, time % kSecond);
  switch (event.kind) {
    case RecordedEvent::Kind::sent:
      return fmt::format("{}  sent       {:<10} #{} {} bytes {} to {} from {}, {}, payload {:016x}", begin,
                         file.link_name(event.link), event.serial, event.size, name_of(event.detail),
                         event.tuple.local.to_string(), event.tuple.remote.to_string(), header_of(event),
                         event.payload);
    case RecordedEvent::Kind::delivered:
      return fmt::format("{}  delivered  {:<10} #{}", begin, file.link_name(event.link), event.serial);
    case RecordedEvent::Kind::dropped: {
      const std::string_view why =
          event.detail < kLinkDropCount ? sim::name_of(static_cast<LinkDrop>(event.detail)) : "?";
      return fmt::format("{}  dropped    {:<10} #{} {}", begin, file.link_name(event.link), event.serial, why);
    }
    case RecordedEvent::Kind::unroutable: return fmt::format("{}  unroutable {} bytes", begin, event.size);
    case RecordedEvent::Kind::script: return fmt::format("{}  scripted   {}", begin, describe_script(event, file));
    case RecordedEvent::Kind::count_: break;
  }
  return begin;
}

std::expected<Divergence, std::string> find_divergence(EventFile& a, EventFile& b) {
  std::uint64_t events = 0;
  Events before;  // the block before, for context: read only when it is needed
  BlockHeader last{};
  while (true) {
    const auto in_a = a.next_block();
    if (!in_a) return std::unexpected(in_a.error());
    const auto in_b = b.next_block();
    if (!in_b) return std::unexpected(in_b.error());
    if (!*in_a && !*in_b)
      return Divergence{.equal = true, .events = events, .text = fmt::format("equal: {} events\n", events)};
    if (*in_a == *in_b) {
      last = **in_a;
      events += last.events;
      continue;
    }
    Side left{'A', a, {}};
    Side right{'B', b, {}};
    for (auto [side, block] : {std::pair{&left, &*in_a}, std::pair{&right, &*in_b}}) {
      auto read = events_of(side->file, *block);
      if (!read) return std::unexpected(std::move(read).error());
      side->events = std::move(*read);
    }
    if (last.events > 0) {
      auto read = a.read_block_before(last);
      if (!read) return std::unexpected(std::move(read).error());
      before = std::move(*read);
    }
    return report(left, right, before, events);
  }
}

}  // namespace mpquic::sim
