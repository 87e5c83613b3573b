// The seam between the event loop and what carries its datagrams: UdpSocket in production, a fake in tests.
#pragma once

#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>
#include <span>

#include "stack/base/packet_io.h"

namespace mpquic::io {

enum class SendStatus : std::uint8_t { sent, blocked, failed };

struct SendResult {
  SendStatus status = SendStatus::sent;
  std::size_t taken = 0;  // bytes that left; whole segments. The rest is to be kept (blocked) or given up (failed)
  TransmitFailure failure = TransmitFailure::unreachable;  // where status is failed
};

/// What the network said about something sent earlier (ICMP). Not authenticated: a hint.
struct DeliveryError {
  FourTuple tuple;
  TransmitFailure failure = TransmitFailure::unreachable;
};

/// Buffers for one receive call, shared by all sockets of a loop. About 2 MB, allocated once.
struct ReceiveBatch {
  static constexpr std::size_t kSlots = 32;
  static constexpr std::size_t kSlotBytes = 65536;  // a GRO train is one IP packet's worth
  static constexpr std::size_t kControlBytes = 128;

  ReceiveBatch();
  [[nodiscard]] MutableBytes slot(std::size_t i) { return {memory.get() + i * kSlotBytes, kSlotBytes}; }

  std::unique_ptr<std::byte[]> memory;
  std::array<ReceivedTrain, kSlots> trains{};
  std::array<sockaddr_storage, kSlots> names{};
  alignas(std::max_align_t) std::array<std::array<std::byte, kControlBytes>, kSlots> controls{};
  std::array<iovec, kSlots> vectors{};
  std::array<mmsghdr, kSlots> messages{};
};

class DatagramSocket {
 public:
  DatagramSocket() = default;
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;
  virtual ~DatagramSocket() = default;

  /// To be polled: readable means receive(), writable means that a blocked send() may go on, error next_error().
  [[nodiscard]] virtual int fd() const = 0;
  /// As bound, with the port that the kernel chose; the address may be unspecified.
  [[nodiscard]] virtual const SocketAddress& local_address() const = 0;
  /// Sends `bytes` as datagrams of `transmit.segment_size`, on `transmit.tuple`, marked `transmit.ecn`.
  [[nodiscard]] virtual SendResult send(const Transmit& transmit, Bytes bytes) = 0;
  /// At most one batch of trains, valid until the batch is used again; empty if there is nothing to read. A full batch
  /// (kSlots trains) means that there may be more.
  [[nodiscard]] virtual std::span<const ReceivedTrain> receive(ReceiveBatch& batch) = 0;
  [[nodiscard]] virtual std::optional<DeliveryError> next_error() = 0;
  /// To be called when the host's interfaces have changed. The device that the socket is bound to may have been removed
  /// and made anew, which the kernel takes for another one: true if the socket is bound to that one now. It then has
  /// another fd(), and everything else as before.
  [[nodiscard]] virtual bool reopen() = 0;
};

}  // namespace mpquic::io
