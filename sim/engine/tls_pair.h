// TLS of a run: real or null, with everything random in it from the seed.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/scenario/scenario.h"
#include "stack/base/rng.h"
#include "stack/crypto/tls_session.h"

namespace mpquic::sim {

/// TLS for both sides, everything random in it from the seed. The Rngs belong to the providers' sessions: keep it
/// longer than the engines.
struct TlsPair {
  std::unique_ptr<SeededRng> client_rng;
  std::unique_ptr<SeededRng> server_rng;
  std::shared_ptr<TlsProvider> client;
  std::shared_ptr<TlsProvider> server;
};
[[nodiscard]] std::expected<TlsPair, std::string> make_tls_pair(
    const Scenario& scenario, std::uint64_t seed, const std::function<void(std::string_view)>& keylog = {});

}  // namespace mpquic::sim
