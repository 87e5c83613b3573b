#include "io/interface_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace mpquic::io {
namespace {

constexpr std::size_t kMessageBytes = 8192;  // longer ones are cut: nobody reads them
constexpr int kMessagesAtOnce = 256;         // what is left keeps the descriptor readable

}  // namespace

Result<InterfaceWatch> InterfaceWatch::create() {
  Descriptor fd(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return system_error("cannot watch network interfaces", errno);
  return InterfaceWatch(std::move(fd));
}

void InterfaceWatch::clear() {
  std::array<std::byte, kMessageBytes> ignored;
  for (int i = 0; i < kMessagesAtOnce; ++i) {
    // ENOBUFS: messages were lost, which is one more change. Any other failure: there is nothing left.
    if (recv(fd_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT) < 0 && errno != ENOBUFS) return;
  }
}

}  // namespace mpquic::io
