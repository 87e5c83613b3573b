#pragma once

#include <array>
#include <cstdint>

namespace mpquic {

/// Which of the newest kSize numbers were received, of packets (RFC 9000 §12.3) or numbered datagrams: one bit each,
/// anchored at the largest. It remembers what ACK ranges may forget, so that a late one is neither taken twice nor
/// refused needlessly.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 8192;
  enum class Arrival : std::uint8_t { fresh, duplicate, too_old };

  [[nodiscard]] Arrival classify(std::uint64_t number) const;
  /// Requires a fresh number.
  void insert(std::uint64_t number);

 private:
  static constexpr std::uint64_t kWordBits = 64;
  [[nodiscard]] std::uint64_t floor() const { return end_ > kSize ? end_ - kSize : 0; }

  std::array<std::uint64_t, kSize / kWordBits> words_{};
  std::uint64_t end_ = 0;  // one above the largest received
};

}  // namespace mpquic
