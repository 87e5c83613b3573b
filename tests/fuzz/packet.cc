// Datagrams: the first byte picks the length of our connection IDs, the rest is split into coalesced packets.
#include <vector>

#include "stack/wire/header.h"
#include "tests/fuzz/fuzzing.h"

namespace mpquic::fuzz {
namespace {

void check_packet(const ProtectedPacket& packet, Bytes rest) {
  FUZZ_ASSERT(packet.consumed > 0 && packet.consumed <= rest.size());
  FUZZ_ASSERT(packet.bytes.data() == rest.data() && packet.bytes.size() == packet.consumed);
  FUZZ_ASSERT(packet.packet_number_offset < packet.bytes.size());
  FUZZ_ASSERT(within(packet.token, packet.bytes));
  FUZZ_ASSERT(within(packet.retry_integrity_tag, packet.bytes));
  FUZZ_ASSERT(within(packet.supported_versions, packet.bytes));
  FUZZ_ASSERT((packet.packet_number_offset != 0) == level_of(packet.type).has_value());
  if (packet.type == PacketType::retry) {
    FUZZ_ASSERT(!packet.token.empty() && packet.retry_integrity_tag.size() == kRetryIntegrityTagSize);
  }
  if (packet.type == PacketType::version_negotiation) {
    FUZZ_ASSERT(!packet.supported_versions.empty() && packet.supported_versions.size() % 4 == 0);
    static_cast<void>(lists_version(packet.supported_versions, kVersion1));
  }
}

/// What was parsed can be written, and parses to the same.
void check_rewritten(const ProtectedPacket& packet) {
  if (packet.type == PacketType::one_rtt || !level_of(packet.type)) return;
  const ConnectionId dcid(packet.dcid);
  const ConnectionId scid(packet.scid);
  const LongHeader header{packet.type, dcid, scid, packet.token, packet.fixed_bit};
  std::vector<std::byte> buffer(header_size(header, 1));
  ByteWriter out(buffer);
  const auto layout = write_long_header(out, header, {});
  FUZZ_ASSERT(layout.has_value() && out.remaining() == 0);
  patch_length(buffer, *layout);
  const auto again = parse_packet(buffer, 0);
  FUZZ_ASSERT(again && again->type == packet.type && dcid == again->dcid && scid == again->scid);
  FUZZ_ASSERT(as_text(again->token) == as_text(packet.token) && again->fixed_bit == packet.fixed_bit);
}

void run(Bytes data) {
  if (data.empty()) return;
  const std::size_t short_dcid_length = std::to_integer<std::size_t>(data[0]) % (ConnectionId::kMaxLength + 1);
  std::vector<std::byte> datagram(data.begin() + 1, data.end());
  MutableBytes rest(datagram);
  while (!rest.empty()) {
    const auto invariants = parse_invariants(rest, short_dcid_length);
    const auto packet = parse_packet(rest, short_dcid_length);
    if (!packet) {
      FUZZ_ASSERT(packet.error() != DropReason::unsupported_version || invariants);
      break;
    }
    FUZZ_ASSERT(invariants && as_text(invariants->dcid) == as_text(packet->dcid));
    check_packet(*packet, rest);
    check_rewritten(*packet);
    rest = rest.subspan(packet->consumed);
  }
}

}  // namespace
}  // namespace mpquic::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mpquic::fuzz::run(mpquic::fuzz::input(data, size));
  return 0;
}
