#include "sim/engine/per_path_engine.h"

#include <algorithm>
#include <cstring>

#include "stack/base/overloaded.h"
#include "stack/base/ring_buffer.h"

namespace mpquic::sim {
namespace {

/// The whole bundle, for the application.
constexpr ConnectionHandle kBundle{1};
/// How long the application waits for the slower handshakes once the first is through.
constexpr Duration kSettle = std::chrono::milliseconds(500);

/// splitmix64's finaliser: neighbouring flows land anywhere.
[[nodiscard]] std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class PerPathTransport final : public Transport {
 public:
  PerPathTransport(Transport& inner, PerPathSetup setup) : inner_(inner), setup_(std::move(setup)) {}

  void add(ConnectionHandle handle, std::size_t path) {
    members_.push_back({.handle = handle, .path = path, .up = false, .closed = false, .streams = {}});
  }
  [[nodiscard]] std::optional<ConnectionHandle> handle_of(PathId path) const {
    for (const Member& member : members_)
      if (member.path == path.value() && !member.closed) return member.handle;
    return std::nullopt;
  }

  // --- PacketIo
  void receive(const ReceivedTrain& train, Instant now) override {
    now_ = now;
    arriving_from_ = train.tuple.remote;
    inner_.receive(train, now);
    pull();
  }
  [[nodiscard]] std::optional<Transmit> poll_transmit(MutableBytes out, Instant now) override {
    now_ = now;
    auto train = inner_.poll_transmit(out, now);
    pull();
    return train;
  }
  [[nodiscard]] Deadline next_deadline() const override {
    return earlier(inner_.next_deadline(), ready_ ? std::nullopt : ready_by_);
  }
  void on_deadline(Instant now) override {
    now_ = now;
    inner_.on_deadline(now);
    pull();
  }
  void set_writable(const SocketAddress& local, bool writable) override { inner_.set_writable(local, writable); }
  void on_transmit_failed(const Transmit& transmit, TransmitFailure failure, Instant now) override {
    inner_.on_transmit_failed(transmit, failure, now);
  }

  // --- Transport
  [[nodiscard]] std::optional<Event> poll_event() override {
    pull();
    if (events_.empty()) return std::nullopt;
    return events_.pop_front();
  }
  [[nodiscard]] std::expected<StreamId, StreamError> open_stream(ConnectionHandle, Directionality dir) override {
    const auto chosen = choose(opened_);
    if (!chosen) return std::unexpected(StreamError::closed);
    const auto id = inner_.open_stream(members_[*chosen].handle, dir);
    if (!id) return id;
    ++opened_;
    return outer_of(*chosen, *id);
  }
  [[nodiscard]] std::expected<std::size_t, StreamError> write(ConnectionHandle, StreamId id, Bytes data,
                                                              bool fin) override {
    const Place place = place_of(id);
    return inner_.write(members_[place.member].handle, place.id, data, fin);
  }
  [[nodiscard]] std::expected<StreamPiece, StreamError> peek(ConnectionHandle, StreamId id) override {
    const Place place = place_of(id);
    return inner_.peek(members_[place.member].handle, place.id);
  }
  void consume(ConnectionHandle, StreamId id, std::size_t bytes) override {
    const Place place = place_of(id);
    inner_.consume(members_[place.member].handle, place.id, bytes);
  }
  void reset_stream(ConnectionHandle, StreamId id, std::uint64_t error) override {
    const Place place = place_of(id);
    inner_.reset_stream(members_[place.member].handle, place.id, error);
  }
  void stop_sending(ConnectionHandle, StreamId id, std::uint64_t error) override {
    const Place place = place_of(id);
    inner_.stop_sending(members_[place.member].handle, place.id, error);
  }
  [[nodiscard]] std::optional<std::uint64_t> send_datagram(ConnectionHandle, Bytes data, Deadline deadline) override {
    std::uint64_t flow = 0;
    std::memcpy(&flow, data.data(), std::min(data.size(), sizeof(flow)));
    const auto chosen = choose(flow);
    return chosen ? inner_.send_datagram(members_[*chosen].handle, data, deadline) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::size_t> receive_datagram(ConnectionHandle, MutableBytes out) override {
    for (const Member& member : members_)
      if (const auto size = inner_.receive_datagram(member.handle, out)) return size;
    return std::nullopt;
  }
  [[nodiscard]] std::size_t max_datagram_payload(ConnectionHandle) const override {
    std::size_t least = SIZE_MAX;
    for (const Member& member : members_)
      if (member.up && !member.closed) least = std::min(least, inner_.max_datagram_payload(member.handle));
    return least == SIZE_MAX ? 0 : least;
  }
  void close(ConnectionHandle, std::uint64_t error, std::string_view reason, Instant now) override {
    now_ = now;
    for (const Member& member : members_)
      if (!member.closed) inner_.close(member.handle, error, reason, now);
  }
  [[nodiscard]] ConnectionStats stats(ConnectionHandle) const override {
    ConnectionStats sum;
    for (const Member& member : members_) {
      const ConnectionStats stats = inner_.stats(member.handle);
      sum.established |= stats.established;
      sum.packets_sent += stats.packets_sent;
      sum.packets_received += stats.packets_received;
      sum.key_updates += stats.key_updates;
    }
    return sum;
  }
  void path_stats(ConnectionHandle, std::vector<PathStats>& out) const override {
    const std::size_t first = out.size();
    for (const Member& member : members_) {
      const std::size_t begin = out.size();
      inner_.path_stats(member.handle, out);
      for (std::size_t i = begin; i < out.size(); ++i) out[i].id = PathId(static_cast<std::uint32_t>(member.path));
    }
    std::ranges::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), {}, &PathStats::id);
  }

