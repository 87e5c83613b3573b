// Datagrams that are sent on several paths: their payloads until the last copy has left, and what became of the copies.
#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/ring_buffer.h"
#include "stack/datagram/byte_ring.h"

namespace mpquic {

class KeptPayloads {
 public:
  /// Datagrams with copies at one time. Beyond, the oldest is forgotten of which no copy waits: on a path that died in
  /// silence, what was in flight may never get an answer.
  static constexpr std::size_t kMaxEntries = 4096;

  struct Entry {
    std::uint64_t sequence = 0;
    std::uint64_t at = 0;  // its payload's place, counted in bytes since the first payload ever kept
    std::uint32_t length = 0;
    std::uint16_t waiting = 0;    // copies that are still to be sent
    std::uint16_t in_flight = 0;  // of what was sent: neither acknowledged nor lost
    bool acked = false;
  };
  /// What an acknowledgement or a loss means for the datagram as a whole.
  enum class Fate : std::uint8_t {
    unknown,  // forgotten, see kMaxEntries
    open,     // other copies may still arrive, or one has arrived before
    settled,  // acknowledged for the first time, or lost with all its copies
  };

  /// At most `limit` bytes of payload are kept.
  explicit KeptPayloads(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] bool has_room(std::size_t length) const {
    return (entries_.size() < kMaxEntries || released_ > 0) && bytes_.size() + length <= limit_;
  }
  /// It was sent, and `copies` more are to follow. `sequence` is above all before. Requires has_room().
  void add(std::uint64_t sequence, Bytes payload, std::uint16_t copies);
  /// A datagram of which copies wait; nullptr: there are none, or the peer has acknowledged it.
  [[nodiscard]] const Entry* awaited(std::uint64_t sequence) const;
  void copy_payload(const Entry& entry, MutableBytes out) const;
  /// A copy that waited was sent ...
  void on_copy_sent(std::uint64_t sequence);
  /// ... or never will be.
  [[nodiscard]] Fate on_copy_dropped(std::uint64_t sequence);
  [[nodiscard]] Fate on_acked(std::uint64_t sequence);
  [[nodiscard]] Fate on_lost(std::uint64_t sequence);

  [[nodiscard]] std::size_t count() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  void trim();

 private:
  [[nodiscard]] const Entry* find(std::uint64_t sequence) const;
  [[nodiscard]] Entry* find(std::uint64_t sequence);
  [[nodiscard]] std::size_t place_of(std::uint64_t sequence) const;
  /// One copy less: what that means where nobody has acknowledged it, and release().
  [[nodiscard]] Fate fate_after_loss(const Entry& entry);
  /// Gives up what is over, from the front: payloads that no copy waits for, and entries that nothing is in flight of.
  void release();

  std::size_t limit_;
  RingBuffer<Entry> entries_;  // by ascending sequence number
  ByteRing bytes_;
  std::size_t released_ = 0;       // entries at the front whose payload is given up
  std::uint64_t bytes_begin_ = 0;  // Entry::at of the first byte kept
};

}  // namespace mpquic
