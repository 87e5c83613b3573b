// How applications in real time fare: a video player's buffer, and the quality of a call.
#pragma once

#include <algorithm>
#include <cstdint>

#include "stack/base/time.h"

namespace mpquic::sim {

/// A player that takes segments in order, starts once enough is there, and stops whenever nothing is left.
class Playback {
 public:
  /// A segment that plays for `length` is there. Playing starts at `prebuffer`, or with the `last` one.
  void on_segment(Instant now, Duration length, Duration prebuffer, bool last) {
    if (!playing_) {
      buffered_ += length;
      if (buffered_ < prebuffer && !last) return;
      playing_ = true;
      started_at_ = now;
      dry_at_ = now + buffered_;
      return;
    }
    if (now > dry_at_) {
      ++stalls_;
      rebuffering_ += now - dry_at_;
    }
    dry_at_ = std::max(now, dry_at_) + length;
  }
  /// When there is room for another segment in a buffer of `capacity`.
  [[nodiscard]] Instant room_at(Instant now, Duration length, Duration capacity) const {
    return playing_ ? std::max(now, dry_at_ + length - capacity) : now;
  }
  [[nodiscard]] bool playing() const { return playing_; }
  [[nodiscard]] Instant started_at() const { return started_at_; }
  [[nodiscard]] std::uint64_t stalls() const { return stalls_; }
  [[nodiscard]] Duration rebuffering() const { return rebuffering_; }

 private:
  bool playing_ = false;
  Duration buffered_{};  // before it plays
  Instant started_at_{};
  Instant dry_at_{};
  std::uint64_t stalls_ = 0;
  Duration rebuffering_{};
};

/// Mean opinion score of a call, 1 to 4.4, by ITU-T G.107's E-model for G.711 with loss concealment (Ie 0, Bpl 25.1):
/// everything is heard `delay` after it was said, and a share `missing` of the packets is not there then.
[[nodiscard]] inline double mean_opinion_score(Duration delay, double missing) {
  const double ms = to_milliseconds(delay);
  const double percent = missing * 100;
  const double delay_impairment = 0.024 * ms + (ms > 177.3 ? 0.11 * (ms - 177.3) : 0);
  const double loss_impairment = 95 * percent / (percent + 25.1);
  const double r = std::clamp(93.2 - delay_impairment - loss_impairment, 0.0, 100.0);
  return 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r);
}

}  // namespace mpquic::sim
