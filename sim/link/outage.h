// Outages that come by themselves, on one link or on several that fail together: both directions of a path, or two SIM
// cards on one mast.
#pragma once

#include <vector>

#include "sim/link/link.h"
#include "sim/link/on_off.h"

namespace mpquic::sim {

enum class OutageMode : std::uint8_t {
  drop,  // what waits, what is on the way and what comes is lost
  hold,  // packets wait, and leave in a burst afterwards: handovers, reconfigurations, radio retransmission
};

struct OutageConfig {
  OutageMode mode = OutageMode::drop;
  OnOffConfig when;
};

/// A host re-arms a timer for next_deadline() after every on_deadline(), and then those of the links.
class Outage {
 public:
  /// The links outlive the outage.
  Outage(const OutageConfig& config, const RandomStream& random, std::vector<Link*> links);
  [[nodiscard]] Deadline next_deadline() const {
    return over_ || process_.next_change() == kNever ? Deadline{} : Deadline{process_.next_change()};
  }
  void on_deadline(Instant now);
  /// For good.
  void end(Instant now);
  [[nodiscard]] bool active() const { return process_.on(); }
  [[nodiscard]] const std::vector<Link*>& links() const { return links_; }

 private:
  void apply(Instant at);
  OutageMode mode_;
  OnOffProcess process_;
  std::vector<Link*> links_;
  bool over_ = false;
};

}  // namespace mpquic::sim
