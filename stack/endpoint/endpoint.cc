#include "stack/endpoint/endpoint.h"

#include <algorithm>
#include <utility>

#include "stack/endpoint/slot.h"
#include "stack/wire/varint.h"

namespace mpquic {
namespace {

/// A handle is the connection's generation above its slot's index.
constexpr unsigned kSlotBits = 24;
constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
static_assert(kMostConnections == kSlotMask);

std::array<std::byte, 32> key_or_random(const std::array<std::byte, 32>& key, Rng& rng) {
  std::array<std::byte, 32> out = key;
  if (std::ranges::all_of(key, [](std::byte b) { return b == std::byte{}; })) rng.fill(out);
  return out;
}

}  // namespace

std::string_view name_of(PathError error) {
  switch (error) {
    case PathError::unknown_connection: return "unknown connection";
    case PathError::not_client: return "only clients open and move paths";
    case PathError::not_negotiated: return "multipath was not negotiated";
    case PathError::migration_disabled: return "the peer disabled migration";
    case PathError::too_many_paths: return "too many paths";
    case PathError::closed: return "the connection or the path is closed";
  }
  return "unknown";
}

Endpoint::Endpoint(EndpointConfig config, Rng& rng)
    : config_(std::move(config)),
      configured_(validate(config_)),
      rng_(rng),
      static_keys_(key_or_random(config_.static_key, rng)),
      tokens_(static_keys_, rng_),
      used_tokens_(static_keys_),
      budget_(static_keys_),
      resets_(static_keys_) {}

Endpoint::~Endpoint() = default;

const DropCounters& Endpoint::drops() const { return drops_; }
std::size_t Endpoint::connection_count() const { return connections_; }
void Endpoint::drop(DropReason reason) { ++drops_[static_cast<std::size_t>(reason)]; }

// --- Slots

Endpoint::Slot* Endpoint::find(ConnectionHandle handle) { return const_cast<Slot*>(std::as_const(*this).find(handle)); }

const Endpoint::Slot* Endpoint::find(ConnectionHandle handle) const {
  const std::uint64_t index = handle.value() & kSlotMask;
  if (index >= slots_.size()) return nullptr;
  const Slot& slot = *slots_[index];
  return slot.connection && slot.generation == handle.value() >> kSlotBits ? &slot : nullptr;
}

Endpoint::Slot& Endpoint::allocate_slot() {
  if (free_slots_.empty()) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->index = static_cast<std::uint32_t>(slots_.size() - 1);
    return *slots_.back();
  }
  Slot& slot = *slots_[free_slots_.back()];
  free_slots_.pop_back();
  return slot;
}

ConnectionId Endpoint::draw_cid() {
  for (;;) {
    std::array<std::byte, kLocalCidLength> bytes{};
    rng_.fill(bytes);
    const ConnectionId id(bytes);
    if (!router_.contains(id)) return id;
  }
}

ConnectionSetup Endpoint::common_setup(Role role, const FourTuple& tuple) {
  ConnectionSetup setup;
  setup.role = role;
  setup.config = config_.connection;
  setup.tuple = tuple;
  setup.local_cid = draw_cid();
  setup.reset_token = static_keys_.reset_token(setup.local_cid);
  setup.generate_cid = [this] {
    const ConnectionId id = draw_cid();
    return GeneratedCid{id, static_keys_.reset_token(id)};
  };
  setup.make_token = [this](std::span<const IpAddress> validated, Instant now) {
    return tokens_.make_new_token(validated, now);
  };
  setup.rng = &rng_;
  setup.drops = &drops_;
  return setup;
}

ConnectionHandle Endpoint::adopt(Slot& slot, std::unique_ptr<Connection> connection) {
  slot.connection = std::move(connection);
  slot.generation = next_generation_++;
  slot.half_open = true;
  ++half_open_;
  ++connections_;
  router_.add(slot.handshake_cid, {slot.index, kInitialPath, 0});
  return handle_of(slot);
}

ConnectionHandle Endpoint::handle_of(const Slot& slot) {
  return ConnectionHandle{slot.generation << kSlotBits | slot.index};
}

void Endpoint::touch(Slot& slot) {
  if (!slot.ready) {
    slot.ready = true;
    ready_.push_back(slot.index);
  }
  if (!slot.with_events) {
    slot.with_events = true;
    with_events_.push_back(slot.index);
  }
  update_routes(slot);
}

