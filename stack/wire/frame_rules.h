// One table for what RFC 9000 (table 3), RFC 9221 and the extensions say about each frame type: where it may appear,
// what its arrival and its loss mean, and how big it can get.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/base/ids.h"
#include "stack/wire/frame.h"
#include "stack/wire/varint.h"

namespace mpquic {

/// IP Version in ADD_ADDRESS and its kin (0x40-0x42).
inline constexpr std::uint8_t kIpVersion4 = 4;
inline constexpr std::uint8_t kIpVersion6 = 6;

/// What must have been negotiated for a frame to exist at all.
enum class FrameExtension : std::uint8_t { none, datagram, multipath, address_advertisement, numbered_datagram };

/// Sets of encryption levels, as bits.
namespace levels {
[[nodiscard]] constexpr std::uint8_t bit(EncryptionLevel level) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(level));
}
inline constexpr std::uint8_t kOneRtt = bit(EncryptionLevel::one_rtt);
inline constexpr std::uint8_t kApplication = bit(EncryptionLevel::zero_rtt) | kOneRtt;
inline constexpr std::uint8_t kNotZeroRtt = bit(EncryptionLevel::initial) | bit(EncryptionLevel::handshake) | kOneRtt;
inline constexpr std::uint8_t kAll = kNotZeroRtt | kApplication;
}  // namespace levels

struct FrameRule {
  std::uint64_t first = 0;  // frame types first .. last
  std::uint64_t last = 0;
  std::uint8_t levels = 0;
  bool ack_eliciting = true;  // RFC 9002 §2
  bool probing = false;       // RFC 9000 §9.1
  bool in_flight = true;      // counts in congestion control (RFC 9002 §2)
  std::size_t max_size = 1;   // encoded, without the variable part: stream data, tokens, reasons, further ACK ranges
  FrameExtension extension = FrameExtension::none;

  [[nodiscard]] constexpr bool allows(EncryptionLevel level) const { return (levels & levels::bit(level)) != 0; }
};

namespace frame_rules_detail {

inline constexpr std::size_t kVarint = kMaxVarintSize;
inline constexpr std::size_t kCidSize = 1 + ConnectionId::kMaxLength;
inline constexpr std::size_t kTokenSize = sizeof(StatelessResetToken);
inline constexpr std::size_t kAddressSize = 1 + 16 + 2;
inline constexpr std::size_t kAckSize = 4 * kVarint + 3 * kVarint;  // first range and ECN counts

/// `size` is what follows the type, at most.
[[nodiscard]] constexpr FrameRule frame(std::uint64_t type, std::uint8_t levels, std::size_t size) {
  return {.first = type, .last = type, .levels = levels, .max_size = varint_size(type) + size};
}
/// A frame whose type carries flags: `count` types in a row.
[[nodiscard]] constexpr FrameRule family(std::uint64_t first, std::uint64_t count, std::uint8_t levels,
                                         std::size_t size) {
  FrameRule rule = frame(first, levels, size);
  rule.last = first + count - 1;
  return rule;
}
[[nodiscard]] constexpr FrameRule probing(FrameRule rule) {
  rule.probing = true;
  return rule;
}
/// Neither acknowledged for its own sake nor counted in flight.
[[nodiscard]] constexpr FrameRule passive(FrameRule rule) {
  rule.ack_eliciting = false;
  rule.in_flight = false;
  return rule;
}
[[nodiscard]] constexpr FrameRule extension(FrameExtension needed, FrameRule rule) {
  rule.extension = needed;
  return rule;
}
[[nodiscard]] constexpr FrameRule multipath(std::uint64_t type, std::size_t size) {
  return extension(FrameExtension::multipath, frame(type, levels::kOneRtt, size));
}
[[nodiscard]] constexpr FrameRule advertisement(std::uint64_t type, std::size_t size) {
  return extension(FrameExtension::address_advertisement, frame(type, levels::kOneRtt, size));
}
[[nodiscard]] constexpr FrameRule padding() {
  FrameRule rule = probing(frame(frame_type::kPadding, levels::kAll, 0));
  rule.ack_eliciting = false;  // but in flight
  return rule;
}

}  // namespace frame_rules_detail

