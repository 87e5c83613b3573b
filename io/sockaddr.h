// Between the stack's addresses and the kernel's.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "stack/base/address.h"

namespace mpquic::io {

/// Fills `out`; the length that system calls want.
socklen_t to_sockaddr(const SocketAddress& address, sockaddr_storage& out);
/// An address of family `none` where `in` is neither IPv4 nor IPv6.
[[nodiscard]] SocketAddress from_sockaddr(const sockaddr_storage& in);
[[nodiscard]] IpAddress from_octets(const in_addr& in);
[[nodiscard]] IpAddress from_octets(const in6_addr& in);

}  // namespace mpquic::io
