// Two TLS sessions that talk to each other without a network: bytes of each level go across until nothing moves.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/overloaded.h"
#include "stack/crypto/certificate.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic::crypto_testing {

inline constexpr auto kInitial = EncryptionLevel::initial;
inline constexpr auto kHandshake = EncryptionLevel::handshake;
inline constexpr std::uint64_t kUnexpectedMessage = error::kCryptoErrorBase + 10;
inline std::uint64_t code_of(const std::optional<TransportError>& error) { return error ? error->code : 0; }

inline constexpr std::int64_t kTestTime = 1'700'000'000;  // 2023-11-14

/// A certificate for "server.test" and 192.0.2.1, always the same for a seed.
inline Identity identity_of(std::uint64_t seed, SelfSignedOptions options = {.common_name = "test",
                                                                             .names = {"server.test", "192.0.2.1"}}) {
  SeededRng rng(seed);
  return make_self_signed(options, rng).value_or(Identity{});
}

inline TlsConfig server_config(const Identity& identity = identity_of(1)) {
  TlsConfig config;
  config.role = Role::server;
  config.alpn = {"mpq"};
  config.certificate_chain_pem = identity.certificate_pem;
  config.private_key_pem = identity.private_key_pem;
  return config;
}

inline TlsConfig client_config(const Identity& trusted = identity_of(1)) {
  TlsConfig config;
  config.role = Role::client;
  config.alpn = {"mpq"};
  config.trust.ca_pem = trusted.certificate_pem;
  return config;
}

/// One side: a session and all that came out of it.
struct TlsPeer {
  std::unique_ptr<TlsSession> session;
  std::optional<TransportError> error;
  std::vector<std::pair<EncryptionLevel, std::vector<std::byte>>> outbox;
  std::vector<std::byte> transcript;  // every byte that it ever sent
  std::map<std::pair<EncryptionLevel, bool>, TlsSecretReady> secrets;
  std::optional<std::string> peer_parameters;
  std::optional<TlsCompleted> completed;
  std::vector<std::vector<std::byte>> tickets;

  void note(const Result<void>& result) {
    if (!result && !error) error = result.error();
    while (auto event = session->poll_event()) {
      std::visit(overloaded{
                     [&](const TlsHandshakeData& data) {
                       outbox.emplace_back(data.level, std::vector(data.data.begin(), data.data.end()));
                       transcript.insert(transcript.end(), data.data.begin(), data.data.end());
                     },
                     [&](const TlsSecretReady& ready) {
                       secrets[{ready.level, ready.write}] = ready;
                     },
                     [&](const TlsPeerParameters& parameters) { peer_parameters = as_text(parameters.encoded); },
                     [&](const TlsCompleted& done) { completed = done; },
                     [&](TlsTicket& ticket) { tickets.push_back(std::move(ticket.session)); },
                 },
                 *event);
    }
  }
  void receive(EncryptionLevel level, Bytes data) { note(session->receive(level, data)); }
};

struct TlsLoopback {
  TlsPeer client;
  TlsPeer server;
  std::string failure;  // of the set-up
  std::size_t piece = SIZE_MAX;

  struct Options {
    TlsConfig client = client_config();
    TlsConfig server = server_config();
    std::string server_name = "server.test";
    std::string client_parameters = "client parameters";
    std::string server_parameters = "server parameters";
    std::vector<std::byte> ticket{};
    std::size_t piece = SIZE_MAX;  // bytes per receive()
  };

  explicit TlsLoopback(const Options& options) : piece(options.piece) {
    const auto client_provider = make_tls_provider(options.client);
    const auto server_provider = make_tls_provider(options.server);
    if (!client_provider) failure = client_provider.error();
    if (!server_provider) failure = server_provider.error();
    if (failure.empty()) open(**client_provider, **server_provider, options);
  }
  TlsLoopback(TlsProvider& client_provider, TlsProvider& server_provider, const Options& options)
      : piece(options.piece) {
    open(client_provider, server_provider, options);
  }

  /// The whole handshake, as far as it goes.
  TlsLoopback& run() {
    if (!failure.empty()) return *this;
    client.note(client.session->start());
    return continue_run();
  }
  /// The same, of a handshake that began.
  TlsLoopback& continue_run() {
    while (exchange()) {}
    return *this;
  }
  /// What both sides have to say. False: nothing.
  bool exchange() {
    const bool by_client = pass(client, server);
    return pass(server, client) || by_client;
  }
  [[nodiscard]] bool completed() const {
    return client.completed && server.completed && !client.error && !server.error;
  }

 private:
  void open(TlsProvider& client_provider, TlsProvider& server_provider, const Options& options) {
    const auto bytes = [](const std::string& text) {
      return std::vector(as_bytes(text).begin(), as_bytes(text).end());
    };
    auto ours = client_provider.make_session(
        {Role::client, options.server_name, bytes(options.client_parameters), options.ticket});
    auto theirs = server_provider.make_session({Role::server, {}, bytes(options.server_parameters), {}});
    if (!ours) failure = ours.error().reason;
    if (!theirs) failure = theirs.error().reason;
    if (!failure.empty()) return;
    client.session = *std::move(ours);
    server.session = *std::move(theirs);
  }
  bool pass(TlsPeer& from, TlsPeer& to) const {
    bool moved = false;
    for (const auto& [level, data] : std::exchange(from.outbox, {})) {
      for (Bytes rest(data); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size())))
        to.receive(level, rest.first(std::min(piece, rest.size())));
      moved = true;
    }
    return moved;
  }
};

}  // namespace mpquic::crypto_testing
