#include "stack/path/validator.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic {

void Validator::start(Instant now, Duration pto) {
  pto_ = pto;
  state_ = State::probing;
  outstanding_.fill(Challenge{});
  begin(now);
}

void Validator::set_validated() {
  state_ = State::validated;
  owed_ = false;
  repeat_at_.reset();
}

ChallengeData Validator::send_challenge(Rng& rng, bool expanded, Instant now) {
  MPQUIC_CHECK(wants_challenge());
  Challenge& challenge = outstanding_[next_slot_];
  next_slot_ = (next_slot_ + 1) % kMaxOutstanding;
  rng.fill(challenge.data);
  challenge.expanded = expanded;
  challenge.live = true;
  owed_ = false;
  repeat_at_ = now + interval_;
  interval_ *= 2;
  return challenge.data;
}

Validator::Answer Validator::on_response(const ChallengeData& data, Instant now) {
  if (!in_progress()) return Answer::unknown;
  const auto found = std::ranges::find_if(outstanding_, [&](const Challenge& c) { return c.live && c.data == data; });
  if (found == outstanding_.end()) return Answer::unknown;
  found->live = false;
  if (found->expanded) {
    set_validated();
    return Answer::validated;
  }
  if (state_ == State::address_validated) return Answer::unknown;
  // §8.2.1: a second validation, in a datagram of at least 1200 bytes, now that nothing limits its size.
  state_ = State::address_validated;
  begin(now);
  return Answer::address_validated;
}

Deadline Validator::next_deadline() const {
  if (!in_progress()) return std::nullopt;
  return owed_ ? give_up_at_ : earlier(repeat_at_, give_up_at_);
}

bool Validator::on_deadline(Instant now) {
  if (!in_progress()) return false;
  if (now >= give_up_at_) {
    state_ = State::failed;
    owed_ = false;
    repeat_at_.reset();
    return true;
  }
  if (expired(repeat_at_, now)) {
    owed_ = true;
    repeat_at_.reset();
  }
  return false;
}

void Validator::begin(Instant now) {
  owed_ = true;
  interval_ = pto_;
  repeat_at_.reset();
  give_up_at_ = now + kGiveUpPtos * pto_;
}

}  // namespace mpquic
