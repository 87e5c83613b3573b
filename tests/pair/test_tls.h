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

struct TestTlsOptions {
  std::vector<CipherSuite> suites;   // the client's; empty: the provider's default
  std::size_t chain = 1;             // certificates that the server sends, about 330 bytes each
  bool client_certificates = false;  // the client has one, and the server insists on it
};

/// `rng` must outlive the providers.
[[nodiscard]] TestTls make_test_tls(Rng& rng, const TestTlsOptions& options = {});

}  // namespace mpquic::test
