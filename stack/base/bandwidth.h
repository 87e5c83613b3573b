#pragma once

#include <compare>
#include <cstdint>

#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

/// A rate in bits per second. Arithmetic is integer: the same on every machine.
class Bandwidth {
 public:
  constexpr Bandwidth() = default;
  [[nodiscard]] static constexpr Bandwidth from_bits_per_second(std::uint64_t bps) { return Bandwidth(bps); }
  [[nodiscard]] static constexpr Bandwidth from_bytes_and_time(ByteCount bytes, Duration time) {
    if (time.count() <= 0) return Bandwidth(UINT64_MAX);
    const auto bits = static_cast<unsigned __int128>(bytes.value()) * 8 * 1'000'000'000;
    return Bandwidth(static_cast<std::uint64_t>(bits / static_cast<unsigned __int128>(time.count())));
  }
  [[nodiscard]] constexpr std::uint64_t bits_per_second() const { return bps_; }
  /// Time to serialise `bytes` at this rate, rounded up to a nanosecond. Requires a rate above zero.
  [[nodiscard]] constexpr Duration transfer_time(ByteCount bytes) const {
    const auto bits = static_cast<unsigned __int128>(bytes.value()) * 8 * 1'000'000'000;
    return Duration(static_cast<std::int64_t>((bits + bps_ - 1) / bps_));
  }
  /// Bytes that pass in `time`, rounded down.
  [[nodiscard]] constexpr ByteCount bytes_in(Duration time) const {
    if (time.count() <= 0) return ByteCount{};
    const auto bits = static_cast<unsigned __int128>(bps_) * static_cast<unsigned __int128>(time.count());
    return ByteCount(static_cast<std::uint64_t>(bits / 8 / 1'000'000'000));
  }
  constexpr auto operator<=>(const Bandwidth&) const = default;

 private:
  constexpr explicit Bandwidth(std::uint64_t bps) : bps_(bps) {}
  std::uint64_t bps_ = 0;
};

}  // namespace mpquic
