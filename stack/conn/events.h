// What a connection tells its application, in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "stack/base/address.h"
#include "stack/base/ids.h"
#include "stack/conn/close_source.h"

namespace mpquic {

struct Accepted {};  // server: a new connection exists (its handshake runs)
struct HandshakeCompleted {
  std::string alpn;
  bool resumed = false;
  bool multipath = false;
};
struct HandshakeConfirmed {};
struct StreamOpened {
  StreamId id;
};  // by the peer
struct StreamReadable {
  StreamId id;
};  // edge: read until it gives nothing
struct StreamWritable {
  StreamId id;
};  // edge: after write() took less than it was given
struct StreamReset {
  StreamId id;
  std::uint64_t error = 0;
};
struct StreamStopped {
  StreamId id;
  std::uint64_t error = 0;
};
struct StreamFinished {
  StreamId id;
};  // all that we sent, FIN included, is acknowledged
struct StreamsAvailable {
  Directionality dir = Directionality::bidirectional;
};
struct DatagramReceived {};
struct DatagramLost {
  std::uint64_t sequence = 0;
};
enum class PathChange : std::uint8_t { opened, validated, failed, recovered, migrated, abandoned, refused, status };
struct PathChanged {
  std::optional<PathId> id;  // absent: a path that was asked for was refused before it had one; `tuple` names it
  PathChange change = PathChange::opened;
  FourTuple tuple;  // refused: what was asked for
  std::uint64_t error = 0;
  std::string_view reason;  // static storage
};
struct ConnectionClosed {
  CloseSource source = CloseSource::local;
  bool application = false;  // `error` is the application's
  std::uint64_t error = 0;
  std::string reason;
};

using ConnectionEvent = std::variant<Accepted, HandshakeCompleted, HandshakeConfirmed, StreamOpened, StreamReadable,
                                     StreamWritable, StreamReset, StreamStopped, StreamFinished, StreamsAvailable,
                                     DatagramReceived, DatagramLost, PathChanged, ConnectionClosed>;

}  // namespace mpquic
