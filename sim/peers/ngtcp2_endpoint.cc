#include "sim/peers/ngtcp2_endpoint.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "sim/peers/ngtcp2_connection.h"
#include "sim/peers/ngtcp2_convert.h"

namespace mpquic::peers {
namespace {

constexpr std::size_t kMaxStatelessAnswers = 64;  // queued at one time; more are not worth sending
constexpr ngtcp2_duration kRetryTokenLifetime = 10 * NGTCP2_SECONDS;
/// RFC 9000 §10.3: shorter than what provoked it, and at least 21 bytes.
constexpr std::size_t kMinStatelessReset = NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN;
constexpr std::size_t kMaxStatelessReset = 43;

}  // namespace

struct Ngtcp2Endpoint::Impl {
  Impl(Ngtcp2Config config, Rng& rng) : shared(std::move(config), rng) {
    const auto zero = std::array<std::byte, 32>{};
    if (shared.config.static_key == zero) rng.fill(shared.config.static_key);
  }

  /// A train, and its 4-tuple in ngtcp2's words.
  struct Arrival {
    explicit Arrival(const ReceivedTrain& train) : tuple(train.tuple), ecn(train.ecn), path(train.tuple) {}
    FourTuple tuple;
    Ecn ecn;
    NativePath path;
  };
  struct Answer {
    FourTuple tuple;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] Ngtcp2Connection* find(ConnectionHandle handle) {
    const auto found = connections.find(handle);
    return found == connections.end() || found->second->gone() ? nullptr : found->second.get();
  }
  void receive_packet(const Arrival& arrival, MutableBytes packet, Instant now);
  void accept(const Arrival& arrival, MutableBytes packet, Instant now);
  void answer(const FourTuple& tuple, std::vector<std::byte> buffer, ngtcp2_ssize size);
  void answer_unknown_version(const FourTuple& tuple, const ngtcp2_version_cid& ids);
  void answer_with_retry(const FourTuple& tuple, const ngtcp2_pkt_hd& header, Instant now);
  void answer_with_reset(const FourTuple& tuple, const ngtcp2_version_cid& ids, std::size_t trigger_size);
  void reap();

