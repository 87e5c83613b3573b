#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace mpquic {

/// An IPv4 or IPv6 address in network byte order. IPv4 uses the first four octets; the rest are zero.
class IpAddress {
 public:
  enum class Family : std::uint8_t { none, v4, v6 };
  constexpr IpAddress() = default;
  [[nodiscard]] static constexpr IpAddress v4(std::array<std::uint8_t, 4> octets) {
    IpAddress address;
    address.family_ = Family::v4;
    for (std::size_t i = 0; i < octets.size(); ++i) address.octets_[i] = octets[i];
    return address;
  }
  [[nodiscard]] static constexpr IpAddress v6(std::array<std::uint8_t, 16> octets) {
    IpAddress address;
    address.family_ = Family::v6;
    address.octets_ = octets;
    return address;
  }
  /// Parses dotted quad or RFC 4291 text, without brackets. A link-local address may name its zone by number:
  /// "fe80::1%2". Names of interfaces are the host's (io/interfaces.h).
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  [[nodiscard]] constexpr bool is_unspecified() const { return octets_ == std::array<std::uint8_t, 16>{}; }
  /// An address that one host can have and be reached at: neither unspecified nor "this network" (RFC 1122 §3.2.1.3),
  /// multicast, broadcast, or IPv4 inside IPv6, which never leaves a host (RFC 4291 §2.5.5).
  [[nodiscard]] bool is_unicast() const;
  /// Link-local unicast, fe80::/10 (RFC 4291 §2.5.6): means something only together with a zone.
  [[nodiscard]] constexpr bool needs_zone() const {
    return family_ == Family::v6 && octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
  }
  /// Which of the host's links a link-local address belongs to (RFC 4007 §6): the number of an interface. 0: not known,
  /// or an address that needs none. Part of the address's identity, but it never leaves the host.
  [[nodiscard]] constexpr std::uint32_t zone() const { return zone_; }
  /// This address on the link `zone`; unchanged if it needs none.
  [[nodiscard]] constexpr IpAddress in_zone(std::uint32_t zone) const {
    IpAddress address = *this;
    if (needs_zone()) address.zone_ = zone;
    return address;
  }
  [[nodiscard]] std::string to_string() const;
  constexpr auto operator<=>(const IpAddress&) const = default;
  /// By words: of arrays of bytes, the library makes a call of memcmp().
  constexpr bool operator==(const IpAddress& other) const {
    const auto mine = std::bit_cast<std::array<std::uint64_t, 2>>(octets_);
    const auto theirs = std::bit_cast<std::array<std::uint64_t, 2>>(other.octets_);
    return mine[0] == theirs[0] && mine[1] == theirs[1] && family_ == other.family_ && zone_ == other.zone_;
  }

 private:
  std::array<std::uint8_t, 16> octets_{};
  Family family_ = Family::none;
  std::uint32_t zone_ = 0;
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;
  /// Parses "192.0.2.1:443", "[2001:db8::1]:443" or "[fe80::1%2]:443".
  [[nodiscard]] static std::optional<SocketAddress> parse(std::string_view text);
  /// Whether a datagram can come from there and be answered.
  [[nodiscard]] bool can_be_peer() const { return port != 0 && ip.is_unicast(); }
  [[nodiscard]] std::string to_string() const;
  constexpr auto operator<=>(const SocketAddress&) const = default;
};

/// The inner identity of a path: what RFC 9000 §9 calls its 4-tuple.
struct FourTuple {
  SocketAddress local;
  SocketAddress remote;
  constexpr auto operator<=>(const FourTuple&) const = default;
};

}  // namespace mpquic
