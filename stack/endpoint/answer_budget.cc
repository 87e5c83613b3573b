#include "stack/endpoint/answer_budget.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace mpquic {
namespace {

/// Of an IPv6 address, what one subscriber cannot choose (RFC 4291 §2.5.1); IPv4 counts whole.
constexpr std::size_t kV6Prefix = 8;

}  // namespace

AnswerBudget::Bucket& AnswerBudget::bucket_of(const IpAddress& source) {
  if (buckets_.empty()) buckets_.resize(kBuckets);
  std::array<std::byte, sizeof(window_) + 1 + kV6Prefix> key{};
  std::memcpy(key.data(), &window_, sizeof(window_));
  key[sizeof(window_)] = static_cast<std::byte>(source.family());
  std::ranges::copy(std::as_bytes(std::span(source.octets())).first<kV6Prefix>(), key.begin() + sizeof(window_) + 1);
  Bucket& bucket = buckets_[keys_.index_of(key) % kBuckets];
  if (bucket.window != window_) bucket = {.window = window_, .spent = {}};
  return bucket;
}

bool AnswerBudget::take(BudgetPurpose purpose, const IpAddress& source, Instant now) {
  // Never 0, which is what a bucket that was never used has.
  const auto window =
      1 + static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count());
  if (window != window_) {
    window_ = window;
    spent_ = {};
  }
  const auto index = static_cast<std::size_t>(purpose);
  const Allowance& allowed = kAllowances[index];
  if (spent_[index] >= allowed.in_total) return false;
  std::uint16_t& of_source = bucket_of(source).spent[index];
  if (of_source >= allowed.of_one_source) return false;
  ++of_source;
  ++spent_[index];
  return true;
}

}  // namespace mpquic
