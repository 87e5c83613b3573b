// A path that may carry data and has room.
#pragma once

#include <cstdint>

#include "stack/path/path_view.h"

namespace mpquic {

inline PathView view(std::uint32_t id, Duration rtt) {
  PathView v;
  v.id = PathId{id};
  v.validated = true;
  v.has_rtt_sample = true;
  v.smoothed_rtt = rtt;
  v.congestion_window = ByteCount{20'000};
  v.amplification_credit = ByteCount{UINT64_MAX};
  return v;
}

}  // namespace mpquic
