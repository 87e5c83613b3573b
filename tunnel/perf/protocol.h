// The two application protocols, by ALPN, on client-initiated bidirectional streams.
//
// hq-interop (HTTP/0.9 over QUIC): the request is "GET /path\r\n" and FIN; the response is the document and FIN. A path
// that is a size ("/1000", "/10M") names a synthetic document of that many bytes, any other a file of the server.
//
// perf: the request begins with the number of bytes that the client wants back, 64 bits big-endian; everything after it
// up to FIN is upload, which the server counts and hashes. The response is that many bytes of synthetic content. It
// starts at once, but its FIN follows the upload's FIN: a client that has seen it knows that all has arrived.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/endpoint/transport.h"

namespace mpquic::perf {

enum class Protocol : std::uint8_t { hq, perf };
inline constexpr std::string_view kHqAlpn = "hq-interop";
inline constexpr std::string_view kPerfAlpn = "perf";
[[nodiscard]] std::optional<Protocol> protocol_of(std::string_view alpn);

/// Application error codes of both protocols, in RESET_STREAM, STOP_SENDING and CONNECTION_CLOSE.
inline constexpr std::uint64_t kNoError = 0;
inline constexpr std::uint64_t kMalformedRequest = 1;
inline constexpr std::uint64_t kNotFound = 2;
inline constexpr std::uint64_t kInternalError = 3;
inline constexpr std::uint64_t kCancelled = 4;
[[nodiscard]] std::string_view name_of_application_error(std::uint64_t code);

inline constexpr std::size_t kMaxRequestLine = 4096;
inline constexpr std::size_t kPerfHeader = 8;

[[nodiscard]] std::string hq_request(std::string_view path);
/// The path of a complete request line (without its line end), or nothing if it is malformed.
[[nodiscard]] std::optional<std::string_view> parse_hq_request(std::string_view line);
[[nodiscard]] std::array<std::byte, kPerfHeader> perf_request(std::uint64_t download);
[[nodiscard]] std::uint64_t parse_perf_request(Bytes header);

[[nodiscard]] std::string_view name_of_change(PathChange change);
[[nodiscard]] std::string name_of_path(const PathChanged& event);
/// Somebody closed the connection, and not for an error: it did not just time out.
[[nodiscard]] bool is_clean(const ConnectionClosed& closed);
/// One line for a person: who closed the connection, with which error.
[[nodiscard]] std::string describe(const ConnectionClosed& closed);

}  // namespace mpquic::perf
