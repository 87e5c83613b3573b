#include "io/sockaddr.h"

#include <cstring>

namespace mpquic::io {

socklen_t to_sockaddr(const SocketAddress& address, sockaddr_storage& out) {
  out = {};
  if (address.ip.family() == IpAddress::Family::v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    in.sin6_scope_id = address.ip.zone();
    std::memcpy(&in.sin6_addr, address.ip.octets().data(), sizeof in.sin6_addr);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(address.port);
  std::memcpy(&in.sin_addr, address.ip.octets().data(), sizeof in.sin_addr);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

SocketAddress from_sockaddr(const sockaddr_storage& in) {
  if (in.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &in, sizeof v4);
    return {from_octets(v4.sin_addr), ntohs(v4.sin_port)};
  }
  if (in.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &in, sizeof v6);
    return {from_octets(v6.sin6_addr).in_zone(v6.sin6_scope_id), ntohs(v6.sin6_port)};
  }
  return {};
}

IpAddress from_octets(const in_addr& in) {
  std::array<std::uint8_t, 4> octets{};
  std::memcpy(octets.data(), &in, octets.size());
  return IpAddress::v4(octets);
}

IpAddress from_octets(const in6_addr& in) {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &in, octets.size());
  return IpAddress::v6(octets);
}

}  // namespace mpquic::io
