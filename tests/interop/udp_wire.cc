#include "tests/interop/udp_wire.h"

#include <array>

#include "io/system_clock.h"
#include "stack/base/check.h"

namespace mpquic::interop {
namespace {

constexpr Duration kTurn = std::chrono::microseconds(200);  // how long one peer's loop may wait before the other's turn

}  // namespace

std::unique_ptr<io::EventLoop> UdpWire::make_loop(Transport& transport, EventHandler handler) {
  auto loop = io::EventLoop::create(transport);
  MPQUIC_CHECK(loop.has_value());
  (*loop)->set_handler([&transport, handler = std::move(handler)](Instant) {
    while (const auto event = transport.poll_event()) handler(*event);
  });
  return std::move(*loop);
}

void UdpWire::open(io::EventLoop& loop, SocketAddress& address) {
  const auto bound = loop.add_socket({.local = address});
  MPQUIC_CHECK(bound.has_value());
  address = *bound;
}

void UdpWire::attach_client(Transport& transport, EventHandler handler) {
  client_ = make_loop(transport, std::move(handler));
  open(*client_, client_address_);
  open(*client_, other_client_address_);
}

void UdpWire::attach_server(Transport& transport, EventHandler handler) {
  server_.reset();
  server_ = make_loop(transport, std::move(handler));
  open(*server_, server_address_);
}

Instant UdpWire::now() const { return io::SystemClock::now(); }

bool UdpWire::run(const std::function<bool()>& done, Duration limit) {
  const Instant end = now() + limit;
  while (!done()) {
    if (now() >= end) return false;
    for (io::EventLoop* loop : {client_.get(), server_.get()}) {
      const auto ran = loop->run_until(now() + kTurn);
      MPQUIC_CHECK(ran.has_value());
    }
  }
  return true;
}

}  // namespace mpquic::interop
