// What calls on a stream give an application. Shared by the stream room and the public transport interface.
#pragma once

#include <cstdint>

#include "stack/base/bytes.h"

namespace mpquic {

enum class StreamError : std::uint8_t { unknown_stream, reset, stopped, finished, limit, closed };

/// Of a stream, where the transport keeps it.
struct StreamPiece {
  Bytes data;
  bool fin = false;  // nothing follows these bytes
};

}  // namespace mpquic
