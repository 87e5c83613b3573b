#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stack/wire/header.h"
#include "tests/property/wire_generators.h"
#include "tests/unit/wire/wire_testing.h"

namespace mpquic {
namespace {

using testing::any_bool;
using testing::any_bytes;
using testing::any_connection_id;
using testing::between;
using testing::Blob;
using testing::blob;

RC_GTEST_PROP(WireHeaders, AnyLongHeaderRoundTrips, ()) {
  const auto type = *rc::gen::element(PacketType::initial, PacketType::zero_rtt, PacketType::handshake);
  const Blob token = type == PacketType::initial ? any_bytes() : Blob{};
  const LongHeader header{type, any_connection_id(), any_connection_id(), token, any_bool()};
  const auto length = static_cast<std::size_t>(between(1, 4));
  const auto number = truncate(PacketNumber{testing::any_varint()}, length);
  const auto payload = static_cast<std::size_t>(between(0, 1500));
  const auto behind = static_cast<std::size_t>(between(0, 50));

  Blob datagram(header_size(header, length) + payload + behind);
  ByteWriter out(datagram);
  const auto layout = write_long_header(out, header, {number, length});
  RC_ASSERT(layout.has_value());
  RC_ASSERT(layout->size == out.size());
  patch_length(MutableBytes(datagram).first(out.size() + payload), *layout);

  const auto packet = parse_packet(datagram, 0);
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->type == type);
  RC_ASSERT(packet->dcid == header.dcid);
  RC_ASSERT(packet->scid == header.scid);
  RC_ASSERT(blob(packet->token) == token);
  RC_ASSERT(packet->fixed_bit == header.fixed_bit);
  RC_ASSERT(packet->consumed == layout->size + payload);
  RC_ASSERT(packet->packet_number_offset == layout->packet_number_offset);
  std::uint32_t read = 0;
  for (std::size_t i = 0; i < length; ++i) {
    read = read << 8 | std::to_integer<std::uint32_t>(packet->bytes[packet->packet_number_offset + i]);
  }
  RC_ASSERT(read == number);
}

RC_GTEST_PROP(WireHeaders, AnyShortHeaderRoundTrips, ()) {
  const ShortHeader header{any_connection_id(), any_bool(), any_bool(), any_bool()};
  const auto length = static_cast<std::size_t>(between(1, 4));
  Blob datagram(header_size(header, length) + static_cast<std::size_t>(between(0, 50)));
  ByteWriter out(datagram);
  const auto layout = write_short_header(out, header, {7, length});
  RC_ASSERT(layout.has_value());
  const auto packet = parse_packet(datagram, header.dcid.size());
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->type == PacketType::one_rtt);
  RC_ASSERT(packet->dcid == header.dcid);
  RC_ASSERT(packet->fixed_bit == header.fixed_bit);
  RC_ASSERT(packet->packet_number_offset == layout->packet_number_offset);
  RC_ASSERT(packet->consumed == datagram.size());
}

RC_GTEST_PROP(WireHeaders, AnyRetryRoundTrips, ()) {
  const Blob token = any_bytes(1);
  const RetryHeader header{any_connection_id(), any_connection_id(), token, static_cast<std::uint8_t>(between(0, 15))};
  Blob datagram(400);
  ByteWriter out(datagram);
  RC_ASSERT(write_retry(out, header) && out.write_zeros(kRetryIntegrityTagSize));
  const auto packet = parse_packet(out.written(), 0);
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->type == PacketType::retry);
  RC_ASSERT(packet->dcid == header.dcid);
  RC_ASSERT(packet->scid == header.scid);
  RC_ASSERT(blob(packet->token) == token);
}

RC_GTEST_PROP(WireHeaders, ArbitraryDatagramsParseInBoundsAndEnd, ()) {
  Blob datagram = any_bytes(0, 200);
  if (datagram.size() >= 7 && any_bool()) {  // make it plausible: version 1 and short connection IDs
    datagram[0] |= std::byte{0xc0};
    for (std::size_t i = 1; i < 5; ++i) datagram[i] = i == 4 ? std::byte{1} : std::byte{0};
    datagram[5] = static_cast<std::byte>(between(0, 20));
  }
  const auto short_dcid_length = static_cast<std::size_t>(between(0, 20));
  MutableBytes rest(datagram);
  while (!rest.empty()) {
    const auto packet = parse_packet(rest, short_dcid_length);
    if (!packet) {
      RC_ASSERT(packet.error() == DropReason::malformed_header || packet.error() == DropReason::unsupported_version);
      if (packet.error() == DropReason::unsupported_version) RC_ASSERT(parse_invariants(rest, 0)->long_form);
      break;
    }
    RC_ASSERT(packet->consumed > 0U);
    RC_ASSERT(packet->consumed <= rest.size());
    RC_ASSERT(packet->bytes.data() == rest.data());
    RC_ASSERT(packet->bytes.size() == packet->consumed);
    RC_ASSERT(packet->packet_number_offset < packet->bytes.size());
    rest = rest.subspan(packet->consumed);
  }
}

RC_GTEST_PROP(WirePacketNumbers, TheReceiverAlwaysRecoversTheNumber, ()) {
  // The sender knows an older acknowledgement than the receiver's newest packet (RFC 9000 §17.1).
  const std::uint64_t number = between(0, kMaxVarint);
  constexpr std::uint64_t kMostUnacked = std::uint64_t{1} << 30;
  const std::uint64_t oldest = number > kMostUnacked ? number - kMostUnacked : 0;
  const std::uint64_t acked = between(oldest, number);
  RC_PRE(acked < number);
  const std::uint64_t received = between(acked, number);
  const auto length = packet_number_length(PacketNumber{number}, PacketNumber{acked});
  const auto recovered = expand_packet_number(truncate(PacketNumber{number}, length), length, PacketNumber{received});
  RC_ASSERT(recovered == PacketNumber{number});
}

RC_GTEST_PROP(WirePacketNumbers, ALatePacketIsRecoveredToo, ()) {
  // Reordered by less than the acknowledged range: the receiver is ahead of the packet.
  const std::uint64_t acked = between(0, kMaxVarint / 2);
  const std::uint64_t number = acked + between(1, 1U << 20);
  const auto length = packet_number_length(PacketNumber{number}, PacketNumber{acked});
  const std::uint64_t ahead = number + between(0, (std::uint64_t{1} << (8 * length - 1)) - 2);
  const auto recovered = expand_packet_number(truncate(PacketNumber{number}, length), length, PacketNumber{ahead});
  RC_ASSERT(recovered == PacketNumber{number});
}

RC_GTEST_PROP(WirePacketNumbers, AnyInputGivesTheClosestMatchInRange, ()) {
  const auto length = static_cast<std::size_t>(between(1, 4));
  const auto truncated = static_cast<std::uint32_t>(between(0, (std::uint64_t{1} << (8 * length)) - 1));
  const std::uint64_t largest = any_bool() ? testing::any_varint() : kMaxVarint - between(0, 1000);
  const std::uint64_t number = expand_packet_number(truncated, length, PacketNumber{largest}).value();
  const std::uint64_t window = std::uint64_t{1} << (8 * length);
  RC_ASSERT(number <= kMaxVarint);
  RC_ASSERT(number % window == truncated);
  const std::uint64_t expected = largest + 1;
  const std::uint64_t distance = number > expected ? number - expected : expected - number;
  if (number >= window && number + window <= kMaxVarint) RC_ASSERT(distance <= window / 2);
}

}  // namespace
}  // namespace mpquic
