#include "stack/stream/send_schedule.h"

#include <bit>

namespace mpquic {
namespace {

template <class Lists>
void place(Lists& lists, std::uint8_t& mask, Stream& stream, bool wanted) {
  auto& list = lists[stream.urgency];
  if (list.contains(stream) == wanted) return;
  if (wanted) {
    list.push_back(stream);
  } else {
    list.erase(stream);
  }
  const auto bit = static_cast<std::uint8_t>(1U << stream.urgency);
  mask = static_cast<std::uint8_t>(list.empty() ? mask & ~bit : mask | bit);
}

/// `flag` says whether the stream is part of `count`.
void recount(std::size_t& count, bool& flag, bool now) {
  count += static_cast<std::size_t>(now) - static_cast<std::size_t>(flag);
  flag = now;
}

}  // namespace

void SendSchedule::update(Stream& stream) {
  const bool repeat = stream.send.has_repeat();
  recount(repeating_, stream.repeating, repeat);
  recount(unacked_, stream.unacked, stream.send.has_unacked());
  place(unmetered_, unmetered_mask_, stream, repeat || stream.send.has_bare_fin());
  place(metered_, metered_mask_, stream, stream.send.has_fresh());
}

void SendSchedule::remove(Stream& stream) {
  recount(repeating_, stream.repeating, false);
  recount(unacked_, stream.unacked, false);
  place(unmetered_, unmetered_mask_, stream, false);
  place(metered_, metered_mask_, stream, false);
}

void SendSchedule::rotate(Stream& stream) {
  if (stream.unmetered_link.linked) unmetered_[stream.urgency].move_to_back(stream);
  if (stream.metered_link.linked) metered_[stream.urgency].move_to_back(stream);
}

Stream* SendSchedule::next(bool metered) const {
  const auto mask = static_cast<std::uint8_t>(unmetered_mask_ | (metered ? metered_mask_ : 0));
  if (mask == 0) return nullptr;
  const auto urgency = static_cast<std::size_t>(std::countr_zero(mask));
  const bool repeats_first = !unmetered_[urgency].empty();
  return repeats_first ? &unmetered_[urgency].front() : &metered_[urgency].front();
}

}  // namespace mpquic
