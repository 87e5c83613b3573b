#include "sim/checks/capacity_timeline.h"

#include <algorithm>
#include <utility>

#include "sim/base/random_streams.h"
#include "sim/link/service.h"
#include "stack/base/overloaded.h"

namespace mpquic::sim {
namespace {

struct RateStep {
  Duration from{};
  double bits_per_ns = 0;
  double at_once = 0;
};
using Rates = std::vector<RateStep>;

[[nodiscard]] double bits_per_ns(Bandwidth rate) { return static_cast<double>(rate.bits_per_second()) / 1e9; }

template <class Next>
[[nodiscard]] Rates walk(Next next, Duration until) {
  Rates rates;
  for (Duration at{}; at < until;) {
    const Step<Bandwidth> step = next();
    rates.push_back({.from = at, .bits_per_ns = bits_per_ns(step.value)});
    at += step.lasts;
  }
  return rates;
}

[[nodiscard]] Rates deliveries(const Opportunities& opportunities, Duration until) {
  constexpr double kBits = kOpportunityBytes * 8.0;
  Rates rates;
  for (Duration period{}; period < until; period += opportunities.period)
    for (const Duration at : opportunities.at) {
      if (period + at >= until) break;
      if (rates.empty() || rates.back().from != period + at) rates.push_back({.from = period + at});
      rates.back().at_once += kBits;
    }
  return rates;
}

/// Of IP packets.
[[nodiscard]] Rates rates_of(const BottleneckConfig& config, const RandomSource& random, Duration until) {
  Rates rates = std::visit(
      overloaded{
          [&](const FixedRate&) { return Rates{{.bits_per_ns = bits_per_ns(config.rate)}}; },
          [&](const BucketRate& bucket) {
            return Rates{
                {.bits_per_ns = bits_per_ns(config.rate), .at_once = static_cast<double>(bucket.burst.value()) * 8}};
          },
          [&](const WanderingRate& wandering) {
            RateWalk steps(wandering, config.rate, random.of(Purpose::rate));
            return walk([&] { return steps.next(); }, until);
          },
          [&](const std::shared_ptr<const RateTrace>& trace) {
            return walk([&, i = std::size_t{0}] mutable { return (*trace)[i++ % trace->size()]; }, until);
          },
          [&](const std::shared_ptr<const Opportunities>& opportunities) { return deliveries(*opportunities, until); },
      },
      config.service);
  if (rates.size() > 1) {
    RateStep after{.from = until};
    for (const RateStep& step : rates) after.bits_per_ns = std::max(after.bits_per_ns, step.bits_per_ns);
    after.bits_per_ns = std::max(after.bits_per_ns, bits_per_ns(config.rate));
    rates.push_back(after);
  }
  return rates;
}

[[nodiscard]] Duration least_delay(const LinkConfig& link) {
  if (link.jitter) return link.jitter->least;
  if (link.delay_trace == nullptr) return link.delay;
  const auto shortest = std::ranges::min_element(*link.delay_trace, {}, &Step<Duration>::value);
  return shortest->value;
}

/// Whether the event ends (true) or begins (false) an outage of this link, if it is about that at all. Giving a path up
/// is none: what waits in the link's queue still arrives, and what the peer sends until it hears of that.
[[nodiscard]] std::optional<bool> brings_up(const ScriptedEvent& event) {
  if (event.action == Action::link_up || event.action == Action::heal) return true;
  if (event.is_death()) return false;
  return std::nullopt;
}

/// Packets of the largest MTU that the link ever has carry the most payload.
[[nodiscard]] LinkConfig at_its_widest(const Scenario& scenario, std::size_t path, Direction direction) {
  LinkConfig link = scenario.link(path, direction);
  for (const ScriptedEvent& event : scenario.events) {
    const auto* mtu = std::get_if<ByteCount>(&event.value);
    if (mtu != nullptr && event.path == path && (!event.direction || *event.direction == direction))
      link.mtu = std::max<std::size_t>(link.mtu, mtu->value());
  }
  return link;
}

/// Lays one link's capacity out, from one change to the next.
class Layout {
 public:
  Layout(const Course& course, std::size_t path, Direction direction)
      : scenario_(course.scenario),
        path_(path),
        direction_(direction),
        link_(at_its_widest(scenario_, path, direction)),
        share_(payload_capacity_mbps(link_, scenario_.endpoints.narrower()) * 1e6 /
               static_cast<double>(link_.rate.bits_per_second())),
        delay_(least_delay(link_)),
        since_(opens_at(scenario_, path)) {
    const std::uint64_t own = LinkEnd{path, direction}.index();
    rates_ = link_.shared_bottleneck
                 ? rates_of(scenario_.common.bottlenecks[*link_.shared_bottleneck],
                            {.seed = course.seed, .entity = kSharedEntity + *link_.shared_bottleneck}, course.until)
                 : rates_of(link_, {.seed = course.seed, .entity = own}, course.until);
  }

  [[nodiscard]] CapacityTimeline lay_out(bool with_outages) {
    if (!with_outages) since_ = {};
    for (const ScriptedEvent& event : scenario_.events) {
      const bool everywhere = event.action == Action::heal;
      if (everywhere || concerns_rate(event)) take_rate(event);
      if (!everywhere && !concerns(event)) continue;
      take_delay(event);
      if (const auto up = brings_up(event); up && with_outages) {
        cut(event.at);
        up_ = *up;
        // The bottleneck goes on while one of its links is down, and the packet that it is at may find it up again.
        if (link_.shared_bottleneck && up_) head_start_ = packet_bits();
      }
    }
    cut(kForever);
    return std::move(life_);
  }

