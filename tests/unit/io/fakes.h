// Test doubles of both sides of the event loop.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "io/datagram_socket.h"
#include "stack/base/packet_io.h"

namespace mpquic::io::fakes {

/// On loopback.
constexpr SocketAddress at(std::uint8_t last, std::uint16_t port = 0) {
  return {IpAddress::v4({127, 0, 0, last}), port};
}

/// A core that records what it is told and sends what it is given.
class FakeCore final : public PacketIo {
 public:
  struct Outgoing {
    FourTuple tuple;
    std::vector<std::byte> bytes;
    std::size_t segment = 0;
    Ecn ecn = Ecn::not_ect;
  };
  struct Incoming {
    FourTuple tuple;
    std::vector<std::byte> bytes;
    std::size_t segment = 0;
    Ecn ecn = Ecn::not_ect;
  };

  void receive(const ReceivedTrain& train, Instant now) override {
    received.push_back({train.tuple, {train.bytes.begin(), train.bytes.end()}, train.segment_size, train.ecn});
    if (on_receive) on_receive(train, now);
  }
  std::optional<Transmit> poll_transmit(MutableBytes out, Instant) override {
    if (to_send.empty()) return std::nullopt;
    const Outgoing next = std::move(to_send.front());
    to_send.pop_front();
    std::copy(next.bytes.begin(), next.bytes.end(), out.begin());
    return Transmit{next.tuple, next.ecn, next.bytes.size(), next.segment};
  }
  Deadline next_deadline() const override { return deadline; }
  void on_deadline(Instant now) override {
    fired.push_back(now);
    deadline.reset();
  }
  void set_writable(const SocketAddress& local, bool writable) override { writability.emplace_back(local, writable); }
  void on_transmit_failed(const Transmit& transmit, TransmitFailure failure, Instant) override {
    failures.emplace_back(transmit.tuple, failure);
  }

  std::deque<Outgoing> to_send;
  std::vector<Incoming> received;
  std::vector<Instant> fired;
  std::vector<std::pair<SocketAddress, bool>> writability;
  std::vector<std::pair<FourTuple, TransmitFailure>> failures;
  Deadline deadline;
  std::function<void(const ReceivedTrain&, Instant)> on_receive;
};

/// A socket that takes as many bytes as it has room for. An eventfd stands for the kernel: "writable" below its
/// maximum.
class FakeSocket final : public DatagramSocket {
 public:
  explicit FakeSocket(const SocketAddress& local) : local_(local), fd_(eventfd(0, EFD_NONBLOCK)) {}
  ~FakeSocket() override { ::close(fd_); }

  int fd() const override { return fd_; }
  const SocketAddress& local_address() const override { return local_; }
  SendResult send(const Transmit& transmit, Bytes bytes) override {
    if (failure) return {SendStatus::failed, 0, *failure};
    const std::size_t whole = room / transmit.segment_size * transmit.segment_size;
    const std::size_t taken = std::min(bytes.size(), bytes.size() <= room ? bytes.size() : whole);
    sent.append(as_text(bytes.first(taken)));
    room -= taken;
    return {taken < bytes.size() ? SendStatus::blocked : SendStatus::sent, taken, {}};
  }
  std::span<const ReceivedTrain> receive(ReceiveBatch&) override { return {}; }
  std::optional<DeliveryError> next_error() override { return std::nullopt; }
  bool reopen() override { return false; }

  std::size_t room = SIZE_MAX;
  std::optional<TransmitFailure> failure;
  std::string sent;

 private:
  SocketAddress local_;
  int fd_;
};

}  // namespace mpquic::io::fakes
