// Real UDP on loopback: each peer behind its own event loop of io/, both in this thread.
#pragma once

#include <memory>

#include "io/event_loop.h"
#include "tests/interop/wire.h"

namespace mpquic::interop {

class UdpWire final : public Wire {
 public:
  void attach_client(Transport& transport, EventHandler handler) override;
  void attach_server(Transport& transport, EventHandler handler) override;
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] bool run(const std::function<bool()>& done, Duration limit) override;
  [[nodiscard]] SocketAddress server_address() const override { return server_address_; }
  [[nodiscard]] SocketAddress client_address() const override { return client_address_; }
  [[nodiscard]] SocketAddress other_client_address() const override { return other_client_address_; }

 private:
  [[nodiscard]] static std::unique_ptr<io::EventLoop> make_loop(Transport& transport, EventHandler handler);
  static void open(io::EventLoop& loop, SocketAddress& address);

  // Port 0 until the kernel has chosen one; the restarted server takes the first one's.
  SocketAddress server_address_{IpAddress::v4({127, 0, 0, 1}), 0};
  SocketAddress client_address_{IpAddress::v4({127, 0, 0, 2}), 0};
  SocketAddress other_client_address_{IpAddress::v4({127, 0, 0, 3}), 0};
  std::unique_ptr<io::EventLoop> client_;
  std::unique_ptr<io::EventLoop> server_;
};

}  // namespace mpquic::interop
