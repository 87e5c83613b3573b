// A train of datagrams in one buffer, ready for UDP GSO: all of the same size but the last (base/packet_io.h). Packets
// are sealed one by one; their headers are protected in one pass at the end, because masks are cheaper in batches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/crypto/key_ring.h"

namespace mpquic {

class DatagramWriter {
 public:
  /// Datagrams of one train (what Linux takes as one GSO send).
  static constexpr std::size_t kMaxDatagrams = 64;

  /// Starts a train in `buffer`.
  explicit DatagramWriter(MutableBytes buffer) : buffer_(buffer) {}

  /// Opens the next datagram with room for `max_size` bytes. From the second on, the first one's size is the limit: all
  /// but the last must be equal. False, and nothing changes, where the train cannot grow by at least `min_size` bytes:
  /// the last datagram is shorter than the first, the segments are too small, or the buffer is full. A datagram into
  /// which nothing was written is opened anew.
  [[nodiscard]] bool begin_datagram(std::size_t max_size, std::size_t min_size);
  /// With at least three quarters of `max_size`: a train that began with a short datagram ends there.
  [[nodiscard]] bool begin_datagram(std::size_t max_size) { return begin_datagram(max_size, max_size - max_size / 4); }
  /// What is left of the open datagram.
  [[nodiscard]] MutableBytes room() const { return buffer_.subspan(size_, datagram_end_ - size_); }
  /// Bytes in the open datagram so far.
  [[nodiscard]] std::size_t datagram_size() const { return size_ - datagram_begin_; }

  /// All datagrams so far, for Transmit::size.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// For Transmit::segment_size: the size of the first datagram, 0 while nothing was written.
  [[nodiscard]] std::size_t segment_size() const { return segment_size_ != 0 ? segment_size_ : size_; }
  [[nodiscard]] std::size_t datagram_count() const { return full_datagrams_ + (size_ > datagram_begin_ ? 1 : 0); }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// Protects all headers; then the bytes may leave. The keys that sealed them must still be there. The train is over.
  void flush(KeyRing& keys);

  /// PacketBuilder: the `size` bytes at the front of room() are a sealed packet.
  void commit(EncryptionLevel level, std::size_t size, std::size_t packet_number_offset);
  /// PacketBuilder: commit() has a slot left.
  [[nodiscard]] bool can_commit() const { return pending_count_ < kMaxPending; }

 private:
  /// Only the datagrams of a handshake hold more than one packet each, and they are few.
  static constexpr std::size_t kMaxPending = kMaxDatagrams + 8;
  struct PendingProtection {
    EncryptionLevel level = EncryptionLevel::one_rtt;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t packet_number_offset = 0;
  };

  void protect(KeyRing& keys, std::span<const PendingProtection> packets);

  MutableBytes buffer_;
  std::size_t size_ = 0;
  std::size_t datagram_begin_ = 0;
  std::size_t datagram_end_ = 0;
  std::size_t segment_size_ = 0;    // 0 until the second datagram begins
  std::size_t full_datagrams_ = 0;  // before the open one
  std::size_t pending_count_ = 0;
  std::array<PendingProtection, kMaxPending> pending_;  // the first pending_count_
};

}  // namespace mpquic
