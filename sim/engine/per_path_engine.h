// What a user without multipath has: one connection per WAN, and flows hashed over them. Behind the Engine seam it
// looks like one connection, so that the same application, workloads and checks run over it.
#pragma once

#include <functional>
#include <optional>

#include "sim/engine/engine.h"

namespace mpquic::sim {

struct PerPathSetup {
  /// The WAN that the peer's or our own address belongs to.
  std::function<std::optional<std::size_t>(const SocketAddress& client)> path_of;
  std::size_t connections = 1;  // opened at the start: the application waits for these
};

/// Streams go to a connection by a hash of their ordinal, datagrams by a hash of their first eight bytes (the
/// workload), over the connections that are open then. A flow stays where it is: if its connection dies, so does it.
/// The application hears of the handshake once all `connections` are up, or half a second after the first one.
[[nodiscard]] std::unique_ptr<Engine> make_per_path_engine(const EngineFactory& inner, const EngineSetup& setup,
                                                           PerPathSetup per_path);

}  // namespace mpquic::sim
