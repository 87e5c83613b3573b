#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "stack/cc/congestion_controller.h"
#include "stack/cc/coupling.h"

namespace mpquic::cc_test {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Instant kStart{seconds(1000)};
inline constexpr std::uint64_t kDatagram = 1200;

struct AckOptions {
  Instant now = kStart;
  std::uint64_t bytes = kDatagram;
  Instant sent = kStart;
  Duration rtt = milliseconds(100);
  bool application_limited = false;
};
inline void acknowledge(CongestionController& controller, const AckOptions& ack) {
  controller.on_acked({.now = ack.now,
                       .acked = ByteCount{ack.bytes},
                       .largest_sent_time = ack.sent,
                       .prior_in_flight = controller.window(),
                       .rtt = {.latest = ack.rtt, .smoothed = ack.rtt, .min = ack.rtt},
                       .application_limited = ack.application_limited});
}
inline void lose(CongestionController& controller, Instant sent, Instant now, bool from_ecn = false) {
  controller.on_congestion(sent, ByteCount{kDatagram}, from_ecn, now);
}

/// Paths of one connection, as their controllers would describe them.
class PathSet {
 public:
  PathSet(std::initializer_list<CoupledPath> paths) : paths_(paths) {
    for (const CoupledPath& path : paths_) group_.join(path);
  }
  PathSet(const PathSet&) = delete;
  PathSet& operator=(const PathSet&) = delete;
  ~PathSet() {
    for (const CoupledPath& path : paths_) group_.leave(path);
  }
  [[nodiscard]] CoupledPath& operator[](std::size_t i) { return paths_[i]; }
  [[nodiscard]] const CoupledPath& operator[](std::size_t i) const { return paths_[i]; }
  [[nodiscard]] std::size_t size() const { return paths_.size(); }
  [[nodiscard]] const CouplingGroup& group() const { return group_; }

  [[nodiscard]] std::int64_t alpha(const CouplingRule& rule, std::size_t i) const {
    return rule.alpha_millionths(group_, paths_[i]);
  }
  [[nodiscard]] double gain(const CouplingRule& rule, std::size_t i) const {
    return static_cast<double>(rule.gain(group_, paths_[i])) / static_cast<double>(kRatioOne);
  }
  /// Bytes by which path i grows when `acked` bytes are acknowledged.
  [[nodiscard]] double growth(const CouplingRule& rule, std::size_t i, double acked, double datagram) const {
    return gain(rule, i) * datagram * acked / static_cast<double>(paths_[i].window);
  }
  [[nodiscard]] std::uint64_t reduced(const CouplingRule& rule, std::size_t i) const {
    return rule.reduced(group_, paths_[i]);
  }

 private:
  std::vector<CoupledPath> paths_;
  CouplingGroup group_;
};

}  // namespace mpquic::cc_test
