// The probe timeout, RFC 9002 §6.2, as pure functions over the spaces that share one path.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

/// Backoff stops here, so that a path that heals is noticed well within an idle timeout; a probe in ten seconds is no
/// load. A longer base is never cut.
inline constexpr Duration kMaxPto = std::chrono::seconds(10);

/// base * 2^count, at most max(base, kMaxPto).
[[nodiscard]] Duration backed_off(Duration base, std::uint32_t count);

/// What the computation needs to know of one space. Spaces without keys are left out.
struct PtoSpace {
  SpaceId space = SpaceId::application;
  bool ack_eliciting_in_flight = false;
  std::optional<Instant> last_ack_eliciting{};  // when one was sent last
};

struct PtoContext {
  Duration base{};           // RttEstimator::pto_base(0)
  Duration max_ack_delay{};  // of the peer; counts in the application space only
  std::uint32_t count = 0;   // PTOs since the last acknowledgement
  bool handshake_confirmed = false;
  /// RFC 9002 §6.2.2.1: a client whose peer may still be amplification-limited arms the timer with nothing in flight,
  /// from this instant (the last change that re-armed it, usually now).
  std::optional<Instant> anti_deadlock_from{};
  bool has_handshake_keys = false;
};

struct Pto {
  Instant time;
  SpaceId space = SpaceId::application;
};

/// RFC 9002 §A.8, GetPtoTimeAndSpace.
[[nodiscard]] std::optional<Pto> earliest_pto(std::span<const PtoSpace> spaces, const PtoContext& context);

}  // namespace mpquic
