// The public face of the core: a QUIC client or server, or both, on any number of 4-tuples.
//
// Call contract (PacketIo and Transport say the rest): feed datagrams with receive(); after anything else than a
// getter, poll_transmit() until it gives nothing, poll_event() until it gives nothing, and re-arm one timer from
// next_deadline().
#pragma once

#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/drop_reason.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/rng.h"
#include "stack/conn/config.h"
#include "stack/conn/connection.h"
#include "stack/crypto/static_keys.h"
#include "stack/crypto/tls_session.h"
#include "stack/endpoint/address_token.h"
#include "stack/endpoint/answer_budget.h"
#include "stack/endpoint/cid_router.h"
#include "stack/endpoint/deadline_heap.h"
#include "stack/endpoint/reset_index.h"
#include "stack/endpoint/transport.h"
#include "stack/endpoint/used_tokens.h"
#include "stack/trace/sink.h"
#include "stack/wire/header.h"

namespace mpquic {

struct EndpointConfig {
  ConnectionConfig connection;
  /// Server side: TLS for accepted connections. nullptr refuses all of them.
  std::shared_ptr<TlsProvider> server_tls;
  /// Server: answer Initials without a valid token by Retry (RFC 9000 §8.1.2).
  bool require_retry = false;
  /// Server: with this many handshakes unfinished, every further Initial needs a Retry round trip first.
  std::size_t retry_above_half_open = 256;
  std::size_t max_connections = 65536;
  /// Key material for tokens, stateless resets and connection IDs; drawn from the Rng if all zero.
  std::array<std::byte, 32> static_key{};
  /// One sink per connection, or nullptr: no tracing.
  trace::SinkFactory* trace = nullptr;
};

struct ConnectOptions {
  FourTuple tuple;
  std::string server_name;           // SNI and the name to verify
  std::shared_ptr<TlsProvider> tls;  // client-side TLS: trust, ALPN, client certificate
  std::vector<std::byte> ticket;     // from NewTicket, empty: full handshake
  std::vector<std::byte> token;      // from NewToken
  /// What the first Initial claims to be, never 0. We speak version 1 only: another one (RFC 9000 §15 reserves those
  /// of the form 0x?a?a?a?a) asks the server for Version Negotiation, after which the connection starts again with
  /// version 1 under the same handle (§6.2), or ends with VERSION_NEGOTIATION_ERROR where the server does not speak it.
  /// Compatible and authenticated version negotiation (RFC 9368) are out of scope: with a single version there is
  /// nothing to downgrade from.
  std::uint32_t version = kVersion1;
};

/// Connections that one endpoint can tell apart.
inline constexpr std::size_t kMostConnections = (std::size_t{1} << 24) - 1;

/// The first field that cannot work, if there is one: EndpointConfig's once, ConnectOptions' whenever connect() is
/// called. Nothing that an application passes aborts it.
[[nodiscard]] std::expected<void, ConfigError> validate(const EndpointConfig& config);
[[nodiscard]] std::expected<void, ConfigError> validate(const ConnectOptions& options);

/// Why open_path() said no at once. Later refusals are PathChanged events with reasons.
enum class PathError : std::uint8_t {
  unknown_connection,
  not_client,
  not_negotiated,
  migration_disabled,
  too_many_paths,
  closed
};
[[nodiscard]] std::string_view name_of(PathError error);

class Endpoint final : public Transport {
 public:
  /// `rng` must outlive the endpoint. Where validate() refuses `config`, so does the endpoint: it accepts nobody, and
  /// connect() says why.
  Endpoint(EndpointConfig config, Rng& rng);
  ~Endpoint() override;
  [[nodiscard]] const std::expected<void, ConfigError>& configured() const { return configured_; }

  /// The error names the field of EndpointConfig or ConnectOptions that cannot work.
  [[nodiscard]] std::expected<ConnectionHandle, ConfigError> connect(const ConnectOptions& options, Instant now);

  // --- Paths
  /// Client: opens a path on `tuple` as soon as the handshake is confirmed and both sides have connection IDs for it
  /// (draft-21 §3.1). May be called right after connect(): requests wait. The result arrives as PathChanged.
  [[nodiscard]] std::expected<void, PathError> open_path(ConnectionHandle, const FourTuple& tuple, Instant now);
  void abandon_path(ConnectionHandle, PathId, std::uint64_t error, Instant now);
  /// PATH_STATUS_AVAILABLE or PATH_STATUS_BACKUP (draft-21 §4.3).
  void set_path_status(ConnectionHandle, PathId, bool available);
  /// Client: moves a path to another local address and port (RFC 9000 §9.2): probe, then switch.
  [[nodiscard]] std::expected<void, PathError> migrate_path(ConnectionHandle, PathId, const SocketAddress& local,
                                                            Instant now);

