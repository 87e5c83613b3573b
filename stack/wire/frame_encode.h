// Frames to bytes. STREAM and DATAGRAM always carry their length, integers their shortest form.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/wire/cursor.h"
#include "stack/wire/frame.h"

namespace mpquic {

/// The type that encode() gives `frame`, flags included.
[[nodiscard]] std::uint64_t type_of(const Frame& frame);

/// Bytes that encode() needs.
[[nodiscard]] std::size_t encoded_size(const Frame& frame);

/// All or nothing. Requires values within the wire's range (varints below 2^62, ...): those are ours to respect.
[[nodiscard]] bool encode(ByteWriter& out, const Frame& frame);

}  // namespace mpquic
