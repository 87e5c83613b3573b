// What strangers may have of us: stateless answers, and the work of looking into a first Initial.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "stack/base/address.h"
#include "stack/base/time.h"
#include "stack/crypto/static_keys.h"

namespace mpquic {

/// Each has a budget of its own: who uses up one takes nothing from the others.
enum class BudgetPurpose : std::uint8_t {
  retry,
  version_negotiation,
  reset,
  refusal,       // CONNECTION_CLOSE in answer to an Initial
  first_flight,  // an Initial of a client that has proved nothing: keys, a connection and a TLS flight
  proved,        // the same with a valid token
  count_,
};
inline constexpr std::size_t kBudgetPurposeCount = static_cast<std::size_t>(BudgetPurpose::count_);

/// How much one source and all of them may have per second.
struct Allowance {
  std::uint16_t of_one_source = 0;
  std::uint32_t in_total = 0;
};
inline constexpr std::uint32_t kNoTotal = UINT32_MAX;
/// Retry is the way in during a flood, cheap, and smaller than its trigger, so only sources are limited: who spoofs
/// them all spends none of a stranger's. The totals of the others bound work that nobody's way in depends on, and
/// first_flight's is where Retry begins.
inline constexpr std::array<Allowance, kBudgetPurposeCount> kAllowances{{
    {.of_one_source = 64, .in_total = kNoTotal},   // retry
    {.of_one_source = 16, .in_total = 20'000},     // version_negotiation
    {.of_one_source = 32, .in_total = 20'000},     // reset
    {.of_one_source = 16, .in_total = 2'000},      // refusal
    {.of_one_source = 256, .in_total = 1'000},     // first_flight
    {.of_one_source = 256, .in_total = kNoTotal},  // proved
}};

/// Constant memory, however many sources there are: they share hashed buckets. The hash is keyed, and changes every
/// second, so that nobody can choose whose bucket to use up.
class AnswerBudget {
 public:
  explicit AnswerBudget(const StaticKeys& keys) : keys_(keys) {}

  /// Whether there is one more for that source; then it is spent.
  [[nodiscard]] bool take(BudgetPurpose purpose, const IpAddress& source, Instant now);

 private:
  /// 256 kB, from the first stranger on: endpoints that only connect never have them.
  static constexpr std::size_t kBuckets = std::size_t{1} << 14;
  using Counts = std::array<std::uint16_t, kBudgetPurposeCount>;
  struct Bucket {
    std::uint32_t window = 0;
    Counts spent{};
  };
  [[nodiscard]] Bucket& bucket_of(const IpAddress& source);

  const StaticKeys& keys_;
  std::uint32_t window_ = 0;
  std::array<std::uint32_t, kBudgetPurposeCount> spent_{};  // in this window, by all
  std::vector<Bucket> buckets_;
};

}  // namespace mpquic
