#include "stack/recovery/ecn.h"

namespace mpquic {

void EcnCounter::on_sent(Ecn ecn) {
  if (ecn == Ecn::ect0) ++sent_ect0_;
  if (ecn == Ecn::ect1) ++sent_ect1_;
}

EcnFeedback EcnCounter::on_ack(const std::optional<EcnCounts>& reported, std::uint64_t newly_ect0,
                               std::uint64_t newly_ect1) {
  const std::uint64_t newly = newly_ect0 + newly_ect1;
  // RFC 9000 §13.4.2.1: "If an ACK frame newly acknowledges a packet that the endpoint sent with either the ECT(0) or
  // ECT(1) codepoint set, ECN validation fails if the corresponding ECN counts are not present."
  if (!reported) return {newly > 0 ? EcnVerdict::invalid : EcnVerdict::nothing};
  const EcnCounts before = reported_;
  // Counts never shrink, and never exceed what was sent with the code point. Each comparison is a subtraction that
  // cannot wrap once the ones before it hold.
  if (reported->ect0 < before.ect0 || reported->ect1 < before.ect1 || reported->ce < before.ce ||
      reported->ect0 > sent_ect0_ || reported->ect1 > sent_ect1_ ||
      reported->ce > (sent_ect0_ - reported->ect0) + (sent_ect1_ - reported->ect1)) {
    return {EcnVerdict::invalid};
  }
  reported_ = *reported;
  const std::uint64_t marked = reported->ce - before.ce;
  const std::uint64_t ect0 = reported->ect0 - before.ect0;
  const std::uint64_t ect1 = reported->ect1 - before.ect1;
  // Every newly acknowledged ECT packet shows in its own count or in CE; ACK frames that were lost or passed over may
  // have raised the counts further.
  if (ect0 + marked < newly_ect0 || ect1 + marked < newly_ect1 || ect0 + ect1 + marked < newly) {
    return {EcnVerdict::invalid};
  }
  return {newly > 0 ? EcnVerdict::valid : EcnVerdict::nothing, marked};
}

void EcnValidator::on_sent(Ecn ecn) {
  if (state_ != State::testing || ecn != Ecn::ect0) return;
  if (++tests_sent_ == kTestPackets) state_ = State::unknown;
}

void EcnValidator::on_lost(std::uint32_t ect_packets) {
  if (state_ == State::capable || state_ == State::failed) return;
  tests_lost_ += ect_packets;
  // RFC 9000 §A.4: "If all packets ... in this period are declared lost, the validation state is failed."
  if (state_ == State::unknown && tests_sent_ > 0 && tests_lost_ >= tests_sent_) state_ = State::failed;
}

void EcnValidator::on_pto() {
  if (state_ == State::testing && ++timeouts_ == kTestTimeouts) state_ = State::unknown;
}

void EcnValidator::on_ack(EcnVerdict verdict) {
  if (verdict == EcnVerdict::nothing || state_ == State::failed) return;
  state_ = verdict == EcnVerdict::valid ? State::capable : State::failed;
}

}  // namespace mpquic
