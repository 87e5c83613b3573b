// What applications may ask an endpoint for.
#include "stack/endpoint/endpoint.h"

namespace mpquic {
namespace {

/// What SNI can carry (RFC 6066 §3, RFC 1035 §2.3.4).
constexpr std::size_t kMaxServerName = 255;

[[nodiscard]] std::unexpected<ConfigError> wrong(std::string field, std::string reason) {
  return std::unexpected(ConfigError{std::move(field), std::move(reason)});
}

}  // namespace

std::expected<void, ConfigError> validate(const EndpointConfig& config) {
  if (auto connection = validate(config.connection); !connection)
    return wrong("connection." + connection.error().field, std::move(connection.error().reason));
  if (config.max_connections > kMostConnections)
    return wrong("max_connections", "at most " + std::to_string(kMostConnections));
  return {};
}

std::expected<void, ConfigError> validate(const ConnectOptions& options) {
  const auto& [local, remote] = options.tuple;
  if (!remote.can_be_peer()) return wrong("tuple.remote", remote.to_string() + " is no address and port of a server");
  if (local.ip.family() != remote.ip.family() || local == remote)
    return wrong("tuple.local", local.to_string() + " cannot send to " + remote.to_string());
  if (options.tls == nullptr) return wrong("tls", "a client needs a TLS provider");
  if (options.server_name.size() > kMaxServerName)
    return wrong("server_name", "longer than " + std::to_string(kMaxServerName) + " bytes");
  if (options.server_name.find('\0') != std::string::npos) return wrong("server_name", "has a zero byte in it");
  if (options.token.size() > kMaxAddressToken)
    return wrong("token", "longer than " + std::to_string(kMaxAddressToken) + " bytes");
  if (options.version == kVersionNegotiation) return wrong("version", "0 means version negotiation (RFC 9000 §15)");
  return {};
}

}  // namespace mpquic
