#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/stream/stream.h"

namespace mpquic {

/// Whose turn it is. Per urgency, one list of streams with something that needs no new connection credit (repeats, a
/// FIN alone) and one of streams with new data: when the peer's MAX_DATA is used up, the second is not even looked at.
class SendSchedule {
 public:
  /// Puts the stream into the lists where it belongs now, at their ends if it was in none.
  void update(Stream& stream);
  /// Takes the stream out of all lists.
  void remove(Stream& stream);
  /// Its turn is over.
  void rotate(Stream& stream);

  [[nodiscard]] bool has_repeats() const { return repeating_ > 0; }
  /// Some stream has data in flight.
  [[nodiscard]] bool has_unacked() const { return unacked_ > 0; }
  [[nodiscard]] bool has_unmetered() const { return unmetered_mask_ != 0; }
  [[nodiscard]] bool has_metered() const { return metered_mask_ != 0; }
  /// Whose turn it is, nullptr if nobody's. `metered`: new data may be sent.
  [[nodiscard]] Stream* next(bool metered) const;

 private:
  static_assert(kUrgencyCount <= 8, "urgencies are bits of a byte");

  std::array<IntrusiveList<Stream, &Stream::unmetered_link>, kUrgencyCount> unmetered_;
  std::array<IntrusiveList<Stream, &Stream::metered_link>, kUrgencyCount> metered_;
  std::uint8_t unmetered_mask_ = 0;  // urgencies whose list is not empty
  std::uint8_t metered_mask_ = 0;
  std::size_t repeating_ = 0;
  std::size_t unacked_ = 0;
};

}  // namespace mpquic
