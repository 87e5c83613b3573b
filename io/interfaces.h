// Local addresses: of interfaces, and of the route to a destination.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/error.h"
#include "stack/base/address.h"

namespace mpquic::io {

/// As IpAddress::parse() and SocketAddress::parse(), but a zone may be the name of an interface too: "fe80::1%eth0".
[[nodiscard]] Result<IpAddress> parse_ip(std::string_view text);
[[nodiscard]] Result<SocketAddress> parse_socket_address(std::string_view text);
/// An error that says what is missing from a link-local address without a zone.
[[nodiscard]] Result<void> require_zone(const IpAddress& ip);
/// The address as people write it: its zone is the interface's name, where it has one.
[[nodiscard]] std::string text_of(const SocketAddress& address);

/// Where a path leaves: an address and, for `if:NAME`, the device that the socket is bound to.
struct LocalBinding {
  IpAddress ip;
  std::string device{};
  std::uint32_t link = 0;  // the number of that device, or the zone of a link-local address; 0: any
};

/// Parses "192.0.2.1", "2001:db8::1", "fe80::1%eth0" or "if:eth0". An interface gives its first address of `family`
/// (any family for none), global ones before link-local ones.
[[nodiscard]] Result<LocalBinding> resolve_binding(std::string_view text, IpAddress::Family family);
[[nodiscard]] Result<IpAddress> interface_address(const std::string& name, IpAddress::Family family);
/// The source address that the kernel's routes choose towards `remote`. Sends nothing.
[[nodiscard]] Result<IpAddress> route_source(const SocketAddress& remote);
/// Host names by getaddrinfo, numeric addresses directly; the first answer of `family` (any for none).
[[nodiscard]] Result<IpAddress> resolve_host(const std::string& host, IpAddress::Family family);

}  // namespace mpquic::io
