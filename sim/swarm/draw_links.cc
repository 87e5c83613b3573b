// The network of a seed: mostly plain links, some with a feature or two, and what paths share.
#include "sim/swarm/draw.h"
#include "sim/swarm/profiles.h"

namespace mpquic::sim::swarm {
namespace {

constexpr std::uint64_t kMaxPaths = 8;
/// Ten full-size packets: with room for less, a long line is as good as none, and no budget would do.
constexpr std::uint64_t kLeastQueueBits = 120'000;
/// Packets of others cost as much time as ours.
constexpr std::uint64_t kMostCrossKbits = 8000;
/// A NAT that forgets the first path between two probes of a handshake (kMaxPto apart) would break it (RFC 9000 §9).
constexpr std::uint64_t kLeastFirstNatMs = 12'000;

/// Of a line that is thin on the way back.
constexpr std::uint64_t kLeastReturnKbits = 64;
constexpr std::uint64_t kMostReturnKbits = 200;

/// A rate that wanders never falls below, nor below half of what it wanders around.
constexpr std::uint64_t kLeastWanderingKbits = 100;

/// One path while it is drawn. What is put into a link mostly holds both ways.
class Draft {
 public:
  Draft(Dice& dice, bool first) : dice_(dice), first_(first) {}

  void draw_plain();
  void draw_profile();
  /// In place of the links' own rates, in one direction or both.
  void share(std::string_view bottleneck);
  void draw_features();
  void draw_nat();
  void draw_use();
  [[nodiscard]] Fields finish(std::size_t index) const;
  [[nodiscard]] bool steady() const { return steady_; }

 private:
  [[nodiscard]] Fields& somewhere() {
    if (dice_.percent(70)) return both_;
    return dice_.percent(50) ? up_ : down_;
  }
  /// One of those that may keep a handshake busy.
  [[nodiscard]] Fields& unsteady() {
    steady_ = false;
    return somewhere();
  }
  [[nodiscard]] bool rarely() { return dice_.percent(4); }
  void draw_service();
  void draw_losses();
  void draw_outages();

