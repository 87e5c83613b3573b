#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include "stack/stream/stream.h"

namespace mpquic {

/// Events that the application has not polled yet, at most one per stream and kind, streams in the order in which they
/// got something to tell. They live in the streams themselves, so there is no queue that could grow.
class StreamEvents {
 public:
  struct Item {
    Stream* stream = nullptr;
    StreamEventKind kind = StreamEventKind::opened;
  };

  [[nodiscard]] bool empty() const { return streams_.empty(); }
  void push(Stream& stream, StreamEventKind kind) {
    stream.events = static_cast<std::uint8_t>(stream.events | 1U << std::to_underlying(kind));
    streams_.push_back(stream);
  }
  /// Requires !empty(). The kinds of one stream come in the order of their enumerators.
  Item pop() {
    Stream& stream = streams_.front();
    const auto kind = static_cast<StreamEventKind>(std::countr_zero(stream.events));
    stream.events &= static_cast<std::uint8_t>(stream.events - 1);
    if (stream.events == 0) streams_.erase(stream);
    return {&stream, kind};
  }

 private:
  IntrusiveList<Stream, &Stream::event_link> streams_;
};

}  // namespace mpquic
