#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "stack/base/rng.h"
#include "tunnel/perf/engine.h"

namespace mpquic::perf {

/// Reads what the options name. Errors are one line.
[[nodiscard]] std::expected<Credentials, std::string> load_credentials(const ClientOptions& options);
/// With --self-signed, makes a certificate and sets `pin` (hex).
[[nodiscard]] std::expected<Credentials, std::string> load_credentials(const ServerOptions& options, Rng& rng,
                                                                       std::string& pin);

/// The file that a client keeps its session ticket and address token in. A missing file is nothing to resume from.
[[nodiscard]] std::expected<Resumption, std::string> load_resumption(const std::string& path);
[[nodiscard]] std::expected<void, std::string> save_resumption(const std::string& path, const Resumption& resumption);

}  // namespace mpquic::perf
