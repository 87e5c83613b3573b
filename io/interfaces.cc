#include "io/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "io/descriptor.h"
#include "io/sockaddr.h"

namespace mpquic::io {
namespace {

using Family = IpAddress::Family;

[[nodiscard]] std::string_view name_of(Family family) { return family == Family::v6 ? "IPv6" : "IPv4"; }

[[nodiscard]] SocketAddress read_address(const sockaddr* in) {
  if (in == nullptr) return {};
  sockaddr_storage storage{};
  if (in->sa_family == AF_INET) std::memcpy(&storage, in, sizeof(sockaddr_in));
  if (in->sa_family == AF_INET6) std::memcpy(&storage, in, sizeof(sockaddr_in6));
  return from_sockaddr(storage);
}

[[nodiscard]] bool matches(const IpAddress& ip, Family family) {
  return ip.family() != Family::none && (family == Family::none || ip.family() == family);
}

[[nodiscard]] bool is_link_local(const IpAddress& ip) {
  const auto& o = ip.octets();
  return ip.family() == Family::v6 ? o[0] == 0xfe && (o[1] & 0xc0) == 0x80 : o[0] == 169 && o[1] == 254;
}

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

}  // namespace

Result<LocalBinding> resolve_binding(std::string_view text, Family family) {
  constexpr std::string_view kInterface = "if:";
  if (text.starts_with(kInterface)) {
    const std::string name(text.substr(kInterface.size()));
    auto ip = interface_address(name, family);
    if (!ip) return std::unexpected(std::move(ip).error());
    return LocalBinding{*ip, name};
  }
  const auto ip = IpAddress::parse(text);
  if (!ip) return failure("'" + std::string(text) + "' is neither an IP address nor if:INTERFACE");
  if (!matches(*ip, family))
    return failure(std::string(text) + " cannot reach an " + std::string(name_of(family)) + " destination");
  return LocalBinding{*ip, {}};
}

Result<IpAddress> interface_address(const std::string& name, Family family) {
  if (name.empty() || if_nametoindex(name.c_str()) == 0) return failure("there is no network interface '" + name + "'");
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return system_error("cannot list network interfaces", errno);
  const std::unique_ptr<ifaddrs, FreeWith<freeifaddrs>> all(raw);
  std::optional<IpAddress> link_local;
  for (const ifaddrs* entry = all.get(); entry != nullptr; entry = entry->ifa_next) {
    const IpAddress ip = read_address(entry->ifa_addr).ip;
    if (name != entry->ifa_name || !matches(ip, family)) continue;
    if (!is_link_local(ip)) return ip;
    if (!link_local) link_local = ip;
  }
  if (link_local) return *link_local;
  const std::string kind = family == Family::none ? "IP" : std::string(name_of(family));
  return failure("interface '" + name + "' has no " + kind + " address");
}

Result<IpAddress> route_source(const SocketAddress& remote) {
  const int domain = remote.ip.family() == Family::v6 ? AF_INET6 : AF_INET;
  const Descriptor fd(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return system_error("cannot create a UDP socket", errno);
  sockaddr_storage address{};
  socklen_t length = to_sockaddr(remote, address);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return system_error("no route to " + remote.to_string(), errno);
  length = sizeof address;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return system_error("cannot read the address of a socket", errno);
  return from_sockaddr(address).ip;
}

Result<IpAddress> resolve_host(const std::string& host, Family family) {
  if (const auto ip = IpAddress::parse(host)) {
    if (matches(*ip, family)) return *ip;
    return failure(host + " is not an " + std::string(name_of(family)) + " address");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_family = family == Family::v4 ? AF_INET : family == Family::v6 ? AF_INET6 : AF_UNSPEC;
  addrinfo* raw = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &raw); code != 0)
    return failure("cannot resolve '" + host + "': " + gai_strerror(code));
  const std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>> all(raw);
  for (const addrinfo* entry = all.get(); entry != nullptr; entry = entry->ai_next)
    if (const IpAddress ip = read_address(entry->ai_addr).ip; matches(ip, family)) return ip;
  return failure("'" + host + "' has no usable address");
}

}  // namespace mpquic::io