void Endpoint::update_routes(Slot& slot) {
  while (const auto event = slot.connection->poll_cid_event()) {
    if (event->kind == LocalCidEvent::Kind::issued)
      router_.add(event->id, {slot.index, event->route.path, event->route.sequence});
    else
      router_.remove(event->id);
  }
  while (const auto event = slot.connection->poll_reset_token_event()) {
    if (event->in_use)
      resets_.add(event->token, slot.index);
    else
      resets_.remove(event->token, slot.index);
  }
}

void Endpoint::settle(Slot& slot) {
  update_routes(slot);
  if (slot.half_open && (slot.connection->handshake_complete() || slot.connection->closed())) {
    slot.half_open = false;
    --half_open_;
  }
  deadlines_.set(slot.index, slot.connection->next_deadline());
  if (slot.connection->closed() && slot.finished) release(slot);
}

void Endpoint::release(Slot& slot) {
  const auto index = slot.index;
  slot.connection->forget_cids();
  update_routes(slot);
  router_.remove(slot.handshake_cid);
  if (slot.role == Role::server) router_.remove_initial(slot.initial_dcid, slot.initial_remote);
  deadlines_.set(index, std::nullopt);
  if (slot.told) std::erase(told_, index);
  slot = Slot{};
  slot.index = index;
  free_slots_.push_back(index);
  --connections_;
}

// --- Connections

std::expected<ConnectionHandle, ConfigError> Endpoint::connect(const ConnectOptions& options, Instant now) {
  now_ = now;
  if (!configured_) return std::unexpected(configured_.error());
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid).error());
  if (connections_ >= kMostConnections) return std::unexpected(ConfigError{"max_connections", "no more connections"});
  ConnectionSetup setup = common_setup(Role::client, options.tuple);
  setup.remote_cid = draw_cid();  // unpredictable, at least 8 bytes (RFC 9000 §7.2)
  setup.original_dcid = setup.remote_cid;
  setup.initial_dcid = setup.remote_cid;
  setup.server_name = options.server_name;
  setup.ticket = options.ticket;
  setup.token = options.token;
  setup.tls = options.tls.get();
  setup.version = options.version;
  if (config_.trace != nullptr) setup.sink = config_.trace->make_sink(Role::client, setup.original_dcid);
  const ConnectionId local = setup.local_cid;
  auto connection = Connection::create(std::move(setup), now);
  if (!connection) return std::unexpected(ConfigError{"tls", std::string(connection.error().reason)});
  Slot& slot = allocate_slot();
  slot.role = Role::client;
  slot.handshake_cid = local;
  slot.accepted_reported = true;
  const ConnectionHandle handle = adopt(slot, *std::move(connection));
  slot.tls = options.tls;
  touch(slot);
  return handle;
}

std::expected<void, PathError> Endpoint::open_path(ConnectionHandle handle, const FourTuple& tuple, Instant now) {
  now_ = now;
  Slot* slot = find(handle);
  if (slot == nullptr) return std::unexpected(PathError::unknown_connection);
  if (slot->role != Role::client) return std::unexpected(PathError::not_client);
  Connection& connection = *slot->connection;
  if (!connection.is_open()) return std::unexpected(PathError::closed);
  if (connection.handshake_complete() && !connection.paths().multipath())
    return std::unexpected(PathError::not_negotiated);
  if (!connection.open_path(tuple, now)) return std::unexpected(PathError::too_many_paths);
  touch(*slot);
  return {};
}

std::expected<void, PathError> Endpoint::migrate_path(ConnectionHandle handle, PathId id, const SocketAddress& local,
                                                      Instant now) {
  now_ = now;
  Slot* slot = find(handle);
  if (slot == nullptr) return std::unexpected(PathError::unknown_connection);
  if (slot->role != Role::client) return std::unexpected(PathError::not_client);
  if (!slot->connection->migrate(id, local, now)) {
    const Path* path = slot->connection->paths().find(id);
    const bool forbidden = path != nullptr && slot->connection->paths().forbids(path->active().addresses.remote);
    return std::unexpected(forbidden ? PathError::migration_disabled : PathError::closed);
  }
  touch(*slot);
  return {};
}

void Endpoint::abandon_path(ConnectionHandle handle, PathId id, std::uint64_t error, Instant now) {
  now_ = now;
  if (Slot* slot = find(handle)) {
    slot->connection->abandon_path(id, std::min(error, kMaxVarint), now);
    touch(*slot);
  }
}

