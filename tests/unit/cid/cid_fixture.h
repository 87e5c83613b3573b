// Connection IDs made of small integers, and the frames that a component wrote.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "stack/base/connection_id.h"
#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_writer.h"

namespace mpquic::cid_test {

inline constexpr PathId kPath1{1};
inline constexpr PathId kPath2{2};

inline ConnectionId id_of(std::uint8_t value) {
  std::array<std::byte, 8> bytes{};
  bytes.fill(std::byte{value});
  return ConnectionId(bytes);
}

inline StatelessResetToken token_of(std::uint8_t value) {
  StatelessResetToken token{};
  token.fill(std::byte{value});
  return token;
}

/// One packet's worth of frames of a FrameSource, decoded again, with their tokens.
struct Packet {
  std::vector<std::byte> bytes;
  std::vector<Frame> frames;
  std::vector<DeliveryToken> tokens;

  template <class F>
  std::vector<F> all() const {
    std::vector<F> found;
    for (const Frame& frame : frames) {
      if (const auto* f = std::get_if<F>(&frame)) found.push_back(*f);
    }
    return found;
  }
};

template <class Source>
Packet write_packet(Source& source, std::size_t size = 1200) {
  Packet packet;
  packet.bytes.resize(size);
  TokenList tokens;
  FrameWriter writer(packet.bytes, EncryptionLevel::one_rtt, kInitialPath, tokens);
  source.write_frames(writer);
  const auto view = tokens.view();
  packet.tokens.assign(view.begin(), view.end());
  if (writer.size() == 0) return packet;
  const FrameOptions options{.multipath = true, .address_advertisement = false, .datagram = true};
  FrameDecoder decoder(Bytes(packet.bytes).first(writer.size()), EncryptionLevel::one_rtt, options);
  while (auto frame = decoder.next()) {
    if (!*frame) break;
    packet.frames.push_back(**frame);
  }
  return packet;
}

}  // namespace mpquic::cid_test
