// The QUIC implementation behind the program: ours, or ngtcp2 as the independent peer. Beyond Transport they differ in
// how connections begin.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/rng.h"
#include "stack/endpoint/transport.h"
#include "tunnel/perf/options.h"

namespace mpquic::perf {

/// How to resume: from a former connection to the same server.
struct Resumption {
  std::vector<std::byte> ticket;
  std::vector<std::byte> token;  // for the first Initial (RFC 9000 §8.1.3), once
  std::string token_address{};   // of ours that it came to: it is worth nothing from another one
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  [[nodiscard]] virtual Transport& transport() = 0;
  /// Why not, in words, where the configuration cannot work.
  [[nodiscard]] virtual std::expected<ConnectionHandle, std::string> connect(const FourTuple& tuple,
                                                                             const Resumption& from, Instant now) = 0;
  /// Why not, in words, if the path cannot even be asked for.
  [[nodiscard]] virtual std::expected<void, std::string> open_path(ConnectionHandle, const FourTuple& tuple,
                                                                   Instant now) = 0;
  /// Moves path 0 to another local address. Why not, in words.
  [[nodiscard]] virtual std::expected<void, std::string> migrate_path(ConnectionHandle, const SocketAddress& local,
                                                                      Instant now) = 0;
  virtual void update_keys(ConnectionHandle, Instant now) = 0;
  /// What has arrived since the last call is added to `out`; older contents are replaced.
  virtual void take_resumption(ConnectionHandle, Resumption& out) = 0;
};

/// PEM text and pins, read and checked.
struct Credentials {
  std::string certificate_pem;
  std::string key_pem;
  std::string ca_pem;  // client: for the server. Server: for its clients
  std::vector<std::array<std::byte, 32>> pins;
};

/// `rng` must outlive the engine. Errors are one line that says what to change.
[[nodiscard]] std::expected<std::unique_ptr<Engine>, std::string> make_server_engine(const ServerOptions& options,
                                                                                     const Credentials& credentials,
                                                                                     Rng& rng);
[[nodiscard]] std::expected<std::unique_ptr<Engine>, std::string> make_client_engine(const ClientOptions& options,
                                                                                     const Credentials& credentials,
                                                                                     Rng& rng);

/// Parts of the above.
[[nodiscard]] std::expected<std::unique_ptr<Engine>, std::string> make_ngtcp2_server(const ServerOptions&,
                                                                                     const Credentials&, Rng&);
[[nodiscard]] std::expected<std::unique_ptr<Engine>, std::string> make_ngtcp2_client(const ClientOptions&,
                                                                                     const Credentials&, Rng&);

}  // namespace mpquic::perf
