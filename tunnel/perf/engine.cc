#include "tunnel/perf/engine.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "io/files.h"
#include "stack/crypto/tls_provider.h"
#include "stack/endpoint/endpoint.h"
#include "tunnel/perf/protocol.h"
#include "tunnel/perf/trace_files.h"

namespace mpquic::perf {
namespace {

class OurEngine final : public Engine {
 public:
  /// `trace` may be nullptr.
  OurEngine(EndpointConfig config, std::unique_ptr<trace::SinkFactory> trace, Rng& rng)
      : trace_(std::move(trace)), endpoint_(with_trace(std::move(config), trace_.get()), rng) {}

  void set_client(std::shared_ptr<TlsProvider> tls, std::string server_name) {
    tls_ = std::move(tls);
    server_name_ = std::move(server_name);
  }

  Transport& transport() override { return endpoint_; }
  std::expected<ConnectionHandle, std::string> connect(const FourTuple& tuple, const Resumption& from,
                                                       Instant now) override {
    const auto connection = endpoint_.connect({tuple, server_name_, tls_, from.ticket, from.token}, now);
    if (!connection) return std::unexpected(connection.error().text());
    return *connection;
  }
  std::expected<void, std::string> open_path(ConnectionHandle handle, const FourTuple& tuple, Instant now) override {
    const auto opened = endpoint_.open_path(handle, tuple, now);
    if (!opened) return std::unexpected(std::string(name_of(opened.error())));
    return {};
  }
  std::expected<void, std::string> migrate_path(ConnectionHandle handle, const SocketAddress& local,
                                                Instant now) override {
    const auto moved = endpoint_.migrate_path(handle, kInitialPath, local, now);
    if (!moved) return std::unexpected(std::string(name_of(moved.error())));
    return {};
  }
  void update_keys(ConnectionHandle handle, Instant) override { endpoint_.initiate_key_update(handle); }
  void take_resumption(ConnectionHandle handle, Resumption& out) override {
    while (auto ticket = endpoint_.take_ticket(handle)) out.ticket = std::move(*ticket);
    while (auto token = endpoint_.take_token(handle)) out.token = std::move(*token);
  }

 private:
  [[nodiscard]] static EndpointConfig with_trace(EndpointConfig config, trace::SinkFactory* trace) {
    config.trace = trace;
    return config;
  }

  std::unique_ptr<trace::SinkFactory> trace_;
  Endpoint endpoint_;
  std::shared_ptr<TlsProvider> tls_;
  std::string server_name_;
};

[[nodiscard]] std::expected<void, std::string> set_keylog(const std::string& path, TlsConfig& tls) {
  if (path.empty()) return {};
  auto file = io::File::open_secret_log(path);
  if (!file) return std::unexpected(file.error().message);
  tls.keylog = [log = std::make_shared<io::File>(std::move(*file)), whole = true](std::string_view line) mutable {
    if (!whole) return;
    const auto written = log->append(as_bytes(std::string(line) + "\n"));
    if (written) return;
    whole = false;  // a full disk ends the log, not the connections
    spdlog::warn("{}", written.error().message);
  };
  return {};
}

[[nodiscard]] std::expected<std::unique_ptr<OurEngine>, std::string> make_ours(const CommonOptions& options,
                                                                               EndpointConfig config, Rng& rng) {
  config.connection = options.connection;
  if (const auto valid = validate(config); !valid) return std::unexpected(valid.error().text());
  std::unique_ptr<trace::SinkFactory> trace;
  if (!options.qlog_directory.empty()) {
    auto files = make_qlog_files(options.qlog_directory);
    if (!files) return std::unexpected(files.error());
    trace = std::move(*files);
  }
  return std::make_unique<OurEngine>(std::move(config), std::move(trace), rng);
}

}  // namespace

std::expected<std::unique_ptr<Engine>, std::string> make_server_engine(const ServerOptions& options,
                                                                       const Credentials& credentials, Rng& rng) {
  if (options.common.engine == "ngtcp2") return make_ngtcp2_server(options, credentials, rng);
  TlsConfig tls;
  tls.role = Role::server;
  tls.alpn = {std::string(kHqAlpn), std::string(kPerfAlpn)};
  tls.certificate_chain_pem = credentials.certificate_pem;
  tls.private_key_pem = credentials.key_pem;
  tls.trust.ca_pem = credentials.ca_pem;
  tls.require_client_certificate = !credentials.ca_pem.empty();
  if (auto keylog = set_keylog(options.common.keylog_file, tls); !keylog) return std::unexpected(keylog.error());
  auto provider = make_tls_provider(tls);
  if (!provider) return std::unexpected(provider.error());
  EndpointConfig config;
  config.server_tls = std::move(*provider);
  config.require_retry = options.retry;
  return make_ours(options.common, std::move(config), rng);
}

std::expected<std::unique_ptr<Engine>, std::string> make_client_engine(const ClientOptions& options,
                                                                       const Credentials& credentials, Rng& rng) {
  if (options.common.engine == "ngtcp2") return make_ngtcp2_client(options, credentials, rng);
  TlsConfig tls;
  tls.role = Role::client;
  tls.alpn = {options.alpn};
  tls.certificate_chain_pem = credentials.certificate_pem;
  tls.private_key_pem = credentials.key_pem;
  tls.trust.ca_pem = credentials.ca_pem;
  tls.trust.pins = credentials.pins;
  tls.trust.insecure = options.insecure;
  if (auto keylog = set_keylog(options.common.keylog_file, tls); !keylog) return std::unexpected(keylog.error());
  auto provider = make_tls_provider(tls);
  if (!provider) return std::unexpected(provider.error());
  auto engine = make_ours(options.common, {}, rng);
  if (!engine) return std::unexpected(engine.error());
  (*engine)->set_client(std::move(*provider), options.server_name);
  return engine;
}

}  // namespace mpquic::perf
