// Which of a host's datagrams carry acknowledgements, for `drop_datagrams` with `acks: on`. They are encrypted when the
// world sees them, so the engine's trace has to tell: it shows each packet before the train with it goes out.
#pragma once

#include <memory>
#include <vector>

#include "stack/base/ids.h"
#include "stack/trace/sink.h"

namespace mpquic::sim {

class AckWatch final : public trace::SinkFactory {
 public:
  /// `inner` may be null, and outlives the watch.
  explicit AckWatch(trace::SinkFactory* inner) : inner_(inner) {}
  [[nodiscard]] std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId& original_dcid) override;

  /// One flag for each 1-RTT packet that the host has built since the last call: it has ACK or PATH_ACK frames.
  [[nodiscard]] std::vector<bool> take(Role from);

 private:
  trace::SinkFactory* inner_;
  std::vector<bool> built_[2];  // by role
};

}  // namespace mpquic::sim
