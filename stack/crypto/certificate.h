// Certificates without files: for tests, the demo, the simulator, and for pinning.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/rng.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic {

struct SelfSignedOptions {
  std::string common_name = "mpquic";
  std::vector<std::string> names = {"localhost"};  // subject alternative names: host names and IP addresses
  std::int64_t not_before = 1577836800;            // unix seconds: 2020-01-01
  std::int64_t not_after = 4102444800;             // 2100-01-01
  std::size_t chain_bytes = 0;  // others follow that vouch for nothing, until all are so long on the wire
};

struct Identity {
  std::string certificate_pem;  // the chain
  std::string private_key_pem;
  SpkiFingerprint fingerprint{};
};

/// An Ed25519 key from `rng` and its certificate: equal seeds and options give equal bytes.
[[nodiscard]] std::expected<Identity, std::string> make_self_signed(const SelfSignedOptions& options, Rng& rng);

/// Of the first certificate in `pem`.
[[nodiscard]] std::expected<SpkiFingerprint, std::string> spki_fingerprint(std::string_view pem);

}  // namespace mpquic