 private:
  struct Member {
    ConnectionHandle handle;
    std::size_t path = 0;
    bool up = false;
    bool closed = false;
    std::array<std::vector<std::optional<StreamId>>, 4> streams;  // the application's name, by type bits and ordinal
  };
  struct Place {  // of a stream
    std::size_t member = 0;
    StreamId id;
  };

  [[nodiscard]] std::optional<std::size_t> choose(std::uint64_t flow) const {
    std::vector<std::size_t> live;
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (members_[i].up && !members_[i].closed) live.push_back(i);
    if (live.empty()) return std::nullopt;
    // By WAN, not by the order in which the connections came up.
    std::ranges::sort(live, {}, [&](std::size_t i) { return members_[i].path; });
    return live[mix(flow) % live.size()];
  }
  [[nodiscard]] Place place_of(StreamId outer) const {
    return places_[outer.value() & 0x3][static_cast<std::size_t>(ordinal_of(outer))];
  }
  StreamId outer_of(std::size_t member, StreamId inner) {
    auto& known = members_[member].streams[inner.value() & 0x3];
    const auto ordinal = static_cast<std::size_t>(ordinal_of(inner));
    if (known.size() <= ordinal) known.resize(ordinal + 1);
    if (known[ordinal]) return *known[ordinal];
    auto& places = places_[inner.value() & 0x3];
    known[ordinal] = make_stream_id(initiator_of(inner), directionality_of(inner), places.size());
    places.push_back({.member = member, .id = inner});
    return *known[ordinal];
  }

  void emit(ConnectionEvent what) { events_.push_back(Event{kBundle, std::move(what)}); }

