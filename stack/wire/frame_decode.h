// Bytes to frames. The grammar and every rule that needs no connection state are enforced here; what depends on state
// (limits, stream states, path IDs announced) is for the parts that own the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/result.h"
#include "stack/wire/cursor.h"
#include "stack/wire/frame.h"

namespace mpquic {

/// Extensions in force: `multipath` and `address_advertisement` once both sides have offered them, `datagram` where we
/// have announced a max_datagram_frame_size, `numbered_datagram` where we have announced that too.
struct FrameOptions {
  bool multipath = false;
  bool address_advertisement = false;
  bool datagram = false;
  bool numbered_datagram = false;
};

/// The frames of one decrypted packet payload, in order. Frames refer to the payload. After an error there is no more.
class FrameDecoder {
 public:
  FrameDecoder(Bytes payload, EncryptionLevel level, FrameOptions options)
      : reader_(payload), level_(level), options_(options), empty_packet_(payload.empty()) {}

  /// nullptr at the end of the packet. Errors carry the frame's type. Valid until the next frame is asked for.
  [[nodiscard]] const Result<Frame>* next();

 private:
  /// Into frame_, where it stands.
  [[nodiscard]] Result<void> read_frame();
  [[nodiscard]] Result<std::uint64_t> read_type();

  ByteReader reader_;
  EncryptionLevel level_;
  FrameOptions options_;
  bool empty_packet_;    // itself an error (RFC 9000 §12.4)
  Result<Frame> frame_;  // the last one
};

/// visit(smallest, largest) for every acknowledged range, the highest first. Only for frames that a FrameDecoder gave:
/// it has checked that no range underflows.
template <class F>
void for_each_range(const AckFrame& ack, F&& visit) {
  std::uint64_t largest = ack.largest.value();
  std::uint64_t smallest = largest - ack.first_range;
  visit(PacketNumber{smallest}, PacketNumber{largest});
  ByteReader ranges(ack.ranges);
  while (!ranges.empty()) {
    const auto gap = ranges.read_varint();
    const auto length = ranges.read_varint();
    MPQUIC_CHECK(gap && length);
    largest = smallest - *gap - 2;  // RFC 9000 §19.3.1
    smallest = largest - *length;
    visit(PacketNumber{smallest}, PacketNumber{largest});
  }
}

}  // namespace mpquic
