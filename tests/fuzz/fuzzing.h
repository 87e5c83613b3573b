// What every fuzz target shares: an assertion that survives any build type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

namespace mpquic::fuzz {

/// A broken invariant is a finding.
#define FUZZ_ASSERT(condition) MPQUIC_CHECK(condition)

inline Bytes input(const std::uint8_t* data, std::size_t size) { return std::as_bytes(std::span(data, size)); }

/// Whether `part` lies in `whole`. Empty ranges may point anywhere.
inline bool within(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace mpquic::fuzz
