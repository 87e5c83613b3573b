#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/trace/json_writer.h"

namespace mpquic::trace {

/// Writes the array "frames": every frame of a plaintext payload, those of all extensions included.
/// `ack_delay_exponent` is that of the packet's sender (RFC 9000 §19.3). What cannot be decoded ends the array with an
/// "unknown" frame.
void write_frames_json(JsonWriter& json, Bytes payload, EncryptionLevel level, std::uint64_t ack_delay_exponent);

}  // namespace mpquic::trace