  Ngtcp2Shared shared;
  std::map<ConnectionHandle, std::unique_ptr<Ngtcp2Connection>> connections;
  std::uint64_t next_handle = 1;
  std::deque<Answer> answers;
  std::set<SocketAddress> blocked;
  ConnectionHandle last_sender{};  // the next poll starts behind it
};

// --- Packets that belong to no connection

void Ngtcp2Endpoint::Impl::answer(const FourTuple& tuple, std::vector<std::byte> buffer, ngtcp2_ssize size) {
  if (size <= 0 || answers.size() >= kMaxStatelessAnswers) return;
  buffer.resize(static_cast<std::size_t>(size));
  answers.push_back({tuple, std::move(buffer)});
}

void Ngtcp2Endpoint::Impl::answer_unknown_version(const FourTuple& tuple, const ngtcp2_version_cid& ids) {
  const std::array<std::uint32_t, 2> versions{0x0a0a0a0a, NGTCP2_PROTO_VER_V1};
  std::vector<std::byte> buffer(kMinInitialDatagram);
  std::uint8_t random = 0;
  shared.rng->fill(std::as_writable_bytes(std::span(&random, 1)));
  const ngtcp2_ssize size =
      ngtcp2_pkt_write_version_negotiation(u8(MutableBytes(buffer)), buffer.size(), random, ids.scid, ids.scidlen,
                                           ids.dcid, ids.dcidlen, versions.data(), versions.size());
  answer(tuple, std::move(buffer), size);
}

void Ngtcp2Endpoint::Impl::answer_with_retry(const FourTuple& tuple, const ngtcp2_pkt_hd& header, Instant now) {
  const ngtcp2_cid source = shared.random_cid();
  const NativePath path(tuple);
  const auto& key = shared.config.static_key;
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN> token{};
  const ngtcp2_ssize token_size = ngtcp2_crypto_generate_retry_token(
      token.data(), u8(Bytes(key)), key.size(), header.version, path.get()->remote.addr, path.get()->remote.addrlen,
      &source, &header.dcid, to_timestamp(now));
  if (token_size < 0) return;
  std::vector<std::byte> buffer(kMinInitialDatagram);
  const ngtcp2_ssize size =
      ngtcp2_crypto_write_retry(u8(MutableBytes(buffer)), buffer.size(), header.version, &header.scid, &source,
                                &header.dcid, token.data(), static_cast<std::size_t>(token_size));
  answer(tuple, std::move(buffer), size);
}

void Ngtcp2Endpoint::Impl::answer_with_reset(const FourTuple& tuple, const ngtcp2_version_cid& ids,
                                             std::size_t trigger_size) {
  if (trigger_size <= kMinStatelessReset) return;
  ngtcp2_cid cid;
  ngtcp2_cid_init(&cid, ids.dcid, ids.dcidlen);
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token{};
  const auto& key = shared.config.static_key;
  if (ngtcp2_crypto_generate_stateless_reset_token(token.data(), u8(Bytes(key)), key.size(), &cid) != 0) return;
  const std::size_t total = std::min(trigger_size - 1, kMaxStatelessReset);
  std::array<std::uint8_t, kMaxStatelessReset> random{};
  shared.rng->fill(std::as_writable_bytes(std::span(random)));
  std::vector<std::byte> buffer(kMaxStatelessReset);
  const ngtcp2_ssize size = ngtcp2_pkt_write_stateless_reset(u8(MutableBytes(buffer)), buffer.size(), token.data(),
                                                             random.data(), total - NGTCP2_STATELESS_RESET_TOKENLEN);
  answer(tuple, std::move(buffer), size);
}

// --- Packets in

void Ngtcp2Endpoint::Impl::receive_packet(const Arrival& arrival, MutableBytes packet, Instant now) {
  ngtcp2_version_cid ids{};
  const int decoded = ngtcp2_pkt_decode_version_cid(&ids, u8(packet), packet.size(), kCidLength);
  if (decoded == NGTCP2_ERR_VERSION_NEGOTIATION) {
    if (shared.tls.can_serve() && packet.size() >= kMinInitialDatagram) answer_unknown_version(arrival.tuple, ids);
    return;
  }
  if (decoded != 0) return;
  if (ids.dcidlen <= ConnectionId::kMaxLength) {
    const auto owner = shared.by_cid.find(ConnectionId(std::as_bytes(std::span(ids.dcid, ids.dcidlen))));
    if (owner != shared.by_cid.end()) {
      connections.at(owner->second)->receive(*arrival.path.get(), arrival.ecn, packet, now);
      return;
    }
  }
  if (ids.version == 0) {
    // Perhaps a stateless reset: it names no connection, its last bytes are known to the one on this 4-tuple (RFC 9000
    // §10.3.1).
    for (auto& [handle, connection] : connections) {
      if (connection->gone() || connection->tuple() != arrival.tuple) continue;
      connection->receive(*arrival.path.get(), arrival.ecn, packet, now);
      return;
    }
    answer_with_reset(arrival.tuple, ids, packet.size());
  } else if (shared.tls.can_serve()) {
    accept(arrival, packet, now);
  }
}

void Ngtcp2Endpoint::Impl::accept(const Arrival& arrival, MutableBytes packet, Instant now) {
  AcceptedInitial initial;
  if (ngtcp2_accept(&initial.header, u8(packet), packet.size()) != 0) return;
  const ngtcp2_vec& token = initial.header.token;
  const bool retried = token.len > 0 && token.base[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY;
  if (retried) {
    const ngtcp2_addr& remote = arrival.path.get()->remote;
    const auto& key = shared.config.static_key;
    ngtcp2_cid original;
    if (ngtcp2_crypto_verify_retry_token(&original, token.base, token.len, u8(Bytes(key)), key.size(),
                                         initial.header.version, remote.addr, remote.addrlen, &initial.header.dcid,
                                         kRetryTokenLifetime, to_timestamp(now)) != 0) {
      return;
    }
    initial.original_dcid = original;
  } else if (shared.config.require_retry) {
    answer_with_retry(arrival.tuple, initial.header, now);
    return;
  } else {
    initial.header.token = {};
  }
  const ConnectionHandle handle{next_handle++};
  auto connection = Ngtcp2Connection::accept(shared, handle, initial, arrival.tuple, now);
  if (!connection) return;
  connection->receive(*arrival.path.get(), arrival.ecn, packet, now);
  connections.emplace(handle, std::move(connection));
}

void Ngtcp2Endpoint::Impl::reap() {
  std::erase_if(connections, [](const auto& entry) { return entry.second->gone(); });
}

Ngtcp2Endpoint::Ngtcp2Endpoint(Ngtcp2Config config, Rng& rng) : impl_(std::make_unique<Impl>(std::move(config), rng)) {}
Ngtcp2Endpoint::~Ngtcp2Endpoint() = default;

bool Ngtcp2Endpoint::ready() const { return impl_->shared.tls.ready(); }

std::optional<ConnectionHandle> Ngtcp2Endpoint::connect(const Ngtcp2ConnectOptions& options, Instant now) {
  if (!ready()) return std::nullopt;
  const ConnectionHandle handle{impl_->next_handle++};
  auto connection = Ngtcp2Connection::connect(impl_->shared, handle, options, now);
  if (!connection) return std::nullopt;
  impl_->connections.emplace(handle, std::move(connection));
  return handle;
}

bool Ngtcp2Endpoint::migrate(ConnectionHandle handle, const SocketAddress& local, Instant now) {
  Ngtcp2Connection* connection = impl_->find(handle);
  return connection != nullptr && connection->migrate(local, now);
}

bool Ngtcp2Endpoint::initiate_key_update(ConnectionHandle handle, Instant now) {
  Ngtcp2Connection* connection = impl_->find(handle);
  return connection != nullptr && connection->initiate_key_update(now);
}

std::size_t Ngtcp2Endpoint::connection_count() const { return impl_->connections.size(); }

// --- PacketIo

void Ngtcp2Endpoint::receive(const ReceivedTrain& train, Instant now) {
  const Impl::Arrival arrival(train);
  MutableBytes rest = train.bytes;
  while (!rest.empty()) {
    const std::size_t size = std::min(train.segment_size, rest.size());
    impl_->receive_packet(arrival, rest.first(size), now);
    rest = rest.subspan(size);
  }
}

std::optional<Transmit> Ngtcp2Endpoint::poll_transmit(MutableBytes out, Instant now) {
  if (!impl_->answers.empty() && out.size() >= impl_->answers.front().bytes.size()) {
    const Impl::Answer answer = std::move(impl_->answers.front());
    impl_->answers.pop_front();
    std::copy(answer.bytes.begin(), answer.bytes.end(), out.begin());
    return Transmit{answer.tuple, Ecn::not_ect, answer.bytes.size(), answer.bytes.size()};
  }
  auto& connections = impl_->connections;
  auto next = connections.upper_bound(impl_->last_sender);
  for (std::size_t i = 0; i < connections.size(); ++i, ++next) {
    if (next == connections.end()) next = connections.begin();
    Ngtcp2Connection& connection = *next->second;
    if (!connection.may_send() || connection.gone()) continue;
    if (!impl_->blocked.empty() && impl_->blocked.contains(connection.tuple().local)) continue;
    if (auto train = connection.poll_transmit(out, now)) {
      impl_->last_sender = next->first;
      return train;
    }
  }
  return std::nullopt;
}

Deadline Ngtcp2Endpoint::next_deadline() const {
  Deadline deadline;
  for (const auto& [handle, connection] : impl_->connections) {
    if (connection->gone()) return Instant{};  // to be reaped
    deadline = earlier(deadline, connection->next_deadline());
  }
  return deadline;
}

void Ngtcp2Endpoint::on_deadline(Instant now) {
  for (auto& [handle, connection] : impl_->connections) {
    if (!connection->gone() && expired(connection->next_deadline(), now)) connection->on_deadline(now);
  }
  impl_->reap();
}

void Ngtcp2Endpoint::set_writable(const SocketAddress& local, bool writable) {
  if (writable) {
    impl_->blocked.erase(local);
  } else {
    impl_->blocked.insert(local);
  }
}

void Ngtcp2Endpoint::on_transmit_failed(const Transmit&, TransmitFailure, Instant) {
  // The packets count as sent; loss detection does the rest.
}

// --- Transport

std::optional<Event> Ngtcp2Endpoint::poll_event() {
  if (impl_->shared.events.empty()) return std::nullopt;
  return impl_->shared.events.pop_front();
}

std::expected<StreamId, StreamError> Ngtcp2Endpoint::open_stream(ConnectionHandle handle, Directionality dir) {
  Ngtcp2Connection* connection = impl_->find(handle);
  if (connection == nullptr) return std::unexpected(StreamError::closed);
  return connection->open_stream(dir);
}

std::expected<std::size_t, StreamError> Ngtcp2Endpoint::write(ConnectionHandle handle, StreamId id, Bytes data,
                                                              bool fin) {
  Ngtcp2Connection* connection = impl_->find(handle);
  if (connection == nullptr) return std::unexpected(StreamError::closed);
  return connection->write(id, data, fin);
}

std::expected<StreamPiece, StreamError> Ngtcp2Endpoint::peek(ConnectionHandle handle, StreamId id) {
  Ngtcp2Connection* connection = impl_->find(handle);
  if (connection == nullptr) return std::unexpected(StreamError::closed);
  return connection->peek(id);
}

void Ngtcp2Endpoint::consume(ConnectionHandle handle, StreamId id, std::size_t bytes) {
  if (Ngtcp2Connection* connection = impl_->find(handle)) connection->consume(id, bytes);
}

void Ngtcp2Endpoint::reset_stream(ConnectionHandle handle, StreamId id, std::uint64_t error) {
  if (Ngtcp2Connection* connection = impl_->find(handle)) connection->reset_stream(id, error);
}

void Ngtcp2Endpoint::stop_sending(ConnectionHandle handle, StreamId id, std::uint64_t error) {
  if (Ngtcp2Connection* connection = impl_->find(handle)) connection->stop_sending(id, error);
}

std::optional<std::uint64_t> Ngtcp2Endpoint::send_datagram(ConnectionHandle handle, Bytes data, Deadline deadline) {
  Ngtcp2Connection* connection = impl_->find(handle);
  return connection == nullptr ? std::nullopt : connection->send_datagram(data, deadline);
}

std::optional<std::size_t> Ngtcp2Endpoint::receive_datagram(ConnectionHandle handle, MutableBytes out) {
  Ngtcp2Connection* connection = impl_->find(handle);
  return connection == nullptr ? std::nullopt : connection->receive_datagram(out);
}

std::size_t Ngtcp2Endpoint::max_datagram_payload(ConnectionHandle handle) const {
  const Ngtcp2Connection* connection = impl_->find(handle);
  return connection == nullptr ? 0 : connection->max_datagram_payload();
}

void Ngtcp2Endpoint::close(ConnectionHandle handle, std::uint64_t application_error, std::string_view reason,
                           Instant now) {
  if (Ngtcp2Connection* connection = impl_->find(handle)) connection->close(application_error, reason, now);
}

ConnectionStats Ngtcp2Endpoint::stats(ConnectionHandle handle) const {
  const Ngtcp2Connection* connection = impl_->find(handle);
  return connection == nullptr ? ConnectionStats{} : connection->stats();
}

void Ngtcp2Endpoint::path_stats(ConnectionHandle handle, std::vector<PathStats>& out) const {
  if (const Ngtcp2Connection* connection = impl_->find(handle)) out.push_back(connection->path_stats());
}

}  // namespace mpquic::peers
