// The seam for observers. Without a sink, tracing costs one branch per event.
#pragma once

#include <memory>

#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"
#include "stack/trace/event.h"

namespace mpquic::trace {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual void on_event(const Event& event, Instant now) = 0;
  /// False: PacketSent::payload may be empty, which saves a copy per packet.
  [[nodiscard]] virtual bool wants_payload() const { return true; }
};

class SinkFactory {
 public:
  SinkFactory() = default;
  SinkFactory(const SinkFactory&) = delete;
  SinkFactory& operator=(const SinkFactory&) = delete;
  virtual ~SinkFactory() = default;
  /// `original_dcid` names the connection in both endpoints' traces (qlog's group_id). May give nullptr: not traced.
  [[nodiscard]] virtual std::unique_ptr<Sink> make_sink(Role role, const ConnectionId& original_dcid) = 0;
};

}  // namespace mpquic::trace
