#pragma once

#include <memory>
#include <span>
#include <vector>

#include "stack/stream/stream.h"

namespace mpquic {

/// The streams that have state, ordered by ID. New ones mostly come at the end of their kind; a few finished ones are
/// kept to be used again.
class StreamTable {
 public:
  struct Entry {
    StreamId id;
    std::unique_ptr<Stream> stream;
  };

  explicit StreamTable(ChunkPool& pool) : pool_(pool) {}

  [[nodiscard]] Stream* find(StreamId id) const;
  /// `id` must not be in the table.
  Stream& insert(StreamId id);
  /// The stream must be in no list.
  void erase(Stream& stream);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

 private:
  static constexpr std::size_t kMaxSpare = 16;

  ChunkPool& pool_;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<Stream>> spare_;
};

}  // namespace mpquic
