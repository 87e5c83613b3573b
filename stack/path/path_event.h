#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "stack/base/address.h"
#include "stack/base/ids.h"

namespace mpquic {

struct PathEvent {
  enum class Kind : std::uint8_t {
    opened,     // by request_open() or by the peer's first packet
    validated,  // the address of the active tuple was proved
    failed,     // potentially: a PTO fired with data outstanding
    recovered,  // something was acknowledged again
    migrated,   // the active tuple changed (or changed back)
    abandoned,  // by either side: no more packets on it; its peer connection IDs are gone
    refused,    // a path or a move that was asked for will not be
    closed,     // state deleted: forget our connection IDs of the path
    none_left,  // the last open path was abandoned: close with NO_VIABLE_PATH
    status,     // the peer changed its PATH_STATUS
  };
  Kind kind = Kind::opened;
  std::optional<PathId> id;  // absent: refused, before it had one
  FourTuple tuple;           // refused: what was asked for
  std::uint64_t error = 0;
  bool by_peer = false;
  bool new_network = false;  // migrated: not only ports changed
  std::string_view reason;   // static storage
};

}  // namespace mpquic
