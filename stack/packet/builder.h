// One packet: header, room for frames, padding, seal. Knows bytes and keys, never the connection.
//
//   DatagramWriter train(buffer);
//   while (train.begin_datagram(mtu)) {
//     PacketBuilder builder(plan, keys, train);
//     FrameWriter frames(builder.room(), plan.level, plan.path, tokens);
//     ...                                    // nothing to say: let the builder go, the train is as before
//     const BuiltPacket built = builder.finish(frames.size());
//   }
//   train.flush(keys);
#pragma once

#include <cstddef>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/crypto/key_ring.h"
#include "stack/packet/datagram_writer.h"
#include "stack/wire/header.h"

namespace mpquic {

struct PacketPlan {
  EncryptionLevel level = EncryptionLevel::one_rtt;  // Initial, Handshake or 1-RTT
  PathId path;                                       // 0 but in 1-RTT
  PacketNumber number;
  std::optional<PacketNumber> largest_acked;  // by the peer, of this path's space: how short the number may be
  const ConnectionId& dcid = kNoConnectionId;
  const ConnectionId& scid = kNoConnectionId;  // long headers
  Bytes token;                                 // Initial
  bool spin = false;
  bool fixed_bit = true;              // false: grease it (RFC 9287)
  std::uint32_t version = kVersion1;  // long headers
};

struct BuiltPacket {
  std::size_t size = 0;     // of the packet, tag included
  std::size_t padding = 0;  // bytes of PADDING that were added: a packet with any counts as in flight (RFC 9002 §2)
};

class PacketBuilder {
 public:
  /// Writes the header into the open datagram of `writer`. Requires keys.has_write(plan.level). All three must outlive
  /// the builder; one builder at a time.
  PacketBuilder(const PacketPlan& plan, KeyRing& keys, DatagramWriter& writer);
  PacketBuilder(const PacketBuilder&) = delete;
  PacketBuilder& operator=(const PacketBuilder&) = delete;

  /// Where the frames go. Empty where no packet of this kind fits any more.
  [[nodiscard]] MutableBytes room() const { return room_; }

  /// Seals the first `payload_size` bytes of room(), padded so that the datagram reaches `pad_datagram_to` bytes (as
  /// far as room() goes) and that header protection has its sample (RFC 9001 §5.4.2). Once only.
  BuiltPacket finish(std::size_t payload_size, std::size_t pad_datagram_to = 0);

 private:
  const PacketPlan& plan_;
  KeyRing& keys_;
  DatagramWriter& writer_;
  MutableBytes packet_;  // all that the datagram has left
  MutableBytes room_;
  HeaderLayout layout_;
};

}  // namespace mpquic
