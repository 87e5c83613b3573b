// Errors after authentication: the connection closes with one of these. Before authentication, see drop_reason.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>

namespace mpquic {

/// RFC 9000 §20.1 and draft-ietf-quic-multipath-21 §4 (the last four, for PATH_ABANDON).
namespace error {
inline constexpr std::uint64_t kNoError = 0x0;
inline constexpr std::uint64_t kInternalError = 0x1;
inline constexpr std::uint64_t kConnectionRefused = 0x2;
inline constexpr std::uint64_t kFlowControlError = 0x3;
inline constexpr std::uint64_t kStreamLimitError = 0x4;
inline constexpr std::uint64_t kStreamStateError = 0x5;
inline constexpr std::uint64_t kFinalSizeError = 0x6;
inline constexpr std::uint64_t kFrameEncodingError = 0x7;
inline constexpr std::uint64_t kTransportParameterError = 0x8;
inline constexpr std::uint64_t kConnectionIdLimitError = 0x9;
inline constexpr std::uint64_t kProtocolViolation = 0xa;
inline constexpr std::uint64_t kInvalidToken = 0xb;
inline constexpr std::uint64_t kApplicationError = 0xc;
inline constexpr std::uint64_t kCryptoBufferExceeded = 0xd;
inline constexpr std::uint64_t kKeyUpdateError = 0xe;
inline constexpr std::uint64_t kAeadLimitReached = 0xf;
inline constexpr std::uint64_t kNoViablePath = 0x10;
inline constexpr std::uint64_t kVersionNegotiationError = 0x11;  // RFC 9368 §10.2; never sent, only reported
inline constexpr std::uint64_t kCryptoErrorBase = 0x100;         // + TLS alert, RFC 9001 §4.8
inline constexpr std::uint64_t kApplicationAbandonPath = 0x3e;
inline constexpr std::uint64_t kPathResourceLimitReached = 0x3e75;
inline constexpr std::uint64_t kPathUnstableOrPoor = 0x3e76;
inline constexpr std::uint64_t kNoCidAvailableForPath = 0x3e77;
}  // namespace error

/// What a CONNECTION_CLOSE of type 0x1c will carry. `reason` refers to static storage, or to that of the TLS session
/// that failed: who keeps it longer than a call copies it.
struct TransportError {
  std::uint64_t code = error::kNoError;
  std::string_view reason;
  std::uint64_t frame_type = 0;
  bool operator==(const TransportError&) const = default;
};

template <class T>
using Result = std::expected<T, TransportError>;

[[nodiscard]] constexpr std::unexpected<TransportError> fail(std::uint64_t code, std::string_view reason,
                                                             std::uint64_t frame_type = 0) {
  return std::unexpected(TransportError{code, reason, frame_type});
}

}  // namespace mpquic

/// Leaves the function with the error of `expression`, a Result, if it has one.
#define MPQUIC_TRY(expression)                                    \
  do {                                                            \
    if (auto mpquic_try = (expression); !mpquic_try) [[unlikely]] \
      return std::unexpected(std::move(mpquic_try).error());      \
  } while (false)

/// Declares `name` as the value of `expression`, or leaves the function with its error.
#define MPQUIC_TRY_ASSIGN(name, expression)                   \
  auto name##_result = (expression);                          \
  if (!name##_result) [[unlikely]]                            \
    return std::unexpected(std::move(name##_result).error()); \
  auto name = *std::move(name##_result)