void Endpoint::set_path_status(ConnectionHandle handle, PathId id, bool available) {
  if (Slot* slot = find(handle)) {
    slot->connection->paths().set_status(id, available);
    touch(*slot);
  }
}

void Endpoint::set_stream_priority(ConnectionHandle handle, StreamId id, std::uint8_t urgency) {
  if (Slot* slot = find(handle)) slot->connection->streams().set_priority(id, urgency);
}

void Endpoint::initiate_key_update(ConnectionHandle handle) {
  if (Slot* slot = find(handle)) {
    slot->connection->request_key_update();
    touch(*slot);
  }
}

std::optional<std::vector<std::byte>> Endpoint::take_ticket(ConnectionHandle handle) {
  Slot* slot = find(handle);
  return slot != nullptr ? slot->connection->take_ticket() : std::nullopt;
}

std::optional<std::vector<std::byte>> Endpoint::take_token(ConnectionHandle handle) {
  Slot* slot = find(handle);
  return slot != nullptr ? slot->connection->take_token() : std::nullopt;
}

// --- PacketIo

void Endpoint::receive(const ReceivedTrain& train, Instant now) {
  now_ = now;
  if (!train.tuple.remote.can_be_peer() || train.tuple.remote == train.tuple.local)
    return drop(DropReason::impossible_source);
  MutableBytes rest = train.bytes;
  const std::size_t segment = train.segment_size == 0 ? rest.size() : train.segment_size;
  while (!rest.empty()) {
    const MutableBytes datagram = rest.first(std::min(segment, rest.size()));
    rest = rest.subspan(datagram.size());
    on_datagram(train, datagram, now);
  }
}

std::optional<Transmit> Endpoint::poll_transmit(MutableBytes out, Instant now) {
  now_ = now;
  // In turn: neither strangers nor connections keep the others waiting.
  answers_turn_ = !answers_turn_;
  if (answers_turn_) {
    if (auto answer = transmit_answer(out)) return answer;
    return transmit_connection(out, now);
  }
  if (auto sent = transmit_connection(out, now)) return sent;
  return transmit_answer(out);
}

std::optional<Transmit> Endpoint::transmit_answer(MutableBytes out) {
  for (RingBuffer<Answer>& answers : answers_) {
    while (!answers.empty()) {
      const Answer answer = answers.pop_front();
      if (answer.bytes.size() > out.size()) continue;
      std::ranges::copy(answer.bytes, out.begin());
      const std::size_t size = answer.bytes.size();
      return Transmit{.tuple = answer.tuple, .ecn = Ecn::not_ect, .size = size, .segment_size = size};
    }
  }
  return std::nullopt;
}

std::optional<Transmit> Endpoint::transmit_connection(MutableBytes out, Instant now) {
  while (!ready_.empty()) {
    Slot& slot = *slots_[ready_.front()];
    if (slot.connection) {
      if (!blocked_.empty()) tell_blocked(slot);
      if (auto sent = slot.connection->poll_transmit(out, now)) {
        sent->sender = handle_of(slot).value();
        // One train each, in turn.
        ready_.push_back(ready_.pop_front());
        return sent;
      }
    }
    ready_.pop_front();
    slot.ready = false;
    if (slot.connection) settle(slot);
  }
  return std::nullopt;
}

Deadline Endpoint::next_deadline() const { return deadlines_.earliest(); }

void Endpoint::on_deadline(Instant now) {
  now_ = now;
  while (expired(deadlines_.earliest(), now)) {
    Slot& slot = *slots_[deadlines_.earliest_index()];
    deadlines_.set(slot.index, std::nullopt);  // settle() sets the next one
    slot.connection->on_deadline(now);
    touch(slot);
  }
}

void Endpoint::set_writable(const SocketAddress& local, bool writable) {
  const auto known = std::ranges::find(blocked_, local);
  if (writable && known != blocked_.end()) blocked_.erase(known);
  if (!writable && known == blocked_.end()) blocked_.push_back(local);
  ++blocked_version_;
  if (!writable) return;  // connections learn of it when they have something to send
  for (const std::uint32_t index : told_) {
    slots_[index]->connection->set_writable(local, true);
    touch(*slots_[index]);
  }
  if (!blocked_.empty()) return;
  for (const std::uint32_t index : told_) slots_[index]->told = false;
  told_.clear();
}

void Endpoint::tell_blocked(Slot& slot) {
  if (slot.told_version == blocked_version_) return;
  slot.told_version = blocked_version_;
  for (const SocketAddress& local : blocked_) slot.connection->set_writable(local, false);
  if (!std::exchange(slot.told, true)) told_.push_back(slot.index);
}

