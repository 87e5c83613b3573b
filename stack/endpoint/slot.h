#pragma once

#include <memory>
#include <optional>

#include "stack/conn/connection.h"
#include "stack/endpoint/endpoint.h"

namespace mpquic {

/// A connection with what the endpoint keeps about it.
struct Endpoint::Slot {
  std::uint32_t index = 0;
  std::uint64_t generation = 0;      // of the connection that lives here: part of its handle
  std::shared_ptr<TlsProvider> tls;  // outlives the connection's session
  std::unique_ptr<Connection> connection;
  Role role = Role::client;
  bool half_open = false;
  bool ready = false;        // in ready_
  bool with_events = false;  // in with_events_
  bool accepted_reported = false;
  bool told = false;               // in told_
  std::uint64_t told_version = 0;  // blocked_version_ that its connection knows
  bool finished = false;           // closed, and its last event was polled
  // Server: the client's choice, routed as long as the connection lives: a replay of its first Initial must not open
  // another one.
  ConnectionId initial_dcid;
  SocketAddress initial_remote;
  ConnectionId handshake_cid;  // our first source connection ID
};

struct Endpoint::IncomingInitial {
  FourTuple tuple;
  Ecn ecn = Ecn::not_ect;
  MutableBytes datagram;
  ConnectionId dcid;
  ConnectionId scid;
  ProtectedPacket packet;  // the datagram's first
};

}  // namespace mpquic
