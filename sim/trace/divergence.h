// Where two recordings part.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "sim/trace/event_record.h"

namespace mpquic::sim {

struct Divergence {
  bool equal = true;
  std::uint64_t events = 0;  // that both have in common
  std::string text;          // for people; ends with a newline
};

/// Reads block headers until they differ, and then that block: a gigabyte takes as long as its headers.
[[nodiscard]] std::expected<Divergence, std::string> find_divergence(EventFile& a, EventFile& b);

/// One line: time, what, link, packet, its header where it can be read.
[[nodiscard]] std::string describe(const RecordedEvent& event, const EventFile& file);

}  // namespace mpquic::sim
