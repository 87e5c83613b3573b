// Transport parameters: the first byte picks the sender. What decodes is encoded, and decodes to the same.
#include <vector>

#include "stack/wire/transport_params.h"
#include "tests/fuzz/fuzzing.h"

namespace mpquic::fuzz {
namespace {

void run(Bytes data) {
  if (data.empty()) return;
  const Role sender = (std::to_integer<unsigned>(data[0]) & 1) != 0 ? Role::server : Role::client;
  const auto parameters = decode(data.subspan(1), sender);
  if (!parameters) {
    FUZZ_ASSERT(parameters.error().code == error::kTransportParameterError);
    return;
  }
  FUZZ_ASSERT(parameters->max_udp_payload_size >= kMinMaxUdpPayloadSize);
  FUZZ_ASSERT(parameters->active_connection_id_limit >= kMinActiveConnectionIdLimit);
  FUZZ_ASSERT(parameters->ack_delay_exponent <= kMaxAckDelayExponent && parameters->max_ack_delay <= kMaxMaxAckDelay);
  FUZZ_ASSERT(sender == Role::server || !parameters->stateless_reset_token);
  std::vector<std::byte> encoded;
  encode(*parameters, sender, encoded);
  const auto again = decode(encoded, sender);
  FUZZ_ASSERT(again && *again == *parameters);
}

}  // namespace
}  // namespace mpquic::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mpquic::fuzz::run(mpquic::fuzz::input(data, size));
  return 0;
}
