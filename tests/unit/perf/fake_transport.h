// Two Transports joined in memory: streams of bytes with bounded send buffers, no packets.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "stack/endpoint/transport.h"

namespace mpquic::perf::fakes {

inline constexpr ConnectionHandle kConnection{7};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(Role role) : role_(role) {}
  static void join(FakeTransport& a, FakeTransport& b) {
    a.peer_ = &b;
    b.peer_ = &a;
  }
  template <class T>
  void push(T event) {
    events_.push_back({kConnection, std::move(event)});
  }

  /// Moves up to `per_stream` bytes of each stream to the peer; whether anything happened.
  bool deliver(std::size_t per_stream) {
    bool moved = false;
    for (auto& [id, out] : sending_) {
      if (out.fin_delivered || out.reset) continue;
      const std::size_t n = std::min(per_stream, out.bytes.size());
      if (n == 0 && !out.fin) continue;
      Receiving& in = peer_->incoming(id);
      in.bytes += out.bytes.substr(0, n);
      out.bytes.erase(0, n);
      in.fin = out.fin && out.bytes.empty();
      peer_->push(StreamReadable{id});
      if (out.starved) push(StreamWritable{id});
      out.starved = false;
      if (in.fin) {
        out.fin_delivered = true;
        push(StreamFinished{id});
      }
      moved = true;
    }
    return moved;
  }

  std::optional<Event> poll_event() override {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  std::expected<StreamId, StreamError> open_stream(ConnectionHandle, Directionality dir) override {
    if (opened_ == max_streams) return std::unexpected(StreamError::limit);
    const StreamId id = make_stream_id(role_, dir, opened_++);
    sending_[id];
    known_.insert(id);
    return id;
  }
  std::expected<std::size_t, StreamError> write(ConnectionHandle, StreamId id, Bytes data, bool fin) override {
    Sending& out = sending_[id];
    if (out.reset) return std::unexpected(StreamError::reset);
    const std::size_t n = std::min(data.size(), send_buffer - out.bytes.size());
    out.bytes += as_text(data.first(n));
    out.starved = n < data.size();
    out.fin = fin && n == data.size();
    most_buffered = std::max(most_buffered, buffered());
    return n;
  }
  std::expected<StreamPiece, StreamError> peek(ConnectionHandle, StreamId id) override {
    const Receiving& in = receiving_[id];
    if (in.reset) return std::unexpected(StreamError::reset);
    return StreamPiece{.data = as_bytes(in.bytes), .fin = in.fin};
  }
  void consume(ConnectionHandle, StreamId id, std::size_t bytes) override { receiving_[id].bytes.erase(0, bytes); }
  void reset_stream(ConnectionHandle, StreamId id, std::uint64_t error) override {
    Sending& out = sending_[id];
    if (out.reset || out.fin_delivered) return;
    out.reset = true;
    resets[id] = error;
    peer_->incoming(id).reset = true;
    peer_->push(StreamReset{id, error});
  }
  void stop_sending(ConnectionHandle, StreamId id, std::uint64_t error) override {
    stops[id] = error;
    peer_->push(StreamStopped{id, error});
  }
  void close(ConnectionHandle, std::uint64_t error, std::string_view reason, Instant) override {
    closed = error;
    push(ConnectionClosed{CloseSource::local, true, error, std::string(reason)});
    peer_->push(ConnectionClosed{CloseSource::peer, true, error, std::string(reason)});
  }

  std::optional<std::uint64_t> send_datagram(ConnectionHandle, Bytes, Deadline) override { return std::nullopt; }
  std::optional<std::size_t> receive_datagram(ConnectionHandle, MutableBytes) override { return std::nullopt; }
  std::size_t max_datagram_payload(ConnectionHandle) const override { return 0; }
  ConnectionStats stats(ConnectionHandle) const override { return {}; }
  void path_stats(ConnectionHandle, std::vector<PathStats>& out) const override { out.emplace_back(); }
  void receive(const ReceivedTrain&, Instant) override {}
  std::optional<Transmit> poll_transmit(MutableBytes, Instant) override { return std::nullopt; }
  Deadline next_deadline() const override { return std::nullopt; }
  void on_deadline(Instant) override {}
  void set_writable(const SocketAddress&, bool) override {}
  void on_transmit_failed(const Transmit&, TransmitFailure, Instant) override {}

  std::size_t buffered() const {
    std::size_t sum = 0;
    for (const auto& [id, out] : sending_) sum += out.bytes.size();
    return sum;
  }

  std::size_t send_buffer = 100000;
  std::uint64_t max_streams = 1000;
  std::size_t most_buffered = 0;
  std::map<StreamId, std::uint64_t> resets;
  std::map<StreamId, std::uint64_t> stops;
  std::optional<std::uint64_t> closed;

 private:
  struct Sending {
    std::string bytes;
    bool fin = false;
    bool fin_delivered = false;
    bool starved = false;
    bool reset = false;
  };
  struct Receiving {
    std::string bytes;
    bool fin = false;
    bool reset = false;
  };

  Receiving& incoming(StreamId id) {
    if (known_.insert(id).second) push(StreamOpened{id});
    return receiving_[id];
  }

  Role role_;
  FakeTransport* peer_ = nullptr;
  std::deque<Event> events_;
  std::map<StreamId, Sending> sending_;
  std::map<StreamId, Receiving> receiving_;
  std::set<StreamId> known_;
  std::uint64_t opened_ = 0;
};

}  // namespace mpquic::perf::fakes