/// Sorted by type. 0-RTT follows RFC 9000 §12.5, which is stricter than table 3 about RETIRE_CONNECTION_ID.
inline constexpr auto kFrameRules = [] {
  using namespace frame_rules_detail;
  namespace t = frame_type;
  return std::to_array<FrameRule>({
      padding(),
      frame(t::kPing, levels::kAll, 0),
      passive(family(t::kAck, 2, levels::kNotZeroRtt, kAckSize)),
      frame(t::kResetStream, levels::kApplication, 3 * kVarint),
      frame(t::kStopSending, levels::kApplication, 2 * kVarint),
      frame(t::kCrypto, levels::kNotZeroRtt, 2 * kVarint),
      frame(t::kNewToken, levels::kOneRtt, kVarint),
      family(t::kStream, 8, levels::kApplication, 3 * kVarint),
      frame(t::kMaxData, levels::kApplication, kVarint),
      frame(t::kMaxStreamData, levels::kApplication, 2 * kVarint),
      frame(t::kMaxStreamsBidi, levels::kApplication, kVarint),
      frame(t::kMaxStreamsUni, levels::kApplication, kVarint),
      frame(t::kDataBlocked, levels::kApplication, kVarint),
      frame(t::kStreamDataBlocked, levels::kApplication, 2 * kVarint),
      frame(t::kStreamsBlockedBidi, levels::kApplication, kVarint),
      frame(t::kStreamsBlockedUni, levels::kApplication, kVarint),
      probing(frame(t::kNewConnectionId, levels::kApplication, 2 * kVarint + kCidSize + kTokenSize)),
      frame(t::kRetireConnectionId, levels::kOneRtt, kVarint),
      probing(frame(t::kPathChallenge, levels::kApplication, sizeof(ChallengeData))),
      probing(frame(t::kPathResponse, levels::kOneRtt, sizeof(ChallengeData))),
      passive(frame(t::kConnectionClose, levels::kAll, 3 * kVarint)),
      passive(frame(t::kApplicationClose, levels::kApplication, 2 * kVarint)),
      frame(t::kHandshakeDone, levels::kOneRtt, 0),
      extension(FrameExtension::datagram, family(t::kDatagram, 2, levels::kApplication, kVarint)),
      passive(extension(FrameExtension::multipath, family(t::kPathAck, 2, levels::kOneRtt, kVarint + kAckSize))),
      advertisement(t::kAddAddress, 2 * kVarint + kAddressSize),
      advertisement(t::kPaths, 2 * kVarint),
      advertisement(t::kClosePath, 3 * kVarint),
      extension(FrameExtension::numbered_datagram, frame(t::kNumberedDatagram, levels::kOneRtt, 2 * kVarint)),
      multipath(t::kPathAbandon, 2 * kVarint),
      multipath(t::kPathStatusBackup, 2 * kVarint),
      multipath(t::kPathStatusAvailable, 2 * kVarint),
      multipath(t::kPathNewConnectionId, 3 * kVarint + kCidSize + kTokenSize),
      multipath(t::kPathRetireConnectionId, 2 * kVarint),
      multipath(t::kMaxPathId, kVarint),
      multipath(t::kPathsBlocked, kVarint),
      multipath(t::kPathCidsBlocked, 2 * kVarint),
  });
}();

/// The rule of a frame type; nullptr for a type that nobody has defined.
[[nodiscard]] constexpr const FrameRule* find_frame_rule(std::uint64_t type) {
  const auto* const rule = std::lower_bound(kFrameRules.begin(), kFrameRules.end(), type,
                                            [](const FrameRule& r, std::uint64_t t) { return r.last < t; });
  return rule != kFrameRules.end() && rule->first <= type ? rule : nullptr;
}

static_assert(std::adjacent_find(kFrameRules.begin(), kFrameRules.end(),
                                 [](const FrameRule& a, const FrameRule& b) { return a.last >= b.first; }) ==
                  kFrameRules.end(),
              "sorted and disjoint");
static_assert(std::all_of(kFrameRules.begin(), kFrameRules.end(),
                          [](const FrameRule& r) {
                            return r.first <= r.last && r.levels != 0 && r.allows(EncryptionLevel::one_rtt) &&
                                   (r.in_flight || !r.ack_eliciting);
                          }),
              "1-RTT packets may carry every frame, and what elicits ACKs counts in flight");
static_assert(std::all_of(kFrameRules.begin(), kFrameRules.end(),
                          [](const FrameRule& r) {
                            return r.extension != FrameExtension::multipath ||
                                   (r.levels == levels::kOneRtt && !r.probing);
                          }),
              "draft-ietf-quic-multipath-21 §4");
static_assert(find_frame_rule(frame_type::kStream + 5)->first == frame_type::kStream);
static_assert(find_frame_rule(0x1f) == nullptr && find_frame_rule(0x3e7d) == nullptr);

}  // namespace mpquic
