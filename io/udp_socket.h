// A non-blocking UDP socket bound to one address and, where asked, to one device.
#pragma once

#include <memory>
#include <string>

#include "io/datagram_socket.h"
#include "io/descriptor.h"
#include "io/error.h"

namespace mpquic::io {

struct UdpSocketOptions {
  SocketAddress local;   // port 0: the kernel chooses. An unspecified address learns each datagram's (IP_PKTINFO)
  std::string device{};  // SO_BINDTODEVICE where not empty; needs CAP_NET_RAW on kernels before 5.7
  std::size_t send_buffer = 4U << 20;  // asked for; the kernel may grant less
  std::size_t receive_buffer = 8U << 20;
  bool gso = true;           // UDP_SEGMENT where the kernel has it
  bool gro = true;           // UDP_GRO where the kernel has it
  bool icmp_errors = false;  // IP_RECVERR: next_error() tells of refused and unreachable destinations
};

class UdpSocket final : public DatagramSocket {
 public:
  [[nodiscard]] static Result<std::unique_ptr<UdpSocket>> open(const UdpSocketOptions& options);

  [[nodiscard]] int fd() const override { return fd_.get(); }
  [[nodiscard]] const SocketAddress& local_address() const override { return local_; }
  [[nodiscard]] SendResult send(const Transmit& transmit, Bytes bytes) override;
  [[nodiscard]] std::span<const ReceivedTrain> receive(ReceiveBatch& batch) override;
  [[nodiscard]] std::optional<DeliveryError> next_error() override;
  [[nodiscard]] bool reopen() override;

  [[nodiscard]] bool uses_gso() const { return gso_; }
  [[nodiscard]] bool uses_gro() const { return gro_; }

 private:
  struct Outgoing;
  UdpSocket(Descriptor fd, const UdpSocketOptions& options);
  [[nodiscard]] Result<void> configure(const UdpSocketOptions& options);
  [[nodiscard]] SendResult send_offloaded(const Outgoing& out, Bytes bytes);
  [[nodiscard]] SendResult send_each(const Outgoing& out, Bytes bytes);
  [[nodiscard]] std::optional<ReceivedTrain> train_of(ReceiveBatch& batch, std::size_t i) const;

  /// Zones as the kernel knows them now, and as the stack does.
  [[nodiscard]] SocketAddress outward(const SocketAddress& address) const;
  [[nodiscard]] SocketAddress inward(const SocketAddress& address) const;

  Descriptor fd_;
  UdpSocketOptions options_;
  SocketAddress local_;
  std::string device_;            // that it cannot do without; empty: any
  std::uint32_t known_zone_ = 0;  // the device's number when the socket was opened first
  std::uint32_t zone_ = 0;        // ... and now: a device that is made anew has a new one
  bool gso_ = false;
  bool gro_ = false;
  bool icmp_errors_ = false;
};

}  // namespace mpquic::io
