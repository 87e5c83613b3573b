// Two StreamMaps and the packets between them, without a connection.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/stream/stream_map.h"
#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_writer.h"

namespace mpquic::stream_test {

inline constexpr std::size_t kPayload = 1200;

[[nodiscard]] inline StreamLimits limits(std::uint64_t stream = 64 << 10, std::uint64_t connection = 256 << 10,
                                         std::uint64_t streams = 8) {
  return {.max_data = connection,
          .max_stream_data_bidi_local = stream,
          .max_stream_data_bidi_remote = stream,
          .max_stream_data_uni = stream,
          .max_streams_bidi = streams,
          .max_streams_uni = streams,
          .send_buffer = 1 << 20};
}

/// Byte i of every test stream.
[[nodiscard]] inline std::byte pattern(std::uint64_t offset) {
  return static_cast<std::byte>((offset * 167 + (offset >> 8) * 13) & 0xff);
}
[[nodiscard]] inline std::vector<std::byte> pattern(std::uint64_t offset, std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = pattern(offset + i);
  return bytes;
}

struct Packet {
  std::vector<std::byte> bytes;
  TokenList tokens;
};

/// The next packet of `map`; nullopt where it has nothing to say.
[[nodiscard]] inline std::optional<Packet> next_packet(StreamMap& map, std::size_t size = kPayload) {
  Packet packet{std::vector<std::byte>(size), {}};
  FrameWriter writer(packet.bytes, EncryptionLevel::one_rtt, PathId{0}, packet.tokens);
  map.write_frames(writer);
  packet.bytes.resize(writer.size());
  if (packet.bytes.empty()) return std::nullopt;
  return packet;
}

[[nodiscard]] inline Result<void> dispatch(StreamMap& map, const Frame& frame) {
  return std::visit(
      [&map](const auto& f) -> Result<void> {
        if constexpr (requires {
                        { map.on_frame(f) } -> std::same_as<Result<void>>;
                      }) {
          return map.on_frame(f);
        } else {
          return fail(error::kInternalError, "no frame of the stream room");
        }
      },
      frame);
}

[[nodiscard]] inline std::vector<Frame> frames_of(const Packet& packet) {
  FrameDecoder decoder(packet.bytes, EncryptionLevel::one_rtt, {});
  std::vector<Frame> frames;
  while (auto next = decoder.next()) {
    if (!*next) {
      ADD_FAILURE() << "undecodable: " << next->error().reason;
      break;
    }
    frames.push_back(**next);
  }
  return frames;
}

template <class F>
[[nodiscard]] std::vector<F> frames_of_type(const Packet& packet) {
  std::vector<F> found;
  for (const Frame& frame : frames_of(packet)) {
    if (const auto* wanted = std::get_if<F>(&frame)) found.push_back(*wanted);
  }
  return found;
}

[[nodiscard]] inline Result<void> deliver(StreamMap& map, const Packet& packet) {
  for (const Frame& frame : frames_of(packet)) MPQUIC_TRY(dispatch(map, frame));
  return {};
}

inline void acknowledge(StreamMap& map, const Packet& packet) {
  for (const DeliveryToken& token : packet.tokens.view()) map.on_acked(token);
}
inline void lose(StreamMap& map, const Packet& packet) {
  for (const DeliveryToken& token : packet.tokens.view()) map.on_lost(token);
}

[[nodiscard]] inline std::vector<StreamEvent> events_of(StreamMap& map) {
  std::vector<StreamEvent> events;
  while (auto event = map.poll_event()) events.push_back(*event);
  return events;
}

[[nodiscard]] inline bool saw(const std::vector<StreamEvent>& events, StreamEventKind kind, StreamId id) {
  for (const StreamEvent& event : events) {
    if (event.kind == kind && event.id == id) return true;
  }
  return false;
}

/// A connected client and server.
class Pair {
 public:
  explicit Pair(const StreamLimits& client_limits = limits(), const StreamLimits& server_limits = limits())
      : client(Role::client, client_limits), server(Role::server, server_limits) {
    client.on_peer_limits(server_limits);
    server.on_peer_limits(client_limits);
  }

  /// Delivers and acknowledges everything that both want to say.
  void settle() {
    bool busy = true;
    while (busy) {
      busy = pump(client, server);
      busy = pump(server, client) || busy;
    }
  }
  /// One direction, one packet. False where there was none.
  bool pump(StreamMap& from, StreamMap& to) {
    const auto packet = next_packet(from);
    if (!packet) return false;
    const auto result = deliver(to, *packet);
    EXPECT_TRUE(result.has_value()) << result.error().reason;
    acknowledge(from, *packet);
    return true;
  }

  StreamMap client;
  StreamMap server;
};

/// Takes up to `most` bytes of what lies ready; false where peek() gives an error.
[[nodiscard]] inline bool read(StreamMap& map, StreamId id, std::size_t most, std::string& text, bool& fin) {
  fin = false;
  for (bool more = true; more;) {
    const auto piece = map.peek(id);
    if (!piece) return false;
    const Bytes data = piece->data.first(std::min(most, piece->data.size()));
    text += as_text(data);
    most -= data.size();
    fin = piece->fin && data.size() == piece->data.size();
    map.consume(id, data.size());
    more = !data.empty() && most > 0 && !fin;
  }
  return true;
}

[[nodiscard]] inline std::string read_all(StreamMap& map, StreamId id, bool* fin = nullptr) {
  std::string text;
  bool ended = false;
  if (read(map, id, SIZE_MAX, text, ended) && fin != nullptr) *fin = ended;
  return text;
}

template <class T>
[[nodiscard]] std::uint64_t code_of(const Result<T>& result) {
  return result ? error::kNoError : result.error().code;
}

}  // namespace mpquic::stream_test
