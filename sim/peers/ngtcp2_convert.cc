#include "sim/peers/ngtcp2_convert.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace mpquic::peers {
namespace {

socklen_t fill(sockaddr_storage& out, const SocketAddress& address) {
  const auto& octets = address.ip.octets();
  if (address.ip.family() == IpAddress::Family::v6) {
    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(address.port);
    native.sin6_scope_id = address.ip.zone();
    std::memcpy(&native.sin6_addr, octets.data(), sizeof native.sin6_addr);
    std::memcpy(&out, &native, sizeof native);
    return sizeof native;
  }
  sockaddr_in native{};
  native.sin_family = AF_INET;
  native.sin_port = htons(address.port);
  std::memcpy(&native.sin_addr, octets.data(), sizeof native.sin_addr);
  std::memcpy(&out, &native, sizeof native);
  return sizeof native;
}

}  // namespace

NativePath::NativePath(const FourTuple& tuple) {
  path_.local.addrlen = fill(local_, tuple.local);
  path_.local.addr = reinterpret_cast<ngtcp2_sockaddr*>(&local_);
  path_.remote.addrlen = fill(remote_, tuple.remote);
  path_.remote.addr = reinterpret_cast<ngtcp2_sockaddr*>(&remote_);
}

SocketAddress from_native(const ngtcp2_addr& address) {
  if (address.addr->sa_family == AF_INET6) {
    sockaddr_in6 native{};
    std::memcpy(&native, address.addr, sizeof native);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &native.sin6_addr, octets.size());
    return {IpAddress::v6(octets).in_zone(native.sin6_scope_id), ntohs(native.sin6_port)};
  }
  sockaddr_in native{};
  std::memcpy(&native, address.addr, sizeof native);
  std::array<std::uint8_t, 4> octets{};
  std::memcpy(octets.data(), &native.sin_addr, octets.size());
  return {IpAddress::v4(octets), ntohs(native.sin_port)};
}

}  // namespace mpquic::peers
