// Two StreamMaps over a network that loses, reorders and duplicates: every byte arrives exactly once and in order,
// and no limit is ever exceeded.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "stack/base/rng.h"
#include "tests/unit/stream/harness.h"

namespace mpquic {
namespace {

using namespace stream_test;

struct Sending {
  std::uint64_t total = 0;
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  bool fin_read = false;
};

/// One direction's packets, until their fate is decided.
class Network {
 public:
  Network(StreamMap& from, StreamMap& to, SeededRng& rng) : from_(from), to_(to), rng_(rng) {}

  void send(std::size_t size) {
    auto packet = next_packet(from_, size);
    if (!packet) {
      // interest() must not promise what write_frames() does not keep, or a connection would spin.
      RC_ASSERT(size < kPayload || from_.interest() == Interest::none);
      return;
    }
    flying_.push_back(std::move(*packet));
  }
  void decide(bool healed) {
    if (flying_.empty()) return;
    const std::size_t i = static_cast<std::size_t>(rng_.below(flying_.size()));
    const std::uint64_t fate = healed ? 0 : rng_.below(10);
    if (fate < 5) {  // arrives, and the ACK comes back
      arrive(i);
      acknowledge(from_, flying_[i]);
      remove(i);
    } else if (fate == 5) {  // arrives, but is declared lost: both happen, in this order
      arrive(i);
      lose(from_, flying_[i]);
      if (rng_.below(2) == 0) acknowledge(from_, flying_[i]);
      remove(i);
    } else if (fate == 6) {  // reinjected while in flight
      lose(from_, flying_[i]);
    } else if (fate == 7) {  // duplicated by the network
      arrive(i);
    } else {
      lose(from_, flying_[i]);
      remove(i);
    }
  }
  [[nodiscard]] bool idle() const { return flying_.empty(); }

 private:
  void arrive(std::size_t i) {
    const auto result = deliver(to_, flying_[i]);
    RC_ASSERT(result.has_value());  // in particular: no flow control error, so the sender kept to every limit
  }
  void remove(std::size_t i) {
    std::swap(flying_[i], flying_.back());
    flying_.pop_back();
  }

  StreamMap& from_;
  StreamMap& to_;
  SeededRng& rng_;
  std::vector<Packet> flying_;
};

class World {
 public:
  World(std::uint64_t seed, const StreamLimits& client_limits, const StreamLimits& server_limits)
      : rng_(seed),
        pair_(client_limits, server_limits),
        out_(pair_.client, pair_.server, rng_),
        back_(pair_.server, pair_.client, rng_) {}

  void run(int steps, std::size_t max_streams, std::uint64_t max_bytes) {
    for (int i = 0; i < steps; ++i) step(max_streams, max_bytes);
    for (int i = 0; i < 100000 && !done(); ++i) heal();
    RC_ASSERT(done());
    RC_ASSERT(pair_.client.stream_count() == 0U);
    RC_ASSERT(pair_.server.stream_count() == 0U);
  }

 private:
  void step(std::size_t max_streams, std::uint64_t max_bytes) {
    switch (rng_.below(8)) {
      case 0:
        if (streams_.size() < max_streams) open(rng_.below(max_bytes));
        break;
      case 1: write_some(); break;
      case 2: read_some(); break;
      case 3:
      case 4: out_.send(static_cast<std::size_t>(20 + rng_.below(kPayload - 19))); break;
      case 5: back_.send(static_cast<std::size_t>(20 + rng_.below(kPayload - 19))); break;
      case 6: out_.decide(false); break;
      default: back_.decide(false);
    }
    poll();
  }
  void heal() {
    write_some();
    out_.send(kPayload);
    out_.decide(true);
    read_some();
    back_.send(kPayload);
    back_.decide(true);
    poll();
  }
  void open(std::uint64_t total) {
    const auto id =
        pair_.client.open(rng_.below(2) == 0 ? Directionality::bidirectional : Directionality::unidirectional);
    if (!id) return;
    streams_[*id].total = total;
    pair_.client.set_priority(*id, static_cast<Urgency>(rng_.below(8)));
  }
  void write_some() {
    for (auto& [id, s] : streams_) {
      if (s.written == s.total + 1) continue;  // FIN included
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(s.total - s.written, 1 + rng_.below(5000)));
      const bool fin = s.written + length == s.total;
      const auto taken = pair_.client.write(id, pattern(s.written, length), fin);
      RC_ASSERT(taken.has_value());
      s.written += *taken + (fin && *taken == length ? 1 : 0);
    }
  }
  void read_some() {
    const auto most = static_cast<std::size_t>(1 + rng_.below(4000));
    for (auto& [id, s] : streams_) {
      if (s.fin_read) continue;
      std::string text;
      if (!stream_test::read(pair_.server, id, most, text, s.fin_read)) continue;  // not open there yet
      for (const std::byte byte : as_bytes(text)) RC_ASSERT(byte == pattern(s.read++));
      RC_ASSERT(s.read <= s.total);
      if (s.fin_read) RC_ASSERT(s.read == s.total);
    }
  }
  void poll() {
    while (auto event = pair_.server.poll_event()) {
      // A bidirectional stream is answered with FIN alone, so that it can end.
      if (event->kind == StreamEventKind::opened && event->dir == Directionality::bidirectional)
        RC_ASSERT(pair_.server.write(event->id, {}, true).has_value());
    }
    while (auto event = pair_.client.poll_event()) {
      if (event->kind != StreamEventKind::readable) continue;
      RC_ASSERT(pair_.client.peek(event->id)->fin);
      pair_.client.consume(event->id, 0);
    }
  }
  [[nodiscard]] bool done() const {
    return out_.idle() && back_.idle() && pair_.client.interest() == Interest::none &&
           pair_.server.interest() == Interest::none &&
           std::ranges::all_of(streams_, [](const auto& entry) { return entry.second.fin_read; });
  }

