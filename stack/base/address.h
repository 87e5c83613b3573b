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
  /// Parses dotted quad or RFC 4291 text, without brackets or zone.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  [[nodiscard]] constexpr bool is_unspecified() const { return octets_ == std::array<std::uint8_t, 16>{}; }
  /// An address that one host can have and be reached at: neither unspecified nor "this network" (RFC 1122 §3.2.1.3),
  /// multicast, broadcast, or IPv4 inside IPv6, which never leaves a host (RFC 4291 §2.5.5).
  [[nodiscard]] bool is_unicast() const;
  [[nodiscard]] std::string to_string() const;
  constexpr auto operator<=>(const IpAddress&) const = default;
  /// By words: of arrays of bytes, the library makes a call of memcmp().
  constexpr bool operator==(const IpAddress& other) const {
    const auto mine = std::bit_cast<std::array<std::uint64_t, 2>>(octets_);
    const auto theirs = std::bit_cast<std::array<std::uint64_t, 2>>(other.octets_);
    return mine[0] == theirs[0] && mine[1] == theirs[1] && family_ == other.family_;
  }

 private:
  std::array<std::uint8_t, 16> octets_{};
  Family family_ = Family::none;
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;
  /// Parses "192.0.2.1:443" or "[2001:db8::1]:443".
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
