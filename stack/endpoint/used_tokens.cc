#include "stack/endpoint/used_tokens.h"

#include <utility>

namespace mpquic {
namespace {

/// Kirsch and Mitzenmacher, 2006: two hashes make as many as a filter needs.
std::uint64_t probe(std::uint64_t hash, std::size_t i) { return (hash & UINT32_MAX) + i * (hash >> 32 | 1); }

}  // namespace

bool UsedTokens::contains(const Filter& filter, std::uint64_t hash) {
  if (filter.empty()) return false;
  for (std::size_t i = 0; i < kProbes; ++i) {
    const std::uint64_t bit = probe(hash, i) % kBits;
    if ((filter[bit / kWordBits] >> bit % kWordBits & 1) == 0) return false;
  }
  return true;
}

void UsedTokens::insert(Filter& filter, std::uint64_t hash) {
  if (filter.empty()) filter.resize(kBits / kWordBits);
  for (std::size_t i = 0; i < kProbes; ++i) {
    const std::uint64_t bit = probe(hash, i) % kBits;
    filter[bit / kWordBits] |= std::uint64_t{1} << bit % kWordBits;
  }
}

void UsedTokens::turn_over(Instant now) {
  if (turn_ends_ && now < *turn_ends_) return;
  // After a whole turn without any token there is nothing left to remember.
  const bool recent = turn_ends_ && now < *turn_ends_ + kNewTokenLifetime;
  previous_ = recent ? std::exchange(current_, {}) : Filter{};
  current_.clear();
  uses_ = 0;
  turn_ends_ = now + kNewTokenLifetime;
}

bool UsedTokens::take(Bytes token, Instant now) {
  turn_over(now);
  const std::uint64_t hash = keys_.index_of(token);
  if (uses_ >= kCapacity || contains(current_, hash) || contains(previous_, hash)) return false;
  insert(current_, hash);
  ++uses_;
  return true;
}

}  // namespace mpquic
