// What carries datagrams between the two peers of a test: a simulated network, or real UDP on loopback.
#pragma once

#include <functional>

#include "stack/endpoint/transport.h"

namespace mpquic::interop {

class Wire {
 public:
  using EventHandler = std::function<void(const Event&)>;

  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  virtual void attach_client(Transport& transport, EventHandler handler) = 0;
  /// A second call puts another server in the place of the first.
  virtual void attach_server(Transport& transport, EventHandler handler) = 0;
  [[nodiscard]] virtual Instant now() const = 0;
  /// Runs until `done` or for `limit`; whether `done` came true.
  [[nodiscard]] virtual bool run(const std::function<bool()>& done, Duration limit) = 0;
  void run_for(Duration time) {
    static_cast<void>(run([] { return false; }, time));
  }

  [[nodiscard]] virtual SocketAddress server_address() const = 0;
  [[nodiscard]] virtual SocketAddress client_address() const = 0;
  [[nodiscard]] virtual SocketAddress other_client_address() const = 0;
};

}  // namespace mpquic::interop
