// The packet seam between the core and its hosts (real sockets, simulator, ns-3): trains of datagrams, both ways.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

/// Datagrams that arrived together on one 4-tuple (UDP GRO): all of `segment_size` bytes but the last, which may be
/// shorter. The bytes are decrypted in place.
struct ReceivedTrain {
  FourTuple tuple;
  Ecn ecn = Ecn::not_ect;
  MutableBytes bytes;
  std::size_t segment_size = 0;
};

/// Datagrams to send on one 4-tuple (UDP GSO): `size` bytes of the caller's buffer, cut every `segment_size`.
struct Transmit {
  FourTuple tuple;
  Ecn ecn = Ecn::not_ect;
  std::size_t size = 0;
  std::size_t segment_size = 0;
  /// Whose it is, should it fail; the host hands it back untouched. 0: nobody's, a stateless answer.
  std::uint64_t sender = 0;
};

enum class TransmitFailure : std::uint8_t { too_big, unreachable, refused };

/// Contract: after any call other than next_deadline(), the host calls poll_transmit() until it gives nothing, then
/// re-arms its single timer from next_deadline(). Time never goes back.
class PacketIo {
 public:
  PacketIo() = default;
  PacketIo(const PacketIo&) = delete;
  PacketIo& operator=(const PacketIo&) = delete;
  virtual ~PacketIo() = default;

  virtual void receive(const ReceivedTrain& train, Instant now) = 0;
  /// Fills `out` with one train. `out` should hold 65,527 bytes; fewer make shorter trains.
  [[nodiscard]] virtual std::optional<Transmit> poll_transmit(MutableBytes out, Instant now) = 0;
  [[nodiscard]] virtual Deadline next_deadline() const = 0;
  virtual void on_deadline(Instant now) = 0;

  /// The socket at `local` stopped or resumed taking datagrams. Only paths that use it wait.
  virtual void set_writable(const SocketAddress& local, bool writable) = 0;
  /// The host could not send that train (EMSGSIZE, ENETUNREACH, ...). The packets count as sent and will be found lost.
  /// What the network tells later (ICMP) names a tuple only: its sender is 0.
  virtual void on_transmit_failed(const Transmit& transmit, TransmitFailure failure, Instant now) = 0;
};

}  // namespace mpquic
