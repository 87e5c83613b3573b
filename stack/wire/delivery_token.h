// What was written into a packet, as plain data. Acknowledgement and loss hand tokens back to the part that wrote them
// (RFC 9000 §13.3: it is information that is retransmitted, never packets).
#pragma once

#include <cstdint>
#include <type_traits>
#include <variant>

#include "stack/base/ids.h"

namespace mpquic {

struct StreamToken {
  StreamId id;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  bool fin = false;
  bool copied = false;  // another path carries the same: no need to reinject it
};

// One token, one line.
// clang-format off
struct AckToken { PathId path; SpaceId space = SpaceId::application; PacketNumber largest; };
struct CryptoToken { EncryptionLevel level = EncryptionLevel::initial; std::uint64_t offset = 0; std::uint32_t length = 0; };
struct DatagramToken { std::uint64_t sequence = 0; bool numbered = false; };  // loss is reported, not repaired
struct MaxDataToken { std::uint64_t maximum = 0; };
struct MaxStreamDataToken { StreamId id; std::uint64_t maximum = 0; };
struct MaxStreamsToken { Directionality dir = Directionality::bidirectional; std::uint64_t maximum = 0; };
struct DataBlockedToken { std::uint64_t limit = 0; };
struct StreamDataBlockedToken { StreamId id; std::uint64_t limit = 0; };
struct StreamsBlockedToken { Directionality dir = Directionality::bidirectional; std::uint64_t limit = 0; };
struct ResetStreamToken { StreamId id; };
struct StopSendingToken { StreamId id; };
struct NewConnectionIdToken { PathId path; std::uint64_t sequence = 0; };
struct RetireConnectionIdToken { PathId path; std::uint64_t sequence = 0; };
struct HandshakeDoneToken {};
struct NewTokenToken { std::uint64_t sequence = 0; };
struct PathAbandonToken { PathId path; };
struct PathStatusToken { PathId path; std::uint64_t sequence = 0; };
struct MaxPathIdToken { std::uint64_t maximum = 0; };
struct PathsBlockedToken { std::uint64_t maximum = 0; };
struct PathCidsBlockedToken { PathId path; std::uint64_t sequence = 0; };
// clang-format on

using DeliveryToken =
    std::variant<StreamToken, AckToken, CryptoToken, DatagramToken, MaxDataToken, MaxStreamDataToken, MaxStreamsToken,
                 DataBlockedToken, StreamDataBlockedToken, StreamsBlockedToken, ResetStreamToken, StopSendingToken,
                 NewConnectionIdToken, RetireConnectionIdToken, HandshakeDoneToken, NewTokenToken, PathAbandonToken,
                 PathStatusToken, MaxPathIdToken, PathsBlockedToken, PathCidsBlockedToken>;

static_assert(std::is_trivially_copyable_v<DeliveryToken> && sizeof(DeliveryToken) <= 32,
              "tokens are copied per packet");

}  // namespace mpquic
