#include "stack/stream/stream_table.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace mpquic {
namespace {

auto lower_bound_of(auto& entries, StreamId id) {
  return std::ranges::lower_bound(entries, id, {}, &StreamTable::Entry::id);
}

}  // namespace

Stream* StreamTable::find(StreamId id) const {
  const auto it = lower_bound_of(entries_, id);
  return it != entries_.end() && it->id == id ? it->stream.get() : nullptr;
}

Stream& StreamTable::insert(StreamId id) {
  std::unique_ptr<Stream> stream;
  if (spare_.empty()) {
    stream = std::make_unique<Stream>(pool_);
  } else {
    stream = std::move(spare_.back());
    spare_.pop_back();
  }
  stream->id = id;
  Stream& inserted = *stream;
  entries_.insert(lower_bound_of(entries_, id), {id, std::move(stream)});
  return inserted;
}

void StreamTable::erase(Stream& stream) {
  const auto it = lower_bound_of(entries_, stream.id);
  MPQUIC_CHECK(it != entries_.end() && it->stream.get() == &stream);
  std::unique_ptr<Stream> taken = std::move(it->stream);
  entries_.erase(it);
  if (spare_.size() == kMaxSpare) return;
  taken->send.close();
  taken->recv.close();
  taken->urgency = kDefaultUrgency;
  taken->control = 0;
  spare_.push_back(std::move(taken));
}

}  // namespace mpquic
