#include "io/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "io/descriptor.h"
#include "io/sockaddr.h"

namespace mpquic::io {
namespace {

using Family = IpAddress::Family;

[[nodiscard]] std::string_view name_of(Family family) { return family == Family::v6 ? "IPv6" : "IPv4"; }

[[nodiscard]] std::unexpected<Error> no_interface(const std::string& name) {
  return failure("there is no network interface '" + name + "'");
}

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
  return ip.needs_zone() || (ip.family() == Family::v4 && ip.octets()[0] == 169 && ip.octets()[1] == 254);
}

[[nodiscard]] bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "fe80::1%eth0" or "[fe80::1%eth0]:443" with the interface's number, as the core reads it.
[[nodiscard]] Result<std::string> with_zone_number(std::string_view text) {
  const auto percent = text.find('%');
  if (percent == std::string_view::npos) return std::string(text);
  const auto end = std::min(text.find(']', percent), text.size());
  const std::string name(text.substr(percent + 1, end - percent - 1));
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0 && !is_number(name)) return no_interface(name);
  const std::string number = index == 0 ? name : std::to_string(index);
  return std::string(text.substr(0, percent + 1)) + number + std::string(text.substr(end));
}

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

}  // namespace

Result<IpAddress> parse_ip(std::string_view text) {
  const auto numbered = with_zone_number(text);
  if (!numbered) return std::unexpected(numbered.error());
  if (const auto ip = IpAddress::parse(*numbered)) return *ip;
  return failure("'" + std::string(text) + "' is not an IP address");
}

Result<SocketAddress> parse_socket_address(std::string_view text) {
  const auto numbered = with_zone_number(text);
  if (!numbered) return std::unexpected(numbered.error());
  if (const auto address = SocketAddress::parse(*numbered)) return *address;
  return failure("'" + std::string(text) + "' is neither ADDR:PORT nor [ADDR]:PORT");
}

Result<void> require_zone(const IpAddress& ip) {
  if (!ip.needs_zone() || ip.zone() != 0) return {};
  const std::string text = ip.to_string();
  return failure(text + " is link-local: say on which interface, as in " + text + "%eth0");
}

std::string text_of(const SocketAddress& address) {
  std::string text = address.to_string();
  std::array<char, IF_NAMESIZE> name{};
  const std::uint32_t zone = address.ip.zone();
  if (zone == 0 || if_indextoname(zone, name.data()) == nullptr) return text;
  const auto percent = text.find('%');
  return text.replace(percent + 1, std::to_string(zone).size(), name.data());
}

Result<LocalBinding> resolve_binding(std::string_view text, Family family) {
  constexpr std::string_view kInterface = "if:";
  if (text.starts_with(kInterface)) {
    const std::string name(text.substr(kInterface.size()));
    auto ip = interface_address(name, family);
    if (!ip) return std::unexpected(std::move(ip).error());
    return LocalBinding{*ip, name, if_nametoindex(name.c_str())};
  }
  const auto ip = parse_ip(text);
  if (!ip && text.find('%') != std::string_view::npos) return std::unexpected(ip.error());
  if (!ip) return failure("'" + std::string(text) + "' is neither an IP address nor if:INTERFACE");
  if (!matches(*ip, family))
    return failure(std::string(text) + " cannot reach an " + std::string(name_of(family)) + " destination");
  return LocalBinding{*ip, {}, ip->zone()};
}

Result<IpAddress> interface_address(const std::string& name, Family family) {
  if (name.empty() || if_nametoindex(name.c_str()) == 0) return no_interface(name);
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
  if (auto zoned = require_zone(remote.ip); !zoned) return std::unexpected(std::move(zoned).error());
  const int domain = remote.ip.family() == Family::v6 ? AF_INET6 : AF_INET;
  const Descriptor fd(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return system_error("cannot create a UDP socket", errno);
  sockaddr_storage address{};
  socklen_t length = to_sockaddr(remote, address);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return system_error("no route to " + text_of(remote), errno);
  length = sizeof address;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return system_error("cannot read the address of a socket", errno);
  return from_sockaddr(address).ip;
}

Result<IpAddress> resolve_host(const std::string& host, Family family) {
  const auto ip = parse_ip(host);
  if (!ip && host.find('%') != std::string::npos) return std::unexpected(ip.error());
  if (ip) {
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
    if (const IpAddress found = read_address(entry->ai_addr).ip; matches(found, family)) return found;
  return failure("'" + host + "' has no usable address");
}

}  // namespace mpquic::io
