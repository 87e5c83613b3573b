// A transport just good enough to test the simulator with: one connection, reliable only because its links lose
// nothing, and able to misbehave in the ways that the invariants must notice.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>

#include "sim/engine/engine.h"

namespace mpquic::sim {

enum class Misbehaviour : std::uint8_t {
  none,
  wrong_byte,
  datagram_twice,
  timer_storm,
  endless_sends,
  overruns_window,
  amplifies,
  hangs,
  never_closes
};

class ToyTransport final : public Transport {
 public:
  ToyTransport(Role role, Misbehaviour misbehaviour) : role_(role), misbehaviour_(misbehaviour) {}

  void connect(const FourTuple& tuple) {
    tuple_ = tuple;
    queue({.type = hello});
  }

  // --- PacketIo
  void receive(const ReceivedTrain& train, Instant) override {
    Packet packet;
    std::memcpy(&packet.type, train.bytes.data(), 1);
    std::memcpy(&packet.stream, train.bytes.data() + 1, 8);
    std::memcpy(&packet.fin, train.bytes.data() + 9, 1);
    packet.payload.assign(train.bytes.begin() + kHeader, train.bytes.end());
    if (role_ == Role::server) tuple_ = train.tuple;
    on_packet(packet);
  }
  [[nodiscard]] std::optional<Transmit> poll_transmit(MutableBytes out, Instant) override {
    if (misbehaviour_ == Misbehaviour::endless_sends && established_) return emit(out, {.type = ack});
    if (out_.empty() || (in_flight_ >= kWindow && out_.front().type == data)) return std::nullopt;
    if (misbehaviour_ == Misbehaviour::hangs && sent_ > 50) return std::nullopt;
    ++sent_;
    const Packet packet = std::move(out_.front());
    out_.pop_front();
    if (packet.type == data) ++in_flight_;
    return emit(out, packet);
  }
  [[nodiscard]] Deadline next_deadline() const override {
    if (misbehaviour_ == Misbehaviour::timer_storm && established_) return Instant{};
    return std::nullopt;
  }
  void on_deadline(Instant) override {}
  void set_writable(const SocketAddress&, bool) override {}
  void on_transmit_failed(const Transmit&, TransmitFailure, Instant) override {}

  // --- Transport
  [[nodiscard]] std::optional<Event> poll_event() override {
    if (events_.empty()) return std::nullopt;
    Event event = events_.front();
    events_.pop_front();
    return event;
  }
  [[nodiscard]] std::expected<StreamId, StreamError> open_stream(ConnectionHandle, Directionality dir) override {
    return make_stream_id(role_, dir, next_stream_[static_cast<std::size_t>(dir)]++);
  }
  [[nodiscard]] std::expected<std::size_t, StreamError> write(ConnectionHandle, StreamId id, Bytes bytes,
                                                              bool fin) override {
    if (out_.size() > kQueue) {
      blocked_.push_back(id);
      return 0;
    }
    const std::size_t taken = std::min(bytes.size(), kPayload);
    Packet packet{.type = data,
                  .stream = id.value(),
                  .fin = fin && taken == bytes.size(),
                  .payload = {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken)}};
    if (misbehaviour_ == Misbehaviour::wrong_byte && ++writes_ == 20) packet.payload[5] ^= std::byte{1};
    queue(packet);
    if (taken < bytes.size()) blocked_.push_back(id);
    return taken;
  }
  [[nodiscard]] std::expected<StreamPiece, StreamError> peek(ConnectionHandle, StreamId id) override {
    const Incoming& in = incoming_[id.value()];
    return StreamPiece{.data = in.bytes, .fin = in.fin};
  }
  void consume(ConnectionHandle, StreamId id, std::size_t bytes) override {
    Incoming& in = incoming_[id.value()];
    in.bytes.erase(in.bytes.begin(), in.bytes.begin() + static_cast<std::ptrdiff_t>(bytes));
    if (in.bytes.empty()) in.fin = false;
  }
  void reset_stream(ConnectionHandle, StreamId, std::uint64_t) override {}
  void stop_sending(ConnectionHandle, StreamId, std::uint64_t) override {}
  [[nodiscard]] std::optional<std::uint64_t> send_datagram(ConnectionHandle, Bytes bytes, Deadline) override {
    queue({.type = datagram, .payload = {bytes.begin(), bytes.end()}});
    if (misbehaviour_ == Misbehaviour::datagram_twice)
      queue({.type = datagram, .payload = {bytes.begin(), bytes.end()}});
    return 0;
  }
  [[nodiscard]] std::optional<std::size_t> receive_datagram(ConnectionHandle, MutableBytes out) override {
    if (datagrams_.empty()) return std::nullopt;
    const auto bytes = std::move(datagrams_.front());
    datagrams_.pop_front();
    std::ranges::copy(bytes, out.begin());
    return bytes.size();
  }
  [[nodiscard]] std::size_t max_datagram_payload(ConnectionHandle) const override { return kPayload; }
  void close(ConnectionHandle, std::uint64_t, std::string_view, Instant) override {
    if (misbehaviour_ != Misbehaviour::never_closes) queue({.type = bye});
  }
  [[nodiscard]] ConnectionStats stats(ConnectionHandle) const override { return {}; }
  void path_stats(ConnectionHandle, std::vector<PathStats>& out) const override {
    PathStats& stats = out.emplace_back();
    stats.tuple = tuple_;
    stats.congestion_window = ByteCount(kWindow * 1300);
    stats.bytes_in_flight = ByteCount(in_flight_ * 1200 * (misbehaviour_ == Misbehaviour::overruns_window ? 3 : 1));
    stats.max_datagram_size = 1300;
    stats.stream_bytes_sent = sent_ * kPayload;
    stats.stream_bytes_received = received_;
  }

