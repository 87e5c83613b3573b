#include "tests/interop/session.h"

#include "tests/interop/udp_wire.h"

namespace mpquic::interop {

Session::Session(const Engines& engines, Plan plan)
    : plan_(std::move(plan)), server_kind_(engines.server), client_rng_(plan_.seed, 2), server_rng_(plan_.seed, 3) {
  if (plan_.wire == WireKind::udp) {
    wire_ = std::make_unique<UdpWire>();
  } else {
    auto network = std::make_unique<Network>(plan_.conditions, plan_.seed);
    network_ = network.get();
    wire_ = std::move(network);
  }
  plan_.client.role = Role::client;
  plan_.server.role = Role::server;
  plan_.server.static_key.fill(std::byte{7});
  client_ = make_peer(engines.client, plan_.client, client_rng_);
  client_app_.emplace(client_->transport(), 0);
  wire_->attach_client(client_->transport(), [this](const Event& event) { client_app_->on_event(event); });
  restart_server();
  client_app_->adopt(client_->connect({wire_->client_address(), wire_->server_address()}, wire_->now()));
}

void Session::restart_server() {
  auto former = std::move(server_);  // outlives the wire's use of it
  server_ = make_peer(server_kind_, plan_.server, server_rng_);
  server_app_.emplace(server_->transport(), plan_.reply_bytes);
  wire_->attach_server(server_->transport(), [this](const Event& event) { server_app_->on_event(event); });
}

bool Session::establish() {
  constexpr Duration kLimit = std::chrono::seconds(60);
  return wire_->run([this] { return client_app_->confirmed() && server_app_->completed(); }, kLimit);
}

}  // namespace mpquic::interop
