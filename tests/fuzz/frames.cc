// Decrypted payloads: the first byte picks packet type and extensions. What decodes is encoded, and decodes to the
// same.
#include <vector>

#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"
#include "tests/fuzz/fuzzing.h"
#include "tests/unit/wire/wire_testing.h"

namespace mpquic::fuzz {
namespace {

void check_ranges(const AckFrame& ack) {
  std::uint64_t count = 0;
  std::uint64_t bound = kMaxVarint + 1;
  for_each_range(ack, [&](PacketNumber smallest, PacketNumber largest) {
    FUZZ_ASSERT(smallest <= largest && largest.value() < bound);
    bound = smallest.value();
    ++count;
  });
  FUZZ_ASSERT(count == ack.range_count + 1);
}

void check_round_trip(const Frame& frame, EncryptionLevel level, FrameOptions options) {
  std::vector<std::byte> encoded(encoded_size(frame));
  ByteWriter out(encoded);
  FUZZ_ASSERT(encode(out, frame) && out.remaining() == 0);
  const FrameRule* const rule = find_frame_rule(type_of(frame));
  FUZZ_ASSERT(rule != nullptr && rule->allows(level));
  FrameDecoder decoder(encoded, level, options);
  const auto again = decoder.next();
  FUZZ_ASSERT(again && *again && testing::same(**again, frame));
  FUZZ_ASSERT(!decoder.next());
}

void run(Bytes data) {
  if (data.empty()) return;
  const auto choice = std::to_integer<unsigned>(data[0]);
  const auto level = static_cast<EncryptionLevel>(choice & 0x3);
  const FrameOptions options{(choice & 0x4) != 0, (choice & 0x8) != 0, (choice & 0x10) != 0};
  const Bytes payload = data.subspan(1);
  FrameDecoder decoder(payload, level, options);
  std::size_t frames = 0;
  while (const auto frame = decoder.next()) {
    FUZZ_ASSERT(++frames <= payload.size() + 1);
    if (!*frame) {
      const std::uint64_t code = frame->error().code;
      FUZZ_ASSERT(code == error::kFrameEncodingError || code == error::kProtocolViolation);
      FUZZ_ASSERT(!decoder.next());
      break;
    }
    if (const auto* ack = std::get_if<AckFrame>(&**frame)) check_ranges(*ack);
    if (const auto* stream = std::get_if<StreamFrame>(&**frame)) FUZZ_ASSERT(within(stream->data, payload));
    check_round_trip(**frame, level, options);
  }
}

}  // namespace
}  // namespace mpquic::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mpquic::fuzz::run(mpquic::fuzz::input(data, size));
  return 0;
}