 private:
  [[nodiscard]] bool concerns(const ScriptedEvent& event) const {
    return event.path == path_ && (!event.direction || *event.direction == direction_);
  }
  /// A rate is the bottleneck's, whichever of its links the event names.
  [[nodiscard]] bool concerns_rate(const ScriptedEvent& event) const {
    if (!link_.shared_bottleneck) return concerns(event);
    const auto shares = [&](Direction direction) {
      return (!event.direction || *event.direction == direction) &&
             scenario_.link(event.path, direction).shared_bottleneck == link_.shared_bottleneck;
    };
    return !is_about_host(event.action) && (shares(Direction::up) || shares(Direction::down));
  }
  void take_rate(const ScriptedEvent& event) {
    const auto* rate = event.action == Action::heal ? &link_.rate : std::get_if<Bandwidth>(&event.value);
    if (rate == nullptr) return;
    cut(event.at);
    rates_ = {{.bits_per_ns = bits_per_ns(*rate)}};  // which ends a trace or a process: Link::set_rate()
    head_start_ = packet_bits();                     // that one finishes at the old rate
  }
  [[nodiscard]] double packet_bits() const { return static_cast<double>(link_.mtu) * 8 * share_; }
  void take_delay(const ScriptedEvent& event) {
    const bool healed = event.action == Action::heal;
    if (!healed && event.action != Action::set_delay) return;
    cut(event.at);
    delay_ = link_.jitter ? link_.jitter->least : healed ? link_.delay : std::get<Duration>(event.value);
  }
  /// What was until `at` is over.
  void cut(Duration at) {
    if (at <= since_) return;
    for (std::size_t i = 0; i < rates_.size(); ++i) {
      const Duration from = std::max(since_, rates_[i].from);
      const Duration to = i + 1 < rates_.size() ? std::min(at, rates_[i + 1].from) : at;
      if (from >= to || !up_) continue;
      // Of opportunities, only those of its own time; a bucket may be full whenever it is looked at.
      const bool has_burst = from == rates_[i].from || rates_[i].bits_per_ns > 0;
      life_.push_back({.from = from,
                       .to = to,
                       .bits_per_ns = rates_[i].bits_per_ns * share_,
                       .at_once = (has_burst ? rates_[i].at_once * share_ : 0) + std::exchange(head_start_, 0),
                       .delay = delay_});
    }
    since_ = at;
  }

  const Scenario& scenario_;
  std::size_t path_;
  Direction direction_;
  LinkConfig link_;
  double share_;  // of payload in IP packets
  Rates rates_;
  Duration delay_;
  Duration since_;
  bool up_ = true;
  double head_start_ = 0;  // payload bits that a change of the link's does not slow down
  CapacityTimeline life_;
};

[[nodiscard]] Duration shortest_delay(const CapacityTimeline& timeline, Duration other) {
  for (const CapacitySegment& segment : timeline) other = std::min(other, segment.delay);
  return other;
}

}  // namespace

Duration opens_at(const Scenario& scenario, std::size_t path) {
  if (path == scenario.first_path()) return {};
  Duration at = scenario.paths[path].used ? scenario.paths[path].open_at : kForever;
  for (const ScriptedEvent& event : scenario.events)
    if (event.action == Action::open_path && event.path == path) at = std::min(at, event.at);
  return at;
}

CapacityTimeline capacity_of_link(const Course& course, std::size_t path, Direction direction) {
  return Layout(course, path, direction).lay_out(true);
}

CapacityTimeline capacity_of_bottleneck(const Course& course, const std::vector<std::size_t>& paths,
                                        Direction direction) {
  // Large packets carry the most payload.
  const auto mtu = [&](std::size_t path) { return at_its_widest(course.scenario, path, direction).mtu; };
  CapacityTimeline timeline = Layout(course, *std::ranges::max_element(paths, {}, mtu), direction).lay_out(false);
  Duration delay = kForever;
  for (const std::size_t path : paths) delay = shortest_delay(Layout(course, path, direction).lay_out(false), delay);
  for (CapacitySegment& segment : timeline) segment.delay = delay;
  return timeline;
}

CapacityTimeline capacity_of_line(const Scenario& scenario, const std::vector<std::size_t>& paths,
                                  Direction direction) {
  Duration delay = kForever;
  LinkConfig line;
  line.rate = scenario.ns3.rate;
  line.mtu = 0;
  for (const std::size_t path : paths) {
    delay = shortest_delay(Layout({.scenario = scenario}, path, direction).lay_out(false), delay);
    line.mtu = std::max(line.mtu, at_its_widest(scenario, path, direction).mtu);
  }
  return {{.from = {},
           .to = kForever,
           .bits_per_ns = payload_capacity_mbps(line, scenario.endpoints.narrower()) / 1e3,
           .at_once = 0,
           .delay = delay}};
}

double delivered_bits(const CapacityTimeline& timeline, Duration released, Duration by) {
  double bits = 0;
  for (const CapacitySegment& segment : timeline) {
    if (segment.from > by) break;
    const Duration from = std::max(segment.from, released);
    if (from >= segment.to || by - segment.delay < from) continue;
    const Duration span = std::min(by - segment.delay, segment.to) - from;
    bits += segment.at_once + segment.bits_per_ns * static_cast<double>(span.count());
  }
  return bits;
}

}  // namespace mpquic::sim
