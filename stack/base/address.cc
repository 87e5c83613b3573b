#include "stack/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace mpquic {
namespace {

/// The whole of `text` as a decimal number without sign.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto percent = text.find('%'); percent != std::string_view::npos) {
    const auto address = parse(text.substr(0, percent));
    const auto zone = parse_number<std::uint32_t>(text.substr(percent + 1));
    if (!address || !address->needs_zone() || !zone || *zone == 0) return std::nullopt;
    return address->in_zone(*zone);
  }
  const std::string copy(text);
  std::array<std::uint8_t, 16> octets{};
  if (inet_pton(AF_INET, copy.c_str(), octets.data()) == 1) return v4({octets[0], octets[1], octets[2], octets[3]});
  if (inet_pton(AF_INET6, copy.c_str(), octets.data()) == 1) return v6(octets);
  return std::nullopt;
}

bool IpAddress::is_unicast() const {
  constexpr std::uint8_t kV4Multicast = 0xe0;  // 224.0.0.0/4, first four bits
  constexpr std::uint8_t kV6Multicast = 0xff;  // ff00::/8
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (family_ == Family::v4) {
    const bool broadcast = octets_[0] == 255 && octets_[1] == 255 && octets_[2] == 255 && octets_[3] == 255;
    return octets_[0] != 0 && (octets_[0] & 0xf0) != kV4Multicast && !broadcast;
  }
  return family_ == Family::v6 && !is_unspecified() && octets_[0] != kV6Multicast &&
         !std::equal(kMapped.begin(), kMapped.end(), octets_.begin());
}

std::string IpAddress::to_string() const {
  if (family_ == Family::none) return "none";
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family_ == Family::v4 ? AF_INET : AF_INET6, octets_.data(), text.data(), text.size());
  if (zone_ == 0) return text.data();
  return std::string(text.data()).append("%").append(std::to_string(zone_));
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto ip = IpAddress::parse(host);
  if (!ip || bracketed != (ip->family() == IpAddress::Family::v6)) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return std::nullopt;
  return SocketAddress{*ip, *port};
}

std::string SocketAddress::to_string() const {
  std::string text = ip.to_string();
  if (ip.family() == IpAddress::Family::v6) text.insert(0, 1, '[').push_back(']');
  return text.append(":").append(std::to_string(port));
}

}  // namespace mpquic