  void set_stream_priority(ConnectionHandle, StreamId, std::uint8_t urgency);  // 0 first .. 7 last, default 3
  /// Starts a key update (RFC 9001 §6) as soon as the rules allow it.
  void initiate_key_update(ConnectionHandle);
  /// Session tickets and address tokens received so far, newest last; each is handed out once.
  [[nodiscard]] std::optional<std::vector<std::byte>> take_ticket(ConnectionHandle);
  [[nodiscard]] std::optional<std::vector<std::byte>> take_token(ConnectionHandle);

  [[nodiscard]] const DropCounters& drops() const;
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
  struct Slot;
  struct IncomingInitial;

  // endpoint.cc
  [[nodiscard]] Slot* find(ConnectionHandle handle);
  [[nodiscard]] const Slot* find(ConnectionHandle handle) const;
  [[nodiscard]] Slot& allocate_slot();
  [[nodiscard]] static ConnectionHandle handle_of(const Slot& slot);
  [[nodiscard]] ConnectionHandle adopt(Slot& slot, std::unique_ptr<Connection> connection);
  [[nodiscard]] ConnectionSetup common_setup(Role role, const FourTuple& tuple);
  [[nodiscard]] ConnectionId draw_cid();
  void touch(Slot& slot);
  void settle(Slot& slot);
  void release(Slot& slot);
  void update_routes(Slot& slot);
  void drop(DropReason reason);
  [[nodiscard]] std::optional<Transmit> transmit_answer(MutableBytes out);
  [[nodiscard]] std::optional<Transmit> transmit_connection(MutableBytes out, Instant now);
  void tell_blocked(Slot& slot);

  // accept.cc: datagrams that belong to no connection
  void on_unrouted(const ReceivedTrain& train, MutableBytes datagram, Instant now);
  void on_datagram(const ReceivedTrain& train, MutableBytes datagram, Instant now);
  void accept(const IncomingInitial& initial, Instant now);
  void open_connection(const IncomingInitial& initial, const ValidatedToken* token, Instant now);
  [[nodiscard]] bool wants_retry(const IncomingInitial& initial, Instant now);
  [[nodiscard]] bool authenticates(const IncomingInitial& initial, Instant now);
  void answer_version_negotiation(const FourTuple& tuple, const InvariantHeader& header, Instant now);
  void answer_retry(const IncomingInitial& initial, Instant now);
  void answer_refusal(const IncomingInitial& initial, std::uint64_t error, Instant now);
  void answer_reset(const FourTuple& tuple, const InvariantHeader& header, MutableBytes datagram, Instant now);
  [[nodiscard]] bool on_reset(Bytes datagram, Instant now);
  [[nodiscard]] bool may_answer(BudgetPurpose purpose, const FourTuple& tuple, Instant now);
  void queue_answer(BudgetPurpose purpose, const FourTuple& tuple, Bytes datagram);

  struct Answer {  // to a datagram of no connection: stateless, small
    FourTuple tuple;
    std::vector<std::byte> bytes;
  };

  EndpointConfig config_;
  std::expected<void, ConfigError> configured_;
  Rng& rng_;
  StaticKeys static_keys_;
  AddressTokens tokens_;
  UsedTokens used_tokens_;
  AnswerBudget budget_;
  CidRouter router_;
  ResetIndex resets_;
  DropCounters drops_{};
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::uint32_t> free_slots_;
  DeadlineHeap deadlines_;
  RingBuffer<std::uint32_t> ready_;                              // may have something to transmit
  RingBuffer<std::uint32_t> with_events_;                        // may have events
  std::array<RingBuffer<Answer>, kBudgetPurposeCount> answers_;  // no purpose crowds out another
  bool answers_turn_ = false;
  std::vector<std::byte> trial_;        // scratch: a first Initial
  std::vector<SocketAddress> blocked_;  // local sockets that take nothing now
  std::uint64_t blocked_version_ = 0;   // counts their changes
  std::vector<std::uint32_t> told_;     // connections that met a socket of `blocked_`
  std::uint64_t next_generation_ = 1;
  std::size_t connections_ = 0;
  std::size_t half_open_ = 0;
  Instant now_;
};

}  // namespace mpquic
