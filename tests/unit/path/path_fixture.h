// Time, addresses, ACK frames, and paths that can be told what happened to their packets.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "stack/base/rng.h"
#include "stack/path/path.h"
#include "stack/path/path_manager.h"
#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_writer.h"

namespace mpquic::path_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Instant kStart{seconds(1000)};
inline constexpr std::uint32_t kSize = 1200;
inline constexpr SpaceId kApp = SpaceId::application;

inline FourTuple tuple_of(std::uint8_t host, std::uint16_t port = 1000, std::uint8_t server = 1) {
  return {{IpAddress::v4({10, 0, 0, host}), port}, {IpAddress::v4({192, 0, 2, server}), 443}};
}
/// As a server sees it: the client is the remote end.
inline FourTuple client_at(std::uint8_t host, std::uint16_t port = 1000) {
  return {{IpAddress::v4({192, 0, 2, 1}), 443}, {IpAddress::v4({10, 0, 0, host}), port}};
}

/// Never skips packet numbers early, gives distinct challenges.
class CountingRng final : public Rng {
 public:
  void fill(MutableBytes out) override {
    std::fill(out.begin(), out.end(), std::byte{0xff});
    if (!out.empty()) out.back() = static_cast<std::byte>(count_++);
  }

 private:
  std::uint8_t count_ = 0;
};

inline PathSettings settings_for(Role role) {
  PathSettings settings;
  settings.tuple.role = role;
  settings.tuple.mtu = MtuConfig{.discover = false, .initial = 1200, .maximum = 1200};
  settings.congestion_control = "new_reno";
  settings.pacing = false;
  settings.handshake_confirmed = true;
  return settings;
}

inline AckFrame ack_of(std::uint64_t smallest, std::uint64_t largest) {
  AckFrame ack;
  ack.largest = PacketNumber{largest};
  ack.first_range = largest - smallest;
  return ack;
}

/// One packet's frames, decoded.
struct Written {
  std::vector<std::byte> bytes;
  std::vector<Frame> frames;
  std::vector<DeliveryToken> tokens;

  template <class F>
  [[nodiscard]] std::vector<F> all() const {
    std::vector<F> found;
    for (const Frame& frame : frames) {
      if (const auto* f = std::get_if<F>(&frame)) found.push_back(*f);
    }
    return found;
  }
  template <class T>
  [[nodiscard]] std::vector<T> tokens_of() const {
    std::vector<T> found;
    for (const DeliveryToken& token : tokens) {
      if (const auto* t = std::get_if<T>(&token)) found.push_back(*t);
    }
    return found;
  }
};

template <class Fn>
Written write_with(PathId path, Fn&& fn) {
  Written written;
  written.bytes.resize(1200);
  TokenList tokens;
  FrameWriter writer(written.bytes, EncryptionLevel::one_rtt, path, tokens);
  fn(writer);
  written.tokens.assign(tokens.view().begin(), tokens.view().end());
  if (writer.size() == 0) return written;
  FrameDecoder decoder(Bytes(written.bytes).first(writer.size()), EncryptionLevel::one_rtt, {true, true, true});
  while (auto frame = decoder.next()) {
    if (!*frame) break;
    written.frames.push_back(**frame);
  }
  return written;
}

inline std::vector<PathEvent> drain(RingBuffer<PathEvent>& events) {
  std::vector<PathEvent> drained;
  while (!events.empty()) drained.push_back(events.pop_front());
  return drained;
}

inline std::vector<PathEvent::Kind> kinds_of(const std::vector<PathEvent>& events) {
  std::vector<PathEvent::Kind> kinds;
  for (const PathEvent& event : events) kinds.push_back(event.kind);
  return kinds;
}

/// Sends an ack-eliciting packet whose DatagramToken is its number.
inline PacketNumber send(Path& path, Instant now, SpaceId space = SpaceId::application, std::uint32_t bytes = kSize) {
  SentPacket packet;
  packet.number = path.space(space).next_number();
  packet.time_sent = now;
  packet.bytes = bytes;
  packet.ack_eliciting = packet.in_flight = true;
  const DeliveryToken token = DatagramToken{packet.number.value()};
  path.on_packet_sent(space, packet, std::span(&token, 1), now);
  path.on_datagram_sent(path.active().addresses, ByteCount{bytes});
  return packet.number;
}

/// Sends one MTU probe.
inline PacketNumber send_probe(Path& path, std::size_t size, Instant now) {
  SentPacket packet;
  packet.number = path.space(SpaceId::application).next_number();
  packet.time_sent = now;
  packet.bytes = static_cast<std::uint32_t>(size);
  packet.ack_eliciting = packet.in_flight = packet.mtu_probe = true;
  path.on_packet_sent(SpaceId::application, packet, {}, now);
  return packet.number;
}

/// The frames of the probe that a path owes; sent as a packet too.
inline Written write_probe(Path& path, Instant now) {
  const auto plan = path.next_probe();
  if (!plan) return {};
  Written written = write_with(path.id(), [&](FrameWriter& writer) { path.write_probe(*plan, writer, now); });
  path.on_datagram_sent(plan->tuple, ByteCount{plan->datagram_size});
  return written;
}

/// The data of the challenge that a path owes.
inline ChallengeData challenge_of(Path& path, Instant now) {
  const auto challenges = write_probe(path, now).all<PathChallengeFrame>();
  return challenges.empty() ? ChallengeData{} : challenges.front().data;
}

inline std::vector<std::uint64_t> labels_of(const std::vector<DeliveryToken>& tokens) {
  std::vector<std::uint64_t> labels;
  for (const DeliveryToken& token : tokens) {
    if (const auto* label = std::get_if<DatagramToken>(&token)) labels.push_back(label->sequence);
  }
  return labels;
}

}  // namespace mpquic::path_test
