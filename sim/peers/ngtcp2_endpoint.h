// ngtcp2 (Debian's 0.12, GnuTLS backend) behind our Transport: the independent peer of the interop tests, and the
// single-path baseline of the comparisons. It is sans-IO as we are, so that any host, workload or application runs over
// either engine.
//
// GnuTLS draws from its own random generator: handshake bytes differ from run to run, everything else follows `rng`.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/rng.h"
#include "stack/conn/config.h"
#include "stack/endpoint/transport.h"

namespace mpquic::peers {

struct Ngtcp2Config {
  /// Windows, limits, timeouts, datagram sizes and `congestion_control`: "cubic", "new_reno" (or "newreno", "reno"),
  /// "bbr", "bbr2". Multipath, scheduler, pacing and grease settings mean nothing here.
  ConnectionConfig connection;
  std::vector<std::string> alpn;
  /// Server: certificate chain and key, PEM text. Without them Initials are ignored.
  std::string certificate_pem;
  std::string private_key_pem;
  bool require_retry = false;  // RFC 9000 §8.1.2
  /// Client: trust anchors, PEM text. Empty: the server is not verified.
  std::string ca_pem;
  /// Key of tokens and stateless resets. Two endpoints with the same one are "the same server, restarted".
  std::array<std::byte, 32> static_key{};
  std::function<void(std::string_view)> keylog;  // lines of an NSS key log; may be empty
};

struct Ngtcp2ConnectOptions {
  FourTuple tuple;
  std::string server_name;
  std::uint32_t version = 1;  // a reserved one, 0x?a?a?a?a, provokes version negotiation
  std::vector<std::byte> token;
};

class Ngtcp2Endpoint final : public Transport {
 public:
  /// False where the TLS credentials of `config` cannot be used: connect() then fails, and Initials are ignored.
  [[nodiscard]] bool ready() const;

  /// `rng` must outlive the endpoint.
  Ngtcp2Endpoint(Ngtcp2Config config, Rng& rng);
  ~Ngtcp2Endpoint() override;

  [[nodiscard]] std::optional<ConnectionHandle> connect(const Ngtcp2ConnectOptions& options, Instant now);
  /// Client: validates a path from another local address and moves there (RFC 9000 §9). False where the rules forbid it
  /// now.
  [[nodiscard]] bool migrate(ConnectionHandle, const SocketAddress& local, Instant now);
  /// RFC 9001 §6. False where the rules forbid it now.
  [[nodiscard]] bool initiate_key_update(ConnectionHandle, Instant now);
  [[nodiscard]] std::size_t connection_count() const;

  // --- PacketIo
  void receive(const ReceivedTrain& train, Instant now) override;
  [[nodiscard]] std::optional<Transmit> poll_transmit(MutableBytes out, Instant now) override;
  [[nodiscard]] Deadline next_deadline() const override;
  void on_deadline(Instant now) override;
  void set_writable(const SocketAddress& local, bool writable) override;
  void on_transmit_failed(const Transmit& transmit, TransmitFailure failure, Instant now) override;

  // --- Transport
  [[nodiscard]] std::optional<Event> poll_event() override;
  [[nodiscard]] std::expected<StreamId, StreamError> open_stream(ConnectionHandle, Directionality) override;
  [[nodiscard]] std::expected<std::size_t, StreamError> write(ConnectionHandle, StreamId, Bytes data,
                                                              bool fin) override;
  [[nodiscard]] std::expected<StreamPiece, StreamError> peek(ConnectionHandle, StreamId) override;
  void consume(ConnectionHandle, StreamId, std::size_t bytes) override;
  void reset_stream(ConnectionHandle, StreamId, std::uint64_t error) override;
  void stop_sending(ConnectionHandle, StreamId, std::uint64_t error) override;
  [[nodiscard]] std::optional<std::uint64_t> send_datagram(ConnectionHandle, Bytes data, Deadline deadline) override;
  [[nodiscard]] std::optional<std::size_t> receive_datagram(ConnectionHandle, MutableBytes out) override;
  [[nodiscard]] std::size_t max_datagram_payload(ConnectionHandle) const override;
  void close(ConnectionHandle, std::uint64_t application_error, std::string_view reason, Instant now) override;
  [[nodiscard]] ConnectionStats stats(ConnectionHandle) const override;
  void path_stats(ConnectionHandle, std::vector<PathStats>& out) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpquic::peers
