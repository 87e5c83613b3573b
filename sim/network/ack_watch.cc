#include "sim/network/ack_watch.h"

#include <utility>
#include <variant>

#include "stack/wire/frame_decode.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] bool has_acks(Bytes payload) {
  constexpr FrameOptions kEverything{
      .multipath = true, .address_advertisement = true, .datagram = true, .numbered_datagram = true};
  FrameDecoder decoder(payload, EncryptionLevel::one_rtt, kEverything);
  while (const auto* frame = decoder.next())
    if (*frame && std::holds_alternative<AckFrame>(**frame)) return true;
  return false;
}

class AckSink final : public trace::Sink {
 public:
  AckSink(std::vector<bool>& built, std::unique_ptr<trace::Sink> inner) : built_(built), inner_(std::move(inner)) {}
  void on_event(const trace::Event& event, Instant now) override {
    const auto* sent = trace::event_if<trace::PacketSent>(event);
    if (sent != nullptr && sent->level == EncryptionLevel::one_rtt) built_.push_back(has_acks(sent->payload));
    if (inner_ != nullptr) inner_->on_event(event, now);
  }
  [[nodiscard]] bool wants_payload() const override { return true; }

 private:
  std::vector<bool>& built_;
  std::unique_ptr<trace::Sink> inner_;
};

}  // namespace

std::unique_ptr<trace::Sink> AckWatch::make_sink(Role role, const ConnectionId& original_dcid) {
  return std::make_unique<AckSink>(built_[static_cast<std::size_t>(role)],
                                   inner_ == nullptr ? nullptr : inner_->make_sink(role, original_dcid));
}

std::vector<bool> AckWatch::take(Role from) { return std::exchange(built_[static_cast<std::size_t>(from)], {}); }

}  // namespace mpquic::sim
