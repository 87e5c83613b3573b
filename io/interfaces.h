// Local addresses: of interfaces, and of the route to a destination.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/error.h"
#include "stack/base/address.h"

namespace mpquic::io {

/// Where a path leaves: an address and, for `if:NAME`, the device that the socket is bound to.
struct LocalBinding {
  IpAddress ip;
  std::string device{};
};

/// Parses "192.0.2.1", "2001:db8::1" or "if:eth0". An interface gives its first address of `family` (any family for
/// none), global ones before link-local ones.
[[nodiscard]] Result<LocalBinding> resolve_binding(std::string_view text, IpAddress::Family family);
[[nodiscard]] Result<IpAddress> interface_address(const std::string& name, IpAddress::Family family);
/// The source address that the kernel's routes choose towards `remote`. Sends nothing.
[[nodiscard]] Result<IpAddress> route_source(const SocketAddress& remote);
/// Host names by getaddrinfo, numeric addresses directly; the first answer of `family` (any for none).
[[nodiscard]] Result<IpAddress> resolve_host(const std::string& host, IpAddress::Family family);

}  // namespace mpquic::io
