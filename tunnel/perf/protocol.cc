#include "tunnel/perf/protocol.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/base/check.h"
#include "stack/base/result.h"

namespace mpquic::perf {
namespace {

constexpr std::string_view kMethod = "GET ";
constexpr std::uint64_t kCryptoErrorEnd = error::kCryptoErrorBase + 0x100;

struct Name {
  std::uint64_t code;
  std::string_view name;
};

/// RFC 9000 §20.1.
constexpr std::array<Name, 17> kTransportErrors{{
    {error::kNoError, "NO_ERROR"},
    {error::kInternalError, "INTERNAL_ERROR"},
    {error::kConnectionRefused, "CONNECTION_REFUSED"},
    {error::kFlowControlError, "FLOW_CONTROL_ERROR"},
    {error::kStreamLimitError, "STREAM_LIMIT_ERROR"},
    {error::kStreamStateError, "STREAM_STATE_ERROR"},
    {error::kFinalSizeError, "FINAL_SIZE_ERROR"},
    {error::kFrameEncodingError, "FRAME_ENCODING_ERROR"},
    {error::kTransportParameterError, "TRANSPORT_PARAMETER_ERROR"},
    {error::kConnectionIdLimitError, "CONNECTION_ID_LIMIT_ERROR"},
    {error::kProtocolViolation, "PROTOCOL_VIOLATION"},
    {error::kInvalidToken, "INVALID_TOKEN"},
    {error::kApplicationError, "APPLICATION_ERROR"},
    {error::kCryptoBufferExceeded, "CRYPTO_BUFFER_EXCEEDED"},
    {error::kKeyUpdateError, "KEY_UPDATE_ERROR"},
    {error::kAeadLimitReached, "AEAD_LIMIT_REACHED"},
    {error::kNoViablePath, "NO_VIABLE_PATH"},
}};

/// RFC 8446 §6: the alerts that handshakes end with in practice.
constexpr std::array<Name, 14> kAlerts{{
    {10, "unexpected_message"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {70, "protocol_version"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
}};

template <std::size_t N>
[[nodiscard]] std::string_view find_name(const std::array<Name, N>& names, std::uint64_t code) {
  const auto it = std::ranges::find(names, code, &Name::code);
  return it == names.end() ? std::string_view("unknown") : it->name;
}

[[nodiscard]] std::string describe_transport_error(std::uint64_t code) {
  if (code >= error::kCryptoErrorBase && code < kCryptoErrorEnd)
    return fmt::format("CRYPTO_ERROR {:#x} (TLS alert {})", code, find_name(kAlerts, code - error::kCryptoErrorBase));
  return fmt::format("{} {:#x}", find_name(kTransportErrors, code), code);
}

}  // namespace

std::optional<Protocol> protocol_of(std::string_view alpn) {
  if (alpn == kHqAlpn) return Protocol::hq;
  if (alpn == kPerfAlpn) return Protocol::perf;
  return std::nullopt;
}

std::string_view name_of_application_error(std::uint64_t code) {
  switch (code) {
    case kNoError: return "no error";
    case kMalformedRequest: return "malformed request";
    case kNotFound: return "not found";
    case kInternalError: return "internal error";
    case kCancelled: return "cancelled";
    default: return "unknown";
  }
}

std::string hq_request(std::string_view path) { return fmt::format("{}{}\r\n", kMethod, path); }

std::optional<std::string_view> parse_hq_request(std::string_view line) {
  if (!line.starts_with(kMethod)) return std::nullopt;
  const std::string_view path = line.substr(kMethod.size());
  const bool printable = std::ranges::all_of(path, [](char c) { return c > ' ' && c != 0x7f; });
  if (!path.starts_with('/') || !printable) return std::nullopt;
  return path;
}

std::array<std::byte, kPerfHeader> perf_request(std::uint64_t download) {
  std::array<std::byte, kPerfHeader> header{};
  for (std::size_t i = 0; i < kPerfHeader; ++i) header[i] = static_cast<std::byte>(download >> (56 - 8 * i));
  return header;
}

std::uint64_t parse_perf_request(Bytes header) {
  MPQUIC_CHECK(header.size() == kPerfHeader);
  std::uint64_t value = 0;
  for (const std::byte b : header) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return value;
}

std::string_view name_of_change(PathChange change) {
  switch (change) {
    case PathChange::opened: return "opened";
    case PathChange::validated: return "validated";
    case PathChange::failed: return "failed";
    case PathChange::recovered: return "recovered";
    case PathChange::migrated: return "migrated";
    case PathChange::abandoned: return "abandoned";
    case PathChange::refused: return "refused";
    case PathChange::status: return "changed its status";
  }
  return "unknown";
}

std::string name_of_path(const PathChanged& event) {
  return event.id ? fmt::format("path {}", event.id->value()) : "a new path";
}

bool is_clean(const ConnectionClosed& closed) {
  if (is_silent(closed.source) || closed.error != 0) return false;
  return closed.source == CloseSource::peer || closed.application;
}

std::string describe(const ConnectionClosed& closed) {
  std::string reason = closed.reason;  // possibly the peer's words: nothing that moves a cursor
  std::ranges::replace_if(
      reason, [](char c) { return c < ' ' || c == 0x7f; }, '?');
  if (closed.source == CloseSource::stateless_reset)
    return "the connection was lost: stateless reset, the peer no longer knows it (was it restarted?)";
  const bool nobody_said_why = is_silent(closed.source) || (closed.error == 0 && !is_clean(closed));
  if (nobody_said_why) return fmt::format("the connection was lost: {}", reason);
  const std::string what = closed.application ? fmt::format("application error {} ({})", closed.error,
                                                            name_of_application_error(closed.error))
                                              : describe_transport_error(closed.error);
  const std::string_view who =
      closed.source == CloseSource::peer ? "the peer closed the connection: " : "the connection failed: ";
  return fmt::format("{}{}{}{}", who, what, reason.empty() ? "" : ": ", reason);
}

}  // namespace mpquic::perf