  /// Translates what the connections say into what the bundle says.
  void pull() {
    while (auto event = inner_.poll_event()) {
      if (std::holds_alternative<Accepted>(event->what)) {
        add(event->connection, setup_.path_of(arriving_from_).value_or(members_.size()));
        if (members_.size() == 1) emit(Accepted{});
        continue;
      }
      const auto found = std::ranges::find(members_, event->connection, &Member::handle);
      if (found != members_.end()) translate(static_cast<std::size_t>(found - members_.begin()), *event);
    }
    become_ready();
  }
  void translate(std::size_t index, const Event& event) {
    std::visit(overloaded{
                   [&](const HandshakeCompleted& e) {
                     members_[index].up = true;
                     handshake_ = e;
                     if (!ready_by_) ready_by_ = now_ + kSettle;
                     if (ready_) emit(StreamsAvailable{});
                   },
                   [&](const StreamOpened& e) { emit(StreamOpened{outer_of(index, e.id)}); },
                   [&](const StreamReadable& e) { emit(StreamReadable{outer_of(index, e.id)}); },
                   [&](const StreamWritable& e) { emit(StreamWritable{outer_of(index, e.id)}); },
                   [&](const StreamReset& e) {
                     emit(StreamReset{outer_of(index, e.id), e.error});
                   },
                   [&](const StreamStopped& e) {
                     emit(StreamStopped{outer_of(index, e.id), e.error});
                   },
                   [&](const StreamFinished& e) { emit(StreamFinished{outer_of(index, e.id)}); },
                   [&](const PathChanged& e) {
                     PathChanged change = e;
                     change.id = PathId(static_cast<std::uint32_t>(members_[index].path));
                     emit(change);
                   },
                   [&](const ConnectionClosed& e) {
                     members_[index].closed = true;
                     if (std::ranges::all_of(members_, &Member::closed)) emit(e);
                   },
                   [&](const Accepted&) {},
                   [&](const HandshakeConfirmed& e) { emit(e); },
                   [&](const StreamsAvailable& e) { emit(e); },
                   [&](const DatagramReceived& e) { emit(e); },
                   [&](const DatagramLost& e) { emit(e); },
               },
               event.what);
  }
  void become_ready() {
    if (ready_ || !ready_by_) return;
    const auto settled = std::ranges::count_if(members_, [](const Member& m) { return m.up || m.closed; });
    if (static_cast<std::size_t>(settled) < setup_.connections && now_ < *ready_by_) return;
    ready_ = true;
    emit(handshake_);
  }

  Transport& inner_;
  PerPathSetup setup_;
  std::vector<Member> members_;
  std::array<std::vector<Place>, 4> places_;  // by type bits and the application's ordinal
  RingBuffer<Event> events_;
  HandshakeCompleted handshake_;
  SocketAddress arriving_from_;
  std::uint64_t opened_ = 0;
  bool ready_ = false;
  Deadline ready_by_;
  Instant now_{};
};

class PerPathEngine final : public Engine {
 public:
  PerPathEngine(std::unique_ptr<Engine> inner, PerPathSetup setup)
      : path_of_(setup.path_of), inner_(std::move(inner)), transport_(inner_->transport(), std::move(setup)) {}

  [[nodiscard]] Transport& transport() override { return transport_; }
  [[nodiscard]] ConnectionHandle connect(const FourTuple& tuple, Instant now) override {
    transport_.add(inner_->connect(tuple, now), path_of_(tuple.local).value_or(0));
    return kBundle;
  }
  [[nodiscard]] std::string_view open_path(ConnectionHandle, const FourTuple& tuple, Instant now) override {
    static_cast<void>(connect(tuple, now));
    return {};
  }
  void abandon_path(ConnectionHandle, PathId, Instant) override {}
  void set_path_status(ConnectionHandle, PathId, bool) override {}
  void migrate_path(ConnectionHandle, PathId path, const SocketAddress& local, Instant now) override {
    if (const auto handle = transport_.handle_of(path)) inner_->migrate_path(*handle, kInitialPath, local, now);
  }
  void initiate_key_update(ConnectionHandle, Instant now) override {
    for (std::uint32_t path = 0; path < kMostPaths; ++path)
      if (const auto handle = transport_.handle_of(PathId(path))) inner_->initiate_key_update(*handle, now);
  }

 private:
  static constexpr std::uint32_t kMostPaths = 64;
  std::function<std::optional<std::size_t>(const SocketAddress&)> path_of_;
  std::unique_ptr<Engine> inner_;
  PerPathTransport transport_;
};

}  // namespace

std::unique_ptr<Engine> make_per_path_engine(const EngineFactory& inner, const EngineSetup& setup,
                                             PerPathSetup per_path) {
  return std::make_unique<PerPathEngine>(inner(setup), std::move(per_path));
}

}  // namespace mpquic::sim
