// The handshake bytes of one encryption level, both ways (RFC 9000 §7.5, §19.6).
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/interval_set.h"
#include "stack/base/result.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

/// RFC 9000 §7.5 asks for at least 4096 bytes; certificate chains of client authentication need more.
inline constexpr std::uint64_t kMaxCryptoBuffer = 64 * 1024;
/// Ranges that may wait for what is missing before them. Clients that shuffle their ClientHello make some twenty pieces
/// of it; the other side of the handshake is not authenticated, so work per frame must not grow with what it sent.
inline constexpr std::size_t kMaxCryptoRanges = 64;

/// Send side: push(), then write_frames() while interest(); tokens come back through on_acked() / on_lost().
/// Receive side: on_frame(), then readable() / consume().
class CryptoStream {
 public:
  void push(Bytes data);
  [[nodiscard]] Interest interest() const;
  void write_frames(FrameWriter& writer);
  void on_acked(const CryptoToken& token);
  void on_lost(const CryptoToken& token);
  /// Everything unacknowledged is to be sent again (Retry, and PTO of the handshake).
  void resend_unacked();

  /// CRYPTO_BUFFER_EXCEEDED where the peer sends too far ahead of what TLS could read, or in too many pieces.
  [[nodiscard]] Result<void> on_frame(const CryptoFrame& frame);
  /// The next bytes in order; valid until the next call.
  [[nodiscard]] Bytes readable() const;
  void consume(std::size_t n);
  /// The peer sent bytes that were not consumed, behind a gap or not.
  [[nodiscard]] bool has_unread() const { return !present_.empty(); }
  /// The frame has bytes beyond all that was consumed.
  [[nodiscard]] bool goes_beyond(const CryptoFrame& frame) const { return frame.offset + frame.data.size() > in_base_; }

  /// Frees everything: the level's keys are gone.
  void discard();

 private:
  void write_range(FrameWriter& writer, std::uint64_t& offset, std::uint64_t end);

  std::vector<std::byte> out_;  // from out_base_
  std::uint64_t out_base_ = 0;
  std::uint64_t out_next_ = 0;  // first never sent
  IntervalSet lost_;
  IntervalSet acked_;

  std::vector<std::byte> in_;  // from in_begin_
  std::uint64_t in_begin_ = 0;
  std::uint64_t in_base_ = 0;  // everything below was consumed
  IntervalSet present_;
};

}  // namespace mpquic
