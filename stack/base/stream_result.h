// What calls on a stream give an application. Shared by the stream room and the public transport interface.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mpquic {

enum class StreamError : std::uint8_t { unknown_stream, reset, stopped, finished, limit, closed };

struct ReadResult {
  std::size_t bytes = 0;
  bool fin = false;  // nothing follows these bytes
};

}  // namespace mpquic