 private:
  enum Type : std::uint8_t { hello, welcome, data, ack, datagram, bye };
  struct Packet {
    Type type = hello;
    std::uint64_t stream = 0;
    bool fin = false;
    std::vector<std::byte> payload{};
  };
  struct Incoming {
    std::vector<std::byte> bytes;
    bool fin = false;
  };
  static constexpr std::size_t kHeader = 10;
  static constexpr std::size_t kPayload = 1200;
  static constexpr std::size_t kWindow = 64;
  static constexpr std::size_t kQueue = 128;

  void queue(Packet packet) { out_.push_back(std::move(packet)); }
  void happened(auto what) { events_.push_back({ConnectionHandle(1), what}); }
  [[nodiscard]] Transmit emit(MutableBytes out, const Packet& packet) const {
    std::memcpy(out.data(), &packet.type, 1);
    std::memcpy(out.data() + 1, &packet.stream, 8);
    std::memcpy(out.data() + 9, &packet.fin, 1);
    std::ranges::copy(packet.payload, out.begin() + kHeader);
    const std::size_t size = kHeader + packet.payload.size();
    return {.tuple = tuple_, .ecn = Ecn::not_ect, .size = size, .segment_size = size};
  }
  void establish() {
    if (!std::exchange(established_, true)) happened(HandshakeCompleted{});
  }
  void on_packet(const Packet& packet) {
    if (role_ == Role::server && packet.type != hello) establish();
    switch (packet.type) {
      case hello:
        happened(Accepted{});
        for (int i = 0; i < (misbehaviour_ == Misbehaviour::amplifies ? 4 : 1); ++i) queue({.type = welcome});
        break;
      case welcome:
        if (!established_) queue({.type = ack});
        establish();
        break;
      case data: {
        Incoming& in = incoming_[packet.stream];
        in.bytes.insert(in.bytes.end(), packet.payload.begin(), packet.payload.end());
        in.fin |= packet.fin;
        received_ += packet.payload.size();
        happened(StreamReadable{StreamId(packet.stream)});
        queue({.type = ack});
        break;
      }
      case ack:
        in_flight_ -= std::min<std::size_t>(1, in_flight_);
        for (const StreamId id : std::exchange(blocked_, {})) happened(StreamWritable{id});
        break;
      case datagram:
        datagrams_.push_back(packet.payload);
        happened(DatagramReceived{});
        break;
      case bye:
        happened(ConnectionClosed{.source = CloseSource::peer, .application = true, .error = 0, .reason = {}});
        break;
    }
  }

  Role role_;
  Misbehaviour misbehaviour_;
  FourTuple tuple_;
  bool established_ = false;
  std::deque<Packet> out_;
  std::deque<Event> events_;
  std::deque<std::vector<std::byte>> datagrams_;
  std::map<std::uint64_t, Incoming> incoming_;
  std::vector<StreamId> blocked_;
  std::array<std::uint64_t, 2> next_stream_{};
  std::size_t in_flight_ = 0;
  std::size_t sent_ = 0;
  std::size_t writes_ = 0;
  std::uint64_t received_ = 0;
};

class ToyEngine final : public Engine {
 public:
  ToyEngine(Role role, Misbehaviour misbehaviour) : transport_(role, misbehaviour) {}
  [[nodiscard]] Transport& transport() override { return transport_; }
  [[nodiscard]] ConnectionHandle connect(const FourTuple& tuple, Instant) override {
    transport_.connect(tuple);
    return ConnectionHandle(1);
  }
  [[nodiscard]] std::string_view open_path(ConnectionHandle, const FourTuple&, Instant) override { return {}; }
  void abandon_path(ConnectionHandle, PathId, Instant) override {}
  void set_path_status(ConnectionHandle, PathId, bool) override {}
  void migrate_path(ConnectionHandle, PathId, const SocketAddress&, Instant) override {}

 private:
  ToyTransport transport_;
};

[[nodiscard]] inline EngineFactory toy(Misbehaviour misbehaviour = Misbehaviour::none) {
  return [misbehaviour](const EngineSetup& setup) { return std::make_unique<ToyEngine>(setup.role, misbehaviour); };
}

}  // namespace mpquic::sim