  Dice& dice_;
  bool first_;
  bool steady_ = true;
  std::uint64_t rate_ = 0;  // the lower one, in kbit/s
  Fields both_;
  Fields up_;
  Fields down_;
};

[[nodiscard]] std::string draw_limit(Dice& dice, std::uint64_t least_ms) {
  return ms(std::max(dice.spread(5, 400), least_ms));
}

[[nodiscard]] std::string draw_discipline(Dice& dice, std::uint64_t least_ms) {
  const std::string kind(dice.one_of({"droptail", "drop_front", "codel", "fq_codel", "pie"}));
  Fields queue{{"kind", kind}};
  if (kind == "droptail" || kind == "drop_front") {
    queue.set("limit", draw_limit(dice, least_ms));
    if (kind == "droptail") queue.set("age", draw_limit(dice, least_ms));
    return flow_map(queue);
  }
  if (dice.percent(30)) queue.set("limit", fmt::format("{} packets", dice.spread(20, 1000)));
  if (dice.percent(50)) queue.set("ecn", "on");
  if (dice.percent(30)) queue.set("target", ms(dice.between(2, 40)));
  if (kind == "fq_codel" && dice.percent(50)) queue.set("flows", fmt::format("{}", dice.spread(1, 64)));
  return flow_map(queue);
}

[[nodiscard]] std::string draw_cross_traffic(Dice& dice, std::uint64_t rate) {
  const bool on_off = dice.percent(50);
  const std::uint64_t share = dice.between(10, on_off ? 90 : 60);
  Fields cross{{"rate", kbits(std::min(rate * share / 100, kMostCrossKbits))}};
  if (dice.percent(30)) cross.set("size", fmt::format("{}B", dice.between(100, 1500)));
  if (dice.percent(30)) cross.set("flows", fmt::format("{}", dice.between(2, 16)));
  if (on_off) {
    cross.set("mean_on", ms(dice.spread(20, 2000)));
    cross.set("mean_off", ms(dice.spread(20, 2000)));
  }
  return flow_map(cross);
}

[[nodiscard]] std::string draw_rate_process(Dice& dice, std::uint64_t rate) {
  return fmt::format("{{spread: 0.{}, step: {}, memory: {}, least: {}}}", dice.between(1, 8), ms(dice.spread(50, 2000)),
                     ms(dice.spread(100, 6000)), kbits(std::min(rate / 2, kLeastWanderingKbits)));
}

/// What the first path has is short, and leaves it more time than it takes.
void draw_when(Dice& dice, Fields& outage, bool first) {
  const std::uint64_t longest = first ? 500 : 4000;
  if (dice.percent(50)) outage.set("mode", "hold");
  const std::string_view when = dice.one_of({"every", "mean_gap", "once"});
  if (when == "once") {
    outage.set("first", ms(dice.spread(4, 8000)));
  } else {
    outage.set(when, ms(dice.spread(first ? 1500 : 300, 8000)));
    if (dice.percent(50)) outage.set("first", ms(dice.spread(4, 4000)));
  }
  const std::uint64_t length = dice.spread(5, longest);
  if (dice.percent(50)) return outage.set("length", ms(length));
  outage.set("least", ms(dice.spread(1, length)));
  outage.set("most", ms(length));
}

void Draft::draw_plain() {
  const std::uint64_t rate = dice_.spread(first_ ? 2000 : 300, 60'000);
  const std::uint64_t up_rate = dice_.percent(15) ? dice_.spread(first_ ? 1000 : 300, 20'000) : rate;
  rate_ = std::min(rate, up_rate);
  both_.set("rate", kbits(rate));
  if (up_rate != rate) up_.set("rate", kbits(up_rate));
  if (dice_.percent(8)) {
    const std::uint64_t return_rate = dice_.between(kLeastReturnKbits, kMostReturnKbits);
    down_.set("rate", kbits(return_rate));
    rate_ = std::min(rate_, return_rate);
    steady_ = false;
  }
  both_.set("rtt", ms(dice_.spread(2, 400)));
  if (dice_.percent(60)) both_.set("queue", draw_limit(dice_, kLeastQueueBits / rate_));
  if (dice_.percent(40)) both_.set("loss", tenths_percent(dice_.spread(1, first_ ? 40 : 120)));
  if (dice_.percent(15)) both_.set("duplicate", tenths_percent(dice_.spread(1, 50)));
  if (dice_.percent(15)) both_.set("corrupt", tenths_percent(dice_.spread(1, 20)));
  if (dice_.percent(20)) {
    both_.set("reorder", tenths_percent(dice_.spread(1, 200)));
    both_.set("reorder_delay", ms(dice_.spread(1, 60)));
  }
  if (dice_.percent(15)) {
    both_.set("mtu", fmt::format("{}B", dice_.between(kLeastMtu, kMostMtu)));
    if (dice_.percent(40)) both_.set("mtu_signal", "on");
  }
}

void Draft::draw_profile() {
  const auto& known = profiles();
  const BuiltInProfile& profile = known[dice_.between(0, known.size() - 1)];
  both_ = profile.path;
  both_.set("source", profile.name);
  steady_ = false;
}

void Draft::share(std::string_view bottleneck) {
  const bool one_way = dice_.percent(70);
  const bool up = dice_.percent(50);
  if (!one_way || up) up_ = {{"shared", std::string(bottleneck)}};
  if (!one_way || !up) down_ = {{"shared", std::string(bottleneck)}};
  steady_ = false;
}

void Draft::draw_features() {
  draw_service();
  draw_losses();
  if (rarely()) {
    Fields jitter{{"deviation", ms(dice_.spread(1, 30))}, {"step", ms(dice_.spread(1, 50))}};
    if (dice_.percent(50)) jitter.set("memory", ms(dice_.spread(5, 500)));
    somewhere().set("jitter", flow_map(jitter));
  }
  if (rarely()) unsteady().set("drops_ect", "on");
  if (rarely()) somewhere().set("bleach", "on");
  draw_outages();
}

void Draft::draw_service() {
  if (rarely()) unsteady().set("queue", draw_discipline(dice_, kLeastQueueBits / rate_));
  if (rarely()) unsteady().set("cross_traffic", draw_cross_traffic(dice_, rate_));
  if (rarely())
    unsteady().set("burst", fmt::format("{}kB", dice_.spread(3, 100)));
  else if (rarely())
    unsteady().set("rate_process", draw_rate_process(dice_, rate_));
  if (!rarely()) return;
  Fields policer{{"rate", kbits(rate_ * dice_.between(40, 150) / 100)}};
  policer.set("burst", fmt::format("{}kB", dice_.spread(10, 200)));
  unsteady().set("policer", flow_map(policer));
}

void Draft::draw_losses() {
  if (rarely()) unsteady().set("truncate", tenths_percent(dice_.spread(1, 20)));
  if (!rarely()) return;
  Fields bursts{{"mean_good", ms(dice_.spread(300, 10'000))}};
  bursts.set("mean_bad", ms(dice_.spread(5, first_ ? 100 : 400)));
  bursts.set("loss_bad", fmt::format("{}%", dice_.between(20, 100)));
  if (dice_.percent(30)) bursts.set("loss_good", tenths_percent(dice_.spread(1, 20)));
  unsteady().set("burst_loss", flow_map(bursts));
}

void Draft::draw_outages() {
  if (!rarely()) return;
  std::string list;
  for (std::uint64_t i = dice_.between(1, 2); i > 0; --i) {
    Fields outage;
    draw_when(dice_, outage, first_);
    if (dice_.percent(30)) outage.set("direction", std::string(dice_.one_of({"up", "down"})));
    list += (list.empty() ? "" : ", ") + flow_map(outage);
  }
  both_.set("outages", "[" + list + "]");
  steady_ = false;
}

void Draft::draw_nat() {
  if (!dice_.percent(10)) return;
  Fields nat;
  if (dice_.percent(50)) nat.set("filter", "endpoint_dependent");
  if (nat.empty() || dice_.percent(60))
    nat.set("idle_timeout", ms(first_ ? dice_.spread(kLeastFirstNatMs, 30'000) : dice_.spread(300, 20'000)));
  both_.set("nat", flow_map(nat));
}

void Draft::draw_use() {
  if (first_) return;
  if (dice_.percent(10)) both_.set("backup", "on");
  if (dice_.percent(30)) both_.set("open_at", ms(dice_.spread(1, 4000)));
  if (dice_.percent(8)) both_.set("use", "off");
}

Fields Draft::finish(std::size_t index) const {
  Fields path{{"name", fmt::format("p{}", index)}};
  for (const auto& [key, value] : both_.entries()) path.set(key, value);
  if (!up_.empty()) path.set("up", flow_map(up_));
  if (!down_.empty()) path.set("down", flow_map(down_));
  return path;
}

[[nodiscard]] Fields draw_bottleneck(Dice& dice) {
  const std::uint64_t rate = dice.spread(2000, 60'000);
  Fields bottleneck{{"name", "b0"}, {"rate", kbits(rate)}};
  const std::uint64_t least_ms = kLeastQueueBits / rate;
  if (dice.percent(60))
    bottleneck.set("queue", dice.percent(50) ? draw_limit(dice, least_ms) : draw_discipline(dice, least_ms));
  if (dice.percent(40)) bottleneck.set("cross_traffic", draw_cross_traffic(dice, rate));
  if (dice.percent(10))
    bottleneck.set("burst", fmt::format("{}kB", dice.spread(3, 100)));
  else if (dice.percent(10))
    bottleneck.set("rate_process", draw_rate_process(dice, rate));
  return bottleneck;
}

/// Whether the first path is one of them.
bool draw_group(Dice& dice, Case& drawn) {
  const std::size_t first = dice.between(0, drawn.paths.size() - 2);
  std::string names;
  for (std::size_t i = first; i < drawn.paths.size(); ++i)
    if (i < first + 2 || dice.percent(50)) names += fmt::format("{}p{}", names.empty() ? "" : ", ", i);
  Fields group{{"paths", "[" + names + "]"}};
  draw_when(dice, group, first == 0);
  drawn.groups.push_back(group);
  return first == 0;
}

}  // namespace

bool draw_topology(Dice& dice, Case& drawn) {
  const std::uint64_t paths = dice.percent(12) ? 1 : dice.between(2, dice.percent(30) ? kMaxPaths : 4);
  const bool plain = dice.percent(40);  // of the seeds, so that many stay simple
  const bool shared = !plain && paths > 1 && dice.percent(20);
  if (shared) drawn.bottlenecks.push_back(draw_bottleneck(dice));
  bool steady = true;
  for (std::size_t i = 0; i < paths; ++i) {
    Draft path(dice, i == 0);
    if (!plain && dice.percent(10)) {
      path.draw_profile();
    } else {
      path.draw_plain();
      if (shared && (i < 2 || dice.percent(60))) path.share("b0");
      if (!plain) path.draw_features();
    }
    if (!plain) path.draw_nat();
    path.draw_use();
    drawn.paths.push_back(path.finish(i));
    if (i == 0) steady = path.steady();
  }
  if (!plain && paths > 1 && dice.percent(10)) steady &= !draw_group(dice, drawn);
  return steady;
}

}  // namespace mpquic::sim::swarm
