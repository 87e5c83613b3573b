#pragma once

#include <cstdint>
#include <string_view>

namespace mpquic {

/// Who or what ended a connection (RFC 9000 §10). Only the first two involve a CONNECTION_CLOSE and an error code.
enum class CloseSource : std::uint8_t {
  local,                // our application, or a protocol error that we found
  peer,                 // its CONNECTION_CLOSE
  stateless_reset,      // the peer does not know the connection any more (§10.3)
  idle_timeout,         // §10.1
  handshake_timeout,    // ours: nobody answered in time
  version_negotiation,  // the server does not speak our version (§6.2)
};

/// Nothing is sent about it.
[[nodiscard]] constexpr bool is_silent(CloseSource source) {
  return source != CloseSource::local && source != CloseSource::peer;
}

[[nodiscard]] constexpr std::string_view name_of(CloseSource source) {
  switch (source) {
    case CloseSource::local: return "this side";
    case CloseSource::peer: return "the peer";
    case CloseSource::stateless_reset: return "stateless reset";
    case CloseSource::idle_timeout: return "idle timeout";
    case CloseSource::handshake_timeout: return "handshake timeout";
    case CloseSource::version_negotiation: return "version negotiation";
  }
  return "unknown";
}

}  // namespace mpquic
