// ngtcp2 as an engine of the simulator: SimulationOptions{.client = peers::make_ngtcp2_engine} runs any scenario over
// its first path.
#pragma once

#include "sim/engine/engine.h"

namespace mpquic::peers {

/// Ignores `setup.tls` and `setup.trace`: GnuTLS makes the handshake, with the certificate that our own client pins,
/// and no qlog is written. As a client it verifies nothing.
[[nodiscard]] std::unique_ptr<sim::Engine> make_ngtcp2_engine(const sim::EngineSetup& setup);

}  // namespace mpquic::peers
