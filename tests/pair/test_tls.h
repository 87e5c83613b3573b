// TLS for both sides of a test: one identity, pinned by the client. Everything follows from the Rng and a fixed time.
#pragma once

#include <memory>
#include <vector>

#include "stack/base/rng.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic::test {

struct TestTls {
  std::shared_ptr<TlsProvider> server;
  std::shared_ptr<TlsProvider> client;
};

/// `suites` are the client's; empty: the provider's default. `rng` must outlive the providers.
[[nodiscard]] TestTls make_test_tls(Rng& rng, const std::vector<CipherSuite>& suites = {});

}  // namespace mpquic::test
