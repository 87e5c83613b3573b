// One thread's epoll loop: it hosts one PacketIo (our Endpoint or the ngtcp2 engine) over any number of sockets.
//
// A turn: wait for sockets, watched descriptors or the one deadline; receive at most one batch of trains per readable
// socket; fire the deadline; then, in turn, let the application take its events and send what there is to send, until
// neither has anything left or the budget of the turn is used up (the next turn then begins without waiting).
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "io/datagram_socket.h"
#include "io/descriptor.h"
#include "io/error.h"
#include "io/interface_watch.h"
#include "io/udp_socket.h"

namespace mpquic::io {

class EventLoop {
 public:
  using Handler = std::move_only_function<void(Instant)>;

  struct Counters {
    std::uint64_t turns = 0;
    std::uint64_t trains_received = 0;
    std::uint64_t trains_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t sends_blocked = 0;
    std::uint64_t sends_failed = 0;
    std::uint64_t trains_dropped = 0;  // no socket for their local address, or too many waiting for a full socket
  };

  /// `io` must outlive the loop.
  [[nodiscard]] static Result<std::unique_ptr<EventLoop>> create(PacketIo& io);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  /// Opens a UDP socket and gives the address that it is bound to.
  [[nodiscard]] Result<SocketAddress> add_socket(const UdpSocketOptions& options);
  [[nodiscard]] Result<void> add_socket(std::unique_ptr<DatagramSocket> socket);
  void remove_socket(const SocketAddress& local);

  /// Calls `on_readable` while `fd` (not owned) is readable: signals, a TUN device, a control socket.
  [[nodiscard]] Result<void> watch(int fd, Handler on_readable);
  void unwatch(int fd);

  /// Called in every turn, before and after sending: poll the transport's events, move application data.
  void set_handler(Handler handler) { handler_ = std::move(handler); }
  /// Called, besides the core, where a datagram could not be sent or the network says (ICMP, unauthenticated) that it
  /// did not arrive: for people who wait for an answer.
  void set_failure_handler(std::move_only_function<void(const DeliveryError&)> handler) {
    on_failure_ = std::move(handler);
  }
  /// The application's own timer: a turn (and so the handler) happens when it passes. One shot.
  void set_application_deadline(Deadline deadline) { application_deadline_ = deadline; }

  /// Runs until stop().
  [[nodiscard]] Result<void> run();
  /// Runs until stop() or until `end`.
  [[nodiscard]] Result<void> run_until(Instant end);
  /// After everything was closed: runs until the PacketIo waits for nothing any more, at most for `limit`.
  [[nodiscard]] Result<void> drain(Duration limit);
  /// Ends run(), or the next one if none is running. May be called from any thread and from signal handlers.
  void stop();

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Socket;
  struct Watch;
  enum class Until : std::uint8_t { stopped, idle };

  EventLoop(PacketIo& io, Descriptor epoll, Descriptor wakeup);
  [[nodiscard]] Result<void> loop(Until until, Deadline end);
  [[nodiscard]] Result<void> turn(Deadline end);
  [[nodiscard]] int wait(Deadline end, std::span<epoll_event> events);
  void dispatch(const epoll_event& event);
  void receive(Socket& socket);
  void report_errors(Socket& socket);
  [[nodiscard]] bool transmit();  // whether there was anything to send
  void send(Socket& socket, const Transmit& transmit, Bytes bytes);
  void account(const Transmit& transmit, const SendResult& result);
  void fail(const Transmit& transmit, TransmitFailure failure);
  void hold(Socket& socket, const Transmit& transmit, Bytes rest);
  void flush(Socket& socket);
  [[nodiscard]] Result<void> watch_interfaces();
  void reopen_sockets();
  [[nodiscard]] Socket* socket_for(const SocketAddress& local);
  void poll_writable(Socket& socket, bool wanted);

  PacketIo& io_;
  Descriptor epoll_;
  Descriptor wakeup_;
  Handler handler_;
  std::move_only_function<void(const DeliveryError&)> on_failure_;
  Deadline application_deadline_;
  bool stop_requested_ = false;
  bool more_to_send_ = false;
  bool has_pwait2_ = true;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::optional<InterfaceWatch> interfaces_;  // where a socket is bound to one of them
  ReceiveBatch batch_;
  std::unique_ptr<std::byte[]> send_buffer_;
  Counters counters_;
};

}  // namespace mpquic::io