void Endpoint::on_transmit_failed(const Transmit& transmit, TransmitFailure failure, Instant now) {
  now_ = now;
  if (Slot* slot = find(ConnectionHandle{transmit.sender})) {
    slot->connection->on_transmit_failed(transmit.tuple, failure, now);
    touch(*slot);
  }
}

// --- Transport

std::optional<Event> Endpoint::poll_event() {
  while (!with_events_.empty()) {
    Slot& slot = *slots_[with_events_.front()];
    if (slot.connection) {
      const ConnectionHandle handle = handle_of(slot);
      if (!slot.accepted_reported) {
        slot.accepted_reported = true;
        return Event{handle, Accepted{}};
      }
      if (auto event = slot.connection->poll_event()) {
        slot.finished |= std::holds_alternative<ConnectionClosed>(*event);
        return Event{handle, *std::move(event)};
      }
    }
    with_events_.pop_front();
    slot.with_events = false;
    if (slot.connection && slot.connection->closed() && !slot.ready) settle(slot);
  }
  return std::nullopt;
}

std::expected<StreamId, StreamError> Endpoint::open_stream(ConnectionHandle handle, Directionality dir) {
  Slot* slot = find(handle);
  if (slot == nullptr || !slot->connection->is_open()) return std::unexpected(StreamError::closed);
  return slot->connection->streams().open(dir);
}

std::expected<std::size_t, StreamError> Endpoint::write(ConnectionHandle handle, StreamId id, Bytes data, bool fin) {
  Slot* slot = find(handle);
  if (slot == nullptr || !slot->connection->is_open()) return std::unexpected(StreamError::closed);
  touch(*slot);
  return slot->connection->streams().write(id, data, fin);
}

std::expected<StreamPiece, StreamError> Endpoint::peek(ConnectionHandle handle, StreamId id) {
  Slot* slot = find(handle);
  if (slot == nullptr) return std::unexpected(StreamError::closed);
  const auto piece = slot->connection->streams().peek(id);
  if (!piece) touch(*slot);  // a stream that has ended makes room for another
  return piece;
}

void Endpoint::consume(ConnectionHandle handle, StreamId id, std::size_t bytes) {
  Slot* slot = find(handle);
  if (slot == nullptr) return;
  slot->connection->streams().consume(id, bytes);
  touch(*slot);  // flow control may have to be extended
}

void Endpoint::reset_stream(ConnectionHandle handle, StreamId id, std::uint64_t error) {
  if (Slot* slot = find(handle)) {
    slot->connection->streams().reset(id, std::min(error, kMaxVarint));
    touch(*slot);
  }
}

void Endpoint::stop_sending(ConnectionHandle handle, StreamId id, std::uint64_t error) {
  if (Slot* slot = find(handle)) {
    slot->connection->streams().stop_sending(id, std::min(error, kMaxVarint));
    touch(*slot);
  }
}

std::optional<std::uint64_t> Endpoint::send_datagram(ConnectionHandle handle, Bytes data, Deadline deadline) {
  Slot* slot = find(handle);
  if (slot == nullptr) return std::nullopt;
  touch(*slot);
  return slot->connection->send_datagram(data, deadline, now_);
}

std::optional<std::size_t> Endpoint::receive_datagram(ConnectionHandle handle, MutableBytes out) {
  Slot* slot = find(handle);
  return slot != nullptr ? slot->connection->datagrams().pop(out) : std::nullopt;
}

std::size_t Endpoint::max_datagram_payload(ConnectionHandle handle) const {
  const Slot* slot = find(handle);
  return slot != nullptr ? slot->connection->max_datagram_payload() : 0;
}

void Endpoint::close(ConnectionHandle handle, std::uint64_t application_error, std::string_view reason, Instant now) {
  now_ = now;
  if (Slot* slot = find(handle)) {
    slot->connection->close(std::min(application_error, kMaxVarint), reason, now);
    touch(*slot);
  }
}

ConnectionStats Endpoint::stats(ConnectionHandle handle) const {
  const Slot* slot = find(handle);
  return slot != nullptr ? slot->connection->stats() : ConnectionStats{};
}

void Endpoint::path_stats(ConnectionHandle handle, std::vector<PathStats>& out) const {
  if (const Slot* slot = find(handle)) slot->connection->path_stats(out);
}

}  // namespace mpquic
