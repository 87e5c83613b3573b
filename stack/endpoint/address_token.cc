#include "stack/endpoint/address_token.h"

#include <algorithm>
#include <array>

#include "stack/base/check.h"
#include "stack/wire/cursor.h"

namespace mpquic {
namespace {

constexpr std::uint8_t kRetryKind = 1;
constexpr std::uint8_t kNewTokenKind = 2;
/// Authenticated with every token: tokens of another purpose or format never verify.
constexpr std::string_view kPurpose = "mpquic address token 1";

void write_address(ByteWriter& out, const IpAddress& ip) {
  const Bytes octets = std::as_bytes(std::span(ip.octets()));
  MPQUIC_CHECK(out.write_u8(static_cast<std::uint8_t>(ip.family())) && out.write_bytes(octets));
}

[[nodiscard]] bool reads_address(ByteReader& in, const IpAddress& ip) {
  const auto family = in.read_u8();
  const auto octets = in.read_array<16>();
  return family && octets && *family == static_cast<std::uint8_t>(ip.family()) &&
         std::ranges::equal(*octets, std::as_bytes(std::span(ip.octets())));
}

void write_header(ByteWriter& out, std::uint8_t kind, Instant expires) {
  MPQUIC_CHECK(out.write_u8(kind) && out.write_u64(static_cast<std::uint64_t>(expires.time_since_epoch().count())));
}

[[nodiscard]] std::optional<ConnectionId> read_cid(ByteReader& in) {
  const auto bytes = in.read_prefixed_bytes();
  if (!bytes || bytes->size() > ConnectionId::kMaxLength) return std::nullopt;
  return ConnectionId(*bytes);
}

}  // namespace

std::vector<std::byte> AddressTokens::make_retry(const SocketAddress& client, const RetryTokenContents& contents,
                                                 Instant now) const {
  std::array<std::byte, 128> buffer;
  ByteWriter out(buffer);
  write_header(out, kRetryKind, now + kRetryTokenLifetime);
  write_address(out, client.ip);
  MPQUIC_CHECK(out.write_u16(client.port));
  for (const ConnectionId* id : {&contents.original_dcid, &contents.retry_scid})
    MPQUIC_CHECK(out.write_varint(id->size()) && out.write_bytes(id->bytes()));
  return keys_.seal_token(out.written(), as_bytes(kPurpose), rng_);
}

std::vector<std::byte> AddressTokens::make_new_token(std::span<const IpAddress> validated, Instant now) const {
  std::array<std::byte, 32 + kMaxTokenAddresses * 17> buffer;
  ByteWriter out(buffer);
  write_header(out, kNewTokenKind, now + kNewTokenLifetime);
  for (const IpAddress& ip : validated.last(std::min(validated.size(), kMaxTokenAddresses))) write_address(out, ip);
  return keys_.seal_token(out.written(), as_bytes(kPurpose), rng_);
}

TokenVerdict AddressTokens::check(Bytes token, const SocketAddress& client, Instant now, ValidatedToken& out) const {
  const auto plain = keys_.open_token(token, as_bytes(kPurpose));
  if (!plain) return TokenVerdict::useless;
  ByteReader in(*plain);
  const auto kind = in.read_u8();
  const auto expires = in.read_u64();
  const bool fresh = expires && now.time_since_epoch().count() <= static_cast<std::int64_t>(*expires);
  if (kind == kNewTokenKind) {
    if (!fresh) return TokenVerdict::useless;
    while (!in.empty()) {
      if (reads_address(in, client.ip)) {
        out.retry.reset();
        return TokenVerdict::valid;
      }
    }
    return TokenVerdict::useless;
  }
  // The client came back with our Retry token: wrong address or too late is an error it must hear of.
  if (!fresh || !reads_address(in, client.ip) || in.read_u16() != client.port) return TokenVerdict::invalid;
  const auto original = read_cid(in);
  const auto retry = read_cid(in);
  if (!original || !retry) return TokenVerdict::invalid;
  out.retry = RetryTokenContents{*original, *retry};
  return TokenVerdict::valid;
}

}  // namespace mpquic
