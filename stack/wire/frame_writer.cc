#include "stack/wire/frame_writer.h"

#include <algorithm>

#include "stack/wire/cursor.h"
#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"

namespace mpquic {
namespace {

namespace t = frame_type;

// Of the frames that are written by the million.
constexpr const FrameRule& kAckRule = *find_frame_rule(t::kAck);
constexpr const FrameRule& kPathAckRule = *find_frame_rule(t::kPathAck);
constexpr const FrameRule& kStreamRule = *find_frame_rule(t::kStream);
constexpr const FrameRule& kCryptoRule = *find_frame_rule(t::kCrypto);
constexpr const FrameRule& kDatagramRule = *find_frame_rule(t::kDatagram);
constexpr const FrameRule& kNumberedDatagramRule = *find_frame_rule(t::kNumberedDatagram);

/// The payload that fits in `room` behind a varint that says its length. nullopt: not even the length.
[[nodiscard]] std::optional<std::size_t> fitting_length(std::size_t room, std::size_t wanted) {
  const std::size_t bound = std::min(room, wanted);
  const std::size_t prefix = varint_size(bound);
  if (prefix > room) return std::nullopt;
  return std::min(wanted, room - prefix);
}

/// The two varints that add `lower`, the next range down, to ACK ranges that reach down to `upper.begin`.
struct GapAndLength {
  std::uint64_t gap = 0;
  std::uint64_t length = 0;
  GapAndLength(const Interval& upper, const Interval& lower)  // RFC 9000 §19.3.1
      : gap(upper.begin - lower.end - 1), length(lower.end - lower.begin - 1) {}
  [[nodiscard]] std::size_t size() const { return varint_size(gap) + varint_size(length); }
};

/// How many ranges below the highest fit in `room`, their count included.
[[nodiscard]] std::size_t fitting_ranges(std::span<const Interval> received, std::size_t room,
                                         std::size_t max_further) {
  std::size_t used = 0;
  std::size_t count = 0;
  const std::size_t available = std::min(received.size() - 1, max_further);
  while (count < available) {
    const std::size_t upper = received.size() - 1 - count;
    used += GapAndLength(received[upper], received[upper - 1]).size();
    if (used + varint_size(count + 1) > room) break;
    ++count;
  }
  return count;
}

}  // namespace

FrameWriter::FrameWriter(MutableBytes out, EncryptionLevel level, PathId path, TokenList& tokens)
    : out_(out), tokens_(tokens), level_(level), path_(path) {
  tokens_.count = 0;
}

void FrameWriter::commit(const FrameRule& rule, std::size_t bytes) {
  MPQUIC_DCHECK(rule.allows(level_));
  size_ += bytes;
  ack_eliciting_ = ack_eliciting_ || rule.ack_eliciting;
  probing_only_ = probing_only_ && rule.probing;
  in_flight_ = in_flight_ || rule.in_flight;
}

bool FrameWriter::write(const Frame& frame) {
  ByteWriter out(room());
  if (!encode(out, frame)) return false;
  const FrameRule* const rule = find_frame_rule(type_of(frame));
  MPQUIC_DCHECK(rule != nullptr);
  commit(*rule, out.size());
  return true;
}

bool FrameWriter::write(const Frame& frame, const DeliveryToken& token) {
  if (!has_token_slot() || !write(frame)) return false;
  add_token(token);
  return true;
}

bool FrameWriter::write_ack(std::optional<PathId> path,  // tidy: allow(parameters) the fields of one frame
                            const IntervalSet& received, std::uint64_t delay, const std::optional<EcnCounts>& ecn,
                            std::size_t max_ranges, const AckToken& token) {
  if (received.empty() || max_ranges == 0 || !has_token_slot()) return false;
  const std::span<const Interval> ranges = received.intervals();
  const Interval& highest = ranges.back();
  const std::uint64_t largest = highest.end - 1;
  const std::uint64_t first_range = largest - highest.begin;
  const std::uint64_t type = (path ? t::kPathAck : t::kAck) + (ecn ? 1U : 0U);

  std::size_t fixed = varint_size(type) + varint_size(largest) + varint_size(delay) + varint_size(first_range);
  if (path) fixed += varint_size(path->value());
  if (ecn) fixed += varint_size(ecn->ect0) + varint_size(ecn->ect1) + varint_size(ecn->ce);
  if (fixed + varint_size(0) > remaining()) return false;
  const std::size_t further = fitting_ranges(ranges, remaining() - fixed, max_ranges - 1);

  ByteWriter out(room());
  bool complete = out.write_varint(type) && (!path || out.write_varint(path->value())) && out.write_varint(largest) &&
                  out.write_varint(delay) && out.write_varint(further) && out.write_varint(first_range);
  for (std::size_t i = 0; i < further; ++i) {
    const std::size_t upper = ranges.size() - 1 - i;
    const GapAndLength next(ranges[upper], ranges[upper - 1]);
    complete = complete && out.write_varint(next.gap) && out.write_varint(next.length);
  }
  if (ecn) {
    complete = complete && out.write_varint(ecn->ect0) && out.write_varint(ecn->ect1) && out.write_varint(ecn->ce);
  }
  MPQUIC_CHECK(complete);
  commit(path ? kPathAckRule : kAckRule, out.size());
  add_token(token);
  return true;
}

std::optional<MutableBytes> FrameWriter::write_stream(StreamId id, std::uint64_t offset, std::size_t length, bool fin) {
  const std::size_t header = 1 + varint_size(id.value()) + (offset != 0 ? varint_size(offset) : 0);
  if (!has_token_slot() || header > remaining()) return std::nullopt;
  const auto taken = fitting_length(remaining() - header, length);
  if (!taken) return std::nullopt;
  const bool ends = fin && *taken == length;
  if (*taken == 0 && !ends) return std::nullopt;

  const std::uint64_t type = t::kStream | (offset != 0 ? 0x4U : 0U) | 0x2U | (ends ? 0x1U : 0U);
  ByteWriter out(room());
  const bool complete = out.write_varint(type) && out.write_varint(id.value()) &&
                        (offset == 0 || out.write_varint(offset)) && out.write_varint(*taken);
  const auto data = out.reserve(*taken);
  MPQUIC_CHECK(complete && data);
  commit(kStreamRule, out.size());
  add_token(StreamToken{.id = id, .offset = offset, .length = static_cast<std::uint32_t>(*taken), .fin = ends});
  return data;
}

std::optional<MutableBytes> FrameWriter::write_crypto(std::uint64_t offset, std::size_t length) {
  const std::size_t header = 1 + varint_size(offset);
  if (!has_token_slot() || header > remaining()) return std::nullopt;
  const auto taken = fitting_length(remaining() - header, length);
  if (!taken || *taken == 0) return std::nullopt;

  ByteWriter out(room());
  const bool complete = out.write_varint(t::kCrypto) && out.write_varint(offset) && out.write_varint(*taken);
  const auto data = out.reserve(*taken);
  MPQUIC_CHECK(complete && data);
  commit(kCryptoRule, out.size());
  add_token(CryptoToken{.level = level_, .offset = offset, .length = static_cast<std::uint32_t>(*taken)});
  return data;
}

std::optional<MutableBytes> FrameWriter::write_datagram(std::size_t length, const DatagramToken& token) {
  const bool numbered = token.numbered;
  const std::uint64_t type = numbered ? t::kNumberedDatagram : t::kDatagram | 1;
  const std::size_t header = varint_size(type) + (numbered ? varint_size(token.sequence) : 0) + varint_size(length);
  if (!has_token_slot() || header + length > remaining()) return std::nullopt;
  ByteWriter out(room());
  const bool complete =
      out.write_varint(type) && (!numbered || out.write_varint(token.sequence)) && out.write_varint(length);
  const auto data = out.reserve(length);
  MPQUIC_CHECK(complete && data);
  commit(numbered ? kNumberedDatagramRule : kDatagramRule, out.size());
  add_token(token);
  return data;
}

}  // namespace mpquic
