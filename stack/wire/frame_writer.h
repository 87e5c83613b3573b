// Where components put their frames: bytes into the packet being built, and the token that says what they were.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/interval_set.h"
#include "stack/wire/delivery_token.h"
#include "stack/wire/frame.h"

namespace mpquic {

struct FrameRule;

/// Ordered: what a component would like to send, and how urgently.
enum class Interest : std::uint8_t { none, new_data, lost_data, forced };

/// A packet carries at most this many tokens; a writer that is full refuses further frames until the next packet.
inline constexpr std::size_t kMaxTokensPacket = 24;

struct TokenList {
  std::array<DeliveryToken, kMaxTokensPacket> items;
  std::size_t count = 0;
  [[nodiscard]] std::span<const DeliveryToken> view() const { return std::span(items).first(count); }
};

/// Frames of one packet. Every write() is all or nothing: false leaves the packet as it was (no room, or no token
/// slot left), and the component tries again in a later packet.
class FrameWriter {
 public:
  /// Writes into `out`, at most all of it. `level` and `path` say which packet this is; `tokens` is cleared.
  FrameWriter(MutableBytes out, EncryptionLevel level, PathId path, TokenList& tokens);

  [[nodiscard]] EncryptionLevel level() const { return level_; }
  [[nodiscard]] PathId path() const { return path_; }
  [[nodiscard]] std::size_t remaining() const { return out_.size() - size_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool ack_eliciting() const { return ack_eliciting_; }
  /// Only probing frames so far (RFC 9000 §9.1).
  [[nodiscard]] bool probing_only() const { return probing_only_; }
  /// Anything but ACK, PATH_ACK and CONNECTION_CLOSE counts in flight (RFC 9002 §2).
  [[nodiscard]] bool in_flight() const { return in_flight_; }

  /// Any frame that carries no token (PING, PATH_CHALLENGE, CONNECTION_CLOSE, PADDING, ...).
  [[nodiscard]] bool write(const Frame& frame);
  /// A frame with the token that acknowledgement or loss will hand back.
  [[nodiscard]] bool write(const Frame& frame, const DeliveryToken& token);

  /// ACK, or PATH_ACK where `path` is given, of `received` (packet numbers), largest first; as many ranges as fit, at
  /// most `max_ranges`. Needs room for the first range at least.
  [[nodiscard]] bool write_ack(std::optional<PathId> path, const IntervalSet& received, std::uint64_t delay,
                               const std::optional<EcnCounts>& ecn, std::size_t max_ranges, const AckToken& token);

  /// A STREAM frame of up to `length` bytes from `offset`, FIN if `fin` and all of it fits. Gives the span to copy
  /// the data into; its size is what was taken (possibly 0 with FIN). nullopt: no room for a useful frame.
  [[nodiscard]] std::optional<MutableBytes> write_stream(StreamId id, std::uint64_t offset, std::size_t length,
                                                         bool fin);
  /// Likewise CRYPTO.
  [[nodiscard]] std::optional<MutableBytes> write_crypto(std::uint64_t offset, std::size_t length);
  /// DATAGRAM of exactly `length` bytes, or nothing; NUMBERED_DATAGRAM with its sequence number where the token says
  /// so.
  [[nodiscard]] std::optional<MutableBytes> write_datagram(std::size_t length, const DatagramToken& token);

 private:
  [[nodiscard]] MutableBytes room() const { return out_.subspan(size_); }
  [[nodiscard]] bool has_token_slot() const { return tokens_.count < kMaxTokensPacket; }
  void add_token(const DeliveryToken& token) { tokens_.items[tokens_.count++] = token; }
  /// `bytes` of a frame with this rule were put at the end.
  void commit(const FrameRule& rule, std::size_t bytes);

  MutableBytes out_;
  std::size_t size_ = 0;
  TokenList& tokens_;
  EncryptionLevel level_;
  PathId path_;
  bool ack_eliciting_ = false;
  bool probing_only_ = true;
  bool in_flight_ = false;
};

}  // namespace mpquic
