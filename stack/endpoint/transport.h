// What an application sees of a QUIC endpoint: connections, streams, datagrams, events. Our Endpoint implements it, and
// so does the ngtcp2 engine, so that one application, workload or host runs over either.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/packet_io.h"
#include "stack/base/stream_result.h"
#include "stack/base/strong.h"
#include "stack/base/time.h"
#include "stack/conn/events.h"
#include "stack/conn/stats.h"

namespace mpquic {

/// A connection of one endpoint; never reused.
using ConnectionHandle = Strong<struct ConnectionHandleTag, std::uint64_t>;

struct Event {
  ConnectionHandle connection;
  ConnectionEvent what;
};

/// Calls about a connection that is gone do nothing and give nothing. Events must be polled until there are none.
class Transport : public PacketIo {
 public:
  [[nodiscard]] virtual std::optional<Event> poll_event() = 0;

  [[nodiscard]] virtual std::expected<StreamId, StreamError> open_stream(ConnectionHandle, Directionality) = 0;
  /// Takes as much as the send buffer has room for and says how much. `fin` counts once everything was taken.
  [[nodiscard]] virtual std::expected<std::size_t, StreamError> write(ConnectionHandle, StreamId, Bytes data,
                                                                      bool fin) = 0;
  /// What comes next of a stream, as much as lies in one place; empty without `fin` where it has not arrived yet. Valid
  /// until the next call of anything else. After the fin, or an error, there is nothing more to come.
  [[nodiscard]] virtual std::expected<StreamPiece, StreamError> peek(ConnectionHandle, StreamId) = 0;
  /// The first `bytes` of what peek() gave are done with: the peer may send as much more. With `fin` and all of it, be
  /// it nothing, the stream is.
  virtual void consume(ConnectionHandle, StreamId, std::size_t bytes) = 0;
  virtual void reset_stream(ConnectionHandle, StreamId, std::uint64_t error) = 0;
  virtual void stop_sending(ConnectionHandle, StreamId, std::uint64_t error) = 0;

  /// Queues a DATAGRAM; the sequence number that DatagramLost would name, or nothing where it is too big, the peer
  /// does not take datagrams, or the queue is full. Dropped unsent once `deadline` passes.
  [[nodiscard]] virtual std::optional<std::uint64_t> send_datagram(ConnectionHandle, Bytes data, Deadline deadline) = 0;
  /// One received datagram copied into `out`; its size, or nothing. Longer ones are cut.
  [[nodiscard]] virtual std::optional<std::size_t> receive_datagram(ConnectionHandle, MutableBytes out) = 0;
  /// The largest payload that send_datagram() takes now, 0 if none.
  [[nodiscard]] virtual std::size_t max_datagram_payload(ConnectionHandle) const = 0;

  virtual void close(ConnectionHandle, std::uint64_t application_error, std::string_view reason, Instant now) = 0;
  [[nodiscard]] virtual ConnectionStats stats(ConnectionHandle) const = 0;
  /// Appends one entry per path that ever was open, in PathId order.
  virtual void path_stats(ConnectionHandle, std::vector<PathStats>& out) const = 0;
};

}  // namespace mpquic
