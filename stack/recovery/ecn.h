// ECN validation, RFC 9000 §13.4.2 and Appendix A.4.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/ids.h"
#include "stack/base/time.h"
#include "stack/wire/frame.h"

namespace mpquic {

/// What the ECN section of one ACK frame says about the path.
enum class EcnVerdict : std::uint8_t {
  nothing,  // no ECT packet newly acknowledged, or the frame does not raise the largest acknowledged
  valid,
  invalid,  // the path or the peer clears, remarks or miscounts
};

struct EcnFeedback {
  EcnVerdict verdict = EcnVerdict::nothing;
  std::uint64_t newly_marked = 0;  // increase of the CE count: a congestion signal if above zero
};

/// Counts of one packet number space: what was sent, and what the peer last reported.
class EcnCounter {
 public:
  void on_sent(Ecn ecn);
  /// `newly_ect0` and `newly_ect1`: packets newly acknowledged by this frame that were sent with the code point. Call
  /// it for frames that raise the largest acknowledged only (RFC 9000 §13.4.2.1: others must not fail validation).
  [[nodiscard]] EcnFeedback on_ack(const std::optional<EcnCounts>& reported, std::uint64_t newly_ect0,
                                   std::uint64_t newly_ect1);

 private:
  std::uint64_t sent_ect0_ = 0;
  std::uint64_t sent_ect1_ = 0;
  EcnCounts reported_;
};

/// The state of a path: unmarked once the test packets are out, until an acknowledgement validates the path.
class EcnValidator {
 public:
  enum class State : std::uint8_t { testing, unknown, failed, capable };
  /// RFC 9000 §A.4 and §13.4.2: the first ten packets carry ECT(0).
  static constexpr std::uint32_t kTestPackets = 10;
  /// ... or what is sent within three PTOs: with backoff, two timeouts.
  static constexpr std::uint32_t kTestTimeouts = 2;

  explicit EcnValidator(bool enabled = true) : state_(enabled ? State::testing : State::failed) {}

  [[nodiscard]] State state() const { return state_; }
  /// Code point for the next packet.
  [[nodiscard]] Ecn codepoint() const {
    return state_ == State::testing || state_ == State::capable ? Ecn::ect0 : Ecn::not_ect;
  }
  void on_sent(Ecn ecn);
  /// ECT packets declared lost: when all test packets are, the path drops marked packets.
  void on_lost(std::uint32_t ect_packets);
  void on_ack(EcnVerdict verdict);
  /// A probe timeout fired on the path: marked packets may be what it drops.
  void on_pto();
  /// A new network path is tested again, unless ECN is switched off.
  void reset(bool enabled = true) { *this = EcnValidator(enabled); }

 private:
  State state_;
  std::uint32_t tests_sent_ = 0;
  std::uint32_t tests_lost_ = 0;
  std::uint32_t timeouts_ = 0;
};

}  // namespace mpquic