  SeededRng rng_;
  Pair pair_;
  Network out_;
  Network back_;
  std::map<StreamId, Sending> streams_;
};

RC_GTEST_PROP(StreamDeliveryProperty, EveryByteArrivesOnceAndInOrder, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto steps = *rc::gen::inRange(10, 2500);
  const std::uint64_t window = *rc::gen::element<std::uint64_t>(500, 3000, 20000, 200000);
  const std::uint64_t connection = *rc::gen::element<std::uint64_t>(700, 5000, 50000, 1000000);
  const std::uint64_t streams = *rc::gen::inRange<std::uint64_t>(1, 6);
  StreamLimits client = limits(window, connection, streams);
  client.send_buffer = *rc::gen::element<std::uint64_t>(100, 5000, 100000);
  World(seed, client, limits(window, connection, streams)).run(steps, 12, 30000);
}

/// Whatever a peer sends, the answer is a value: no crash, no growth beyond the limits.
RC_GTEST_PROP(StreamDeliveryProperty, HostileFramesAreRefusedOrBounded, ()) {
  StreamMap server(Role::server, limits(5000, 20000, 4));
  server.on_peer_limits(limits());
  static_cast<void>(server.open(Directionality::bidirectional));
  SeededRng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto some_id = [&rng] { return StreamId{rng.below(24)}; };
  const auto some_size = [&rng] { return rng.below(10) == 0 ? rng.below(kMaxVarint) : rng.below(6000); };
  for (int i = 0; i < 400; ++i) {
    const auto data = pattern(0, static_cast<std::size_t>(rng.below(1200)));
    switch (rng.below(12)) {
      case 0:
      case 1:
      case 2: static_cast<void>(server.on_frame(StreamFrame{some_id(), some_size(), data, rng.below(8) == 0})); break;
      case 3: static_cast<void>(server.on_frame(ResetStreamFrame{some_id(), 1, some_size()})); break;
      case 4: static_cast<void>(server.on_frame(StopSendingFrame{some_id(), 2})); break;
      case 5: static_cast<void>(server.on_frame(MaxStreamDataFrame{some_id(), some_size()})); break;
      case 6: static_cast<void>(server.on_frame(MaxDataFrame{some_size()})); break;
      case 7: static_cast<void>(server.on_frame(StreamDataBlockedFrame{some_id(), some_size()})); break;
      case 8:
        static_cast<void>(server.peek(some_id()));
        server.consume(some_id(), static_cast<std::size_t>(rng.below(500)));
        break;
      case 9: static_cast<void>(server.write(some_id(), data, rng.below(4) == 0)); break;
      case 10: server.stop_sending(some_id(), 3); break;
      default: server.reset(some_id(), 4);
    }
    if (rng.below(3) == 0) static_cast<void>(server.poll_event());
    if (const auto packet = next_packet(server))
      rng.below(2) == 0 ? acknowledge(server, *packet) : lose(server, *packet);
    RC_ASSERT(server.stream_count() <= 9U);
    RC_ASSERT(server.buffer_memory() <= 64 * sizeof(Chunk));
  }
}

}  // namespace
}  // namespace mpquic
