#include "sim/base/event_queue.h"

#include <algorithm>
#include <utility>

namespace mpquic::sim {

TimerId EventQueue::make_timer(const SimEvent& event) {
  slots_.push_back(Slot{.event = event, .position = kIdle, .one_shot = false});
  return TimerId(static_cast<std::uint32_t>(slots_.size() - 1));
}

void EventQueue::arm(TimerId timer, Instant at) {
  at = std::max(at, now_);
  const std::uint32_t position = slots_[timer.value()].position;
  if (position == kIdle) return insert(timer.value(), at);
  if (heap_[position].at == at) return;
  settle(position, Entry{.at = at, .sequence = sequence_++, .slot = timer.value()});
}

void EventQueue::disarm(TimerId timer) {
  if (const std::uint32_t position = slots_[timer.value()].position; position != kIdle) remove(position);
}

void EventQueue::post(Instant at, const SimEvent& event) {
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back(Slot{.event = event, .position = kIdle, .one_shot = true});
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot].event = event;
  }
  insert(slot, std::max(at, now_));
}

Deadline EventQueue::next_time() {
  fill_root();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

std::optional<SimEvent> EventQueue::pop() {
  fill_root();
  if (heap_.empty()) return std::nullopt;
  const Entry top = heap_.front();
  slots_[top.slot].position = kIdle;
  root_vacant_ = true;
  now_ = top.at;
  ++popped_;
  if (slots_[top.slot].one_shot) free_slots_.push_back(top.slot);
  return slots_[top.slot].event;
}

void EventQueue::insert(std::uint32_t slot, Instant at) {
  const Entry entry{.at = at, .sequence = sequence_++, .slot = slot};
  if (std::exchange(root_vacant_, false)) return sift_down(0, entry);
  heap_.emplace_back();
  sift_up(heap_.size() - 1, entry);
}

void EventQueue::fill_root() {
  if (!std::exchange(root_vacant_, false)) return;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
}

void EventQueue::remove(std::size_t position) {
  slots_[heap_[position].slot].position = kIdle;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) settle(position, last);
}

void EventQueue::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void EventQueue::sift_up(std::size_t position, const Entry& entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kArity;
    if (!entry.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void EventQueue::sift_down(std::size_t position, const Entry& entry) {
  while (true) {
    const std::size_t first = position * kArity + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t end = std::min(first + kArity, heap_.size());
    for (std::size_t child = first + 1; child < end; ++child)
      if (heap_[child].before(heap_[least])) least = child;
    if (!heap_[least].before(entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

void EventQueue::settle(std::size_t position, const Entry& entry) {
  if (position > 0 && entry.before(heap_[(position - 1) / kArity])) return sift_up(position, entry);
  sift_down(position, entry);
}

}  // namespace mpquic::sim
