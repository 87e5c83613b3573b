// Path validation of one 4-tuple (RFC 9000 §8.2).
//
//     start(), or wait() first     response to an expanded challenge
//   idle ───────────────▶ probing ─────────────────────────────────────▶ validated
//                          │   ▲  response to a small challenge: the address is proved, the MTU is not (§8.2.1)
//                          │   └──┐
//                          │      ▼
//                          ├── address_validated ── expanded response ─▶ validated
//                          ▼
//                        failed   (no answer within the time limit)
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/rng.h"
#include "stack/base/time.h"
#include "stack/wire/frame.h"

namespace mpquic {

class Validator {
 public:
  /// Challenges repeat at 0, 1, 3, .. PTO, as Initials would (§8.2.1). §8.2.4 recommends to give up after 3 PTO; twice
  /// that lets the third challenge be answered too.
  static constexpr int kGiveUpPtos = 6;
  /// Values that still count as answers; older ones are forgotten.
  static constexpr std::size_t kMaxOutstanding = 4;

  enum class State : std::uint8_t { idle, waiting, probing, address_validated, validated, failed };
  enum class Answer : std::uint8_t { unknown, address_validated, validated };

  /// `pto`: the larger of the path's current PTO and that of an unmeasured path (§8.2.4).
  void start(Instant now, Duration pto);
  /// Nothing is known of the address, and it is not to be challenged before start().
  void wait() { state_ = State::waiting; }
  /// Validated by other means: the handshake, a token, or another path on the same 4-tuple.
  void set_validated();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool in_progress() const { return state_ == State::probing || state_ == State::address_validated; }
  [[nodiscard]] bool waiting() const { return state_ == State::waiting; }
  [[nodiscard]] bool address_proved() const { return state_ == State::address_validated || state_ == State::validated; }

  [[nodiscard]] bool wants_challenge() const { return in_progress() && owed_; }
  /// Fresh data for a PATH_CHALLENGE that is now being sent; `expanded`: in a datagram of at least 1200 bytes.
  [[nodiscard]] ChallengeData send_challenge(Rng& rng, bool expanded, Instant now);
  [[nodiscard]] Answer on_response(const ChallengeData& data, Instant now);

  [[nodiscard]] Deadline next_deadline() const;
  /// True if validation just failed.
  [[nodiscard]] bool on_deadline(Instant now);

 private:
  struct Challenge {
    ChallengeData data{};
    bool expanded = false;
    bool live = false;
  };
  void begin(Instant now);

  State state_ = State::idle;
  bool owed_ = false;
  Duration pto_{};
  Duration interval_{};
  Deadline repeat_at_;
  Instant give_up_at_;
  std::array<Challenge, kMaxOutstanding> outstanding_{};
  std::size_t next_slot_ = 0;
};

}  // namespace mpquic
