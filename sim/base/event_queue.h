// The virtual clock and what happens next. Events are plain data, ordered by (time, sequence), so that a run is a
// function of its inputs alone. Entities that have at most one pending event (a link's transmitter, a host's timer) own
// a timer, which is re-armed in place: the heap stays as small as the number of entities, however many packets fly.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/strong.h"
#include "stack/base/time.h"

namespace mpquic::sim {

enum class EventKind : std::uint32_t {
  link,        // target: link. Its deadline
  bottleneck,  // target: shared bottleneck. Its deadline
  outage,      // target: outage. It begins or ends
  carrier,     // it wants the World
  host_timer,  // target: host. The transport's deadline
  app_timer,   // target: host, payload: workload
  script,      // payload: index of the scripted event
  open_path,   // payload: path
  sample,      // periodic checks
};

struct SimEvent {
  EventKind kind = EventKind::sample;
  std::uint32_t target = 0;
  std::uint64_t payload = 0;
};

using TimerId = Strong<struct TimerIdTag, std::uint32_t>;

/// A 4-ary indexed heap. Nothing is allocated once it has seen its largest population.
class EventQueue {
 public:
  /// A timer that fires `event` whenever it is armed; it lives as long as the queue.
  [[nodiscard]] TimerId make_timer(const SimEvent& event);
  /// Moves the timer's only firing to `at`, not before now(). Arming it for the same time again changes nothing.
  void arm(TimerId timer, Instant at);
  void disarm(TimerId timer);
  [[nodiscard]] bool armed(TimerId timer) const { return slots_[timer.value()].position != kIdle; }
  /// One event at `at`, not before now().
  void post(Instant at, const SimEvent& event);

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] bool empty() const { return heap_.size() == (root_vacant_ ? 1 : 0); }
  [[nodiscard]] Deadline next_time();
  /// Takes the next event and moves the clock to it.
  [[nodiscard]] std::optional<SimEvent> pop();
  [[nodiscard]] std::uint64_t popped() const { return popped_; }

 private:
  struct Entry {
    Instant at;
    std::uint64_t sequence = 0;
    std::uint32_t slot = 0;
    [[nodiscard]] bool before(const Entry& other) const {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };
  struct Slot {
    SimEvent event;
    std::uint32_t position = 0;
    bool one_shot = false;
  };
  static constexpr std::uint32_t kIdle = UINT32_MAX;
  static constexpr std::size_t kArity = 4;

  void insert(std::uint32_t slot, Instant at);
  void fill_root();
  void remove(std::size_t position);
  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, const Entry& entry);
  void sift_down(std::size_t position, const Entry& entry);
  void settle(std::size_t position, const Entry& entry);

  std::vector<Entry> heap_;
  /// The root was popped, and still stands there: nothing goes before it. What is armed next takes its place, at the
  /// cost of one descent: usually the entity whose turn it was.
  bool root_vacant_ = false;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;  // of one-shot events
  Instant now_{};
  std::uint64_t sequence_ = 0;
  std::uint64_t popped_ = 0;
};

}  // namespace mpquic::sim
