#include "io/udp_socket.h"

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/interfaces.h"
#include "io/sockaddr.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace mpquic::io {
namespace {

using Family = IpAddress::Family;

constexpr std::size_t kMaxSegments = 64;         // UDP_MAX_SEGMENTS of kernels before 6.9
constexpr std::size_t kMaxOffloadBytes = 65000;  // one IP packet with room for its headers
constexpr std::size_t kSendControlBytes = 128;

template <class T>
[[nodiscard]] bool set_option(int fd, int level, int name, const T& value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// Appends control messages to a message whose control buffer is zeroed and large enough for all that we send.
class ControlWriter {
 public:
  explicit ControlWriter(msghdr& message) : message_(message) { message_.msg_controllen = 0; }

  template <class T>
  void add(int level, int type, const T& value) {
    auto* header = reinterpret_cast<cmsghdr*>(static_cast<std::byte*>(message_.msg_control) + message_.msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    message_.msg_controllen += CMSG_SPACE(sizeof value);
  }

 private:
  msghdr& message_;
};

template <class T>
[[nodiscard]] T control_value(const cmsghdr* header) {
  T value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof value);
  return value;
}

[[nodiscard]] IpAddress address_of(const in6_pktinfo& info) {
  return from_octets(info.ipi6_addr).in_zone(info.ipi6_ifindex);
}

[[nodiscard]] bool is_full(int code) { return code == EAGAIN || code == EWOULDBLOCK; }
/// The device's queue, or the kernel's memory, is exhausted: as good as lost on the wire, and there is nothing to poll.
[[nodiscard]] bool is_lost(int code) { return code == ENOBUFS || code == ENOMEM; }

[[nodiscard]] TransmitFailure failure_of(int code) {
  switch (code) {
    case EMSGSIZE: return TransmitFailure::too_big;
    case ECONNREFUSED: return TransmitFailure::refused;
    default: return TransmitFailure::unreachable;  // no route, no such source address any more, administratively denied
  }
}

}  // namespace

ReceiveBatch::ReceiveBatch() : memory(std::make_unique<std::byte[]>(kSlots * kSlotBytes)) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    vectors[i] = {slot(i).data(), kSlotBytes};
    msghdr& message = messages[i].msg_hdr;
    message.msg_iov = &vectors[i];
    message.msg_iovlen = 1;
    message.msg_name = &names[i];
    message.msg_control = controls[i].data();
  }
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::open(const UdpSocketOptions& options) {
  const int domain = options.local.ip.family() == Family::v6 ? AF_INET6 : AF_INET;
  Descriptor fd(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error("cannot create a UDP socket", errno);
  std::unique_ptr<UdpSocket> socket(new UdpSocket(std::move(fd), options));
  if (auto configured = socket->configure(options); !configured) return std::unexpected(std::move(configured).error());
  return socket;
}

UdpSocket::UdpSocket(Descriptor fd, const UdpSocketOptions& options)
    : fd_(std::move(fd)),
      options_(options),
      local_(options.local),
      device_(options.device),
      icmp_errors_(options.icmp_errors) {
  std::array<char, IF_NAMESIZE> name{};
  // Binding to a link-local address binds to its link.
  if (device_.empty() && local_.ip.zone() != 0 && if_indextoname(local_.ip.zone(), name.data()) != nullptr)
    device_ = name.data();
  if (!device_.empty()) known_zone_ = zone_ = if_nametoindex(device_.c_str());
}

Result<void> UdpSocket::configure(const UdpSocketOptions& options) {
  const bool v6 = local_.ip.family() == Family::v6;
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int on = 1;
  const std::string name = text_of(local_);

  if (auto zoned = require_zone(local_.ip); !zoned) return zoned;
  if (!options.device.empty() && setsockopt(fd(), SOL_SOCKET, SO_BINDTODEVICE, options.device.c_str(),
                                            static_cast<socklen_t>(options.device.size())) != 0)
    return system_error("cannot bind to device " + options.device, errno);
  // An IPv6 wildcard beside an IPv4 one on the same port: each socket speaks one family.
  if (v6 && !set_option(fd(), IPPROTO_IPV6, IPV6_V6ONLY, on)) return system_error("cannot set IPV6_V6ONLY", errno);
  if (!set_option(fd(), level, v6 ? IPV6_RECVTCLASS : IP_RECVTOS, on))
    return system_error("cannot receive ECN marks on " + name, errno);
  if (local_.ip.is_unspecified() && !set_option(fd(), level, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, on))
    return system_error("cannot learn local addresses on " + name, errno);
  // Don't fragment, and ignore what the kernel believes about the path MTU: probing is ours (RFC 9000 §14.3).
  if (!set_option(fd(), level, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, v6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE))
    return system_error("cannot forbid fragmentation on " + name, errno);
  if (icmp_errors_ && !set_option(fd(), level, v6 ? IPV6_RECVERR : IP_RECVERR, on))
    return system_error("cannot receive ICMP errors on " + name, errno);

  const int send_buffer = static_cast<int>(options.send_buffer);
  const int receive_buffer = static_cast<int>(options.receive_buffer);
  // Beyond the administrator's limit with CAP_NET_ADMIN, up to it without. A smaller grant works too.
  if (!set_option(fd(), SOL_SOCKET, SO_SNDBUFFORCE, send_buffer))
    static_cast<void>(set_option(fd(), SOL_SOCKET, SO_SNDBUF, send_buffer));
  if (!set_option(fd(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer))
    static_cast<void>(set_option(fd(), SOL_SOCKET, SO_RCVBUF, receive_buffer));

  int segment = 0;
  socklen_t size = sizeof segment;
  gso_ = options.gso && getsockopt(fd(), IPPROTO_UDP, UDP_SEGMENT, &segment, &size) == 0;
  gro_ = options.gro && set_option(fd(), IPPROTO_UDP, UDP_GRO, on);

  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(local_, address);
  if (bind(fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return system_error("cannot bind to " + name, errno);
  size = sizeof address;
  if (getsockname(fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return system_error("cannot read the address of a socket", errno);
  local_.port = from_sockaddr(address).port;
  return {};
}

bool UdpSocket::reopen() {
  const std::uint32_t zone = device_.empty() ? 0 : if_nametoindex(device_.c_str());
  if (zone == 0 || zone == zone_) return false;
  UdpSocketOptions options = options_;
  options.local = {local_.ip.in_zone(zone), local_.port};
  // The old one, bound to a device that is gone, does not stand in its way.
  auto fresh = open(options);
  if (!fresh) return false;  // its address is not there yet: that is a change of its own
  fd_ = std::move((*fresh)->fd_);
  gso_ = (*fresh)->gso_;
  gro_ = (*fresh)->gro_;
  zone_ = zone;
  return true;
}

SocketAddress UdpSocket::outward(const SocketAddress& address) const {
  return address.ip.zone() == known_zone_ ? SocketAddress{address.ip.in_zone(zone_), address.port} : address;
}

SocketAddress UdpSocket::inward(const SocketAddress& address) const {
  return address.ip.zone() == zone_ ? SocketAddress{address.ip.in_zone(known_zone_), address.port} : address;
}

/// A message without payload yet: where to, from which address, with which mark.
struct UdpSocket::Outgoing {
  sockaddr_storage name{};
  alignas(cmsghdr) std::array<std::byte, kSendControlBytes> control{};
  msghdr message{};
  std::size_t segment = 0;

  Outgoing(const UdpSocket& socket, const Transmit& transmit, std::size_t size)
      : segment(transmit.segment_size == 0 ? size : std::min(transmit.segment_size, size)) {
    const SocketAddress& bound = socket.local_;
    message.msg_name = &name;
    message.msg_namelen = to_sockaddr(socket.outward(transmit.tuple.remote), name);
    message.msg_control = control.data();
    ControlWriter writer(message);
    const bool v6 = bound.ip.family() == Family::v6;
    if (transmit.ecn != Ecn::not_ect)
      writer.add(v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, static_cast<int>(transmit.ecn));
    const IpAddress& source = transmit.tuple.local.ip;
    if (!bound.ip.is_unspecified() || source.is_unspecified()) return;
    if (v6) {
      in6_pktinfo info{};
      info.ipi6_ifindex = socket.outward(transmit.tuple.local).ip.zone();
      std::memcpy(&info.ipi6_addr, source.octets().data(), sizeof info.ipi6_addr);
      writer.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
    } else {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, source.octets().data(), sizeof info.ipi_spec_dst);
      writer.add(IPPROTO_IP, IP_PKTINFO, info);
    }
  }
};

SendResult UdpSocket::send(const Transmit& transmit, Bytes bytes) {
  const Outgoing out(*this, transmit, bytes.size());
  SendResult total;
  while (total.taken < bytes.size()) {
    const Bytes rest = bytes.subspan(total.taken);
    const SendResult step = gso_ && rest.size() > out.segment ? send_offloaded(out, rest) : send_each(out, rest);
    total.taken += step.taken;
    total.status = step.status;
    total.failure = step.failure;
    if (step.status != SendStatus::sent) break;
  }
  return total;
}

SendResult UdpSocket::send_offloaded(const Outgoing& out, Bytes bytes) {
  const std::size_t segments = std::min(kMaxSegments, kMaxOffloadBytes / out.segment);
  if (segments < 2) return send_each(out, bytes);
  const Bytes chunk = bytes.first(std::min(bytes.size(), segments * out.segment));

  Outgoing offloaded = out;
  iovec vector{const_cast<std::byte*>(chunk.data()), chunk.size()};
  offloaded.message.msg_name = &offloaded.name;
  offloaded.message.msg_control = offloaded.control.data();
  offloaded.message.msg_iov = &vector;
  offloaded.message.msg_iovlen = 1;
  if (chunk.size() > out.segment) {
    auto* header = reinterpret_cast<cmsghdr*>(offloaded.control.data() + out.message.msg_controllen);
    const auto segment = static_cast<std::uint16_t>(out.segment);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof segment);
    std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
    offloaded.message.msg_controllen = out.message.msg_controllen + CMSG_SPACE(sizeof segment);
  }
  for (bool retried = false;; retried = true) {
    if (sendmsg(fd(), &offloaded.message, 0) >= 0 || is_lost(errno)) return {SendStatus::sent, chunk.size(), {}};
    const int code = errno;
    if (code == EINTR) continue;
    if (is_full(code)) return {SendStatus::blocked, 0, {}};
    if (icmp_errors_ && !retried && code != EMSGSIZE && code != EIO && code != EINVAL) continue;  // see send_each()
    // EIO: the device cannot checksum what it would segment. EINVAL: this device, or an old kernel for segments over
    // the MTU, cannot segment it. Sending one by one tells which: if that works, segmentation never will.
    if (code != EIO && code != EINVAL) return {SendStatus::failed, 0, failure_of(code)};
    const SendResult each = send_each(out, chunk);
    if (each.status != SendStatus::failed) gso_ = false;
    return each;
  }
}

SendResult UdpSocket::send_each(const Outgoing& out, Bytes bytes) {
  std::array<iovec, kMaxSegments> vectors;
  std::array<mmsghdr, kMaxSegments> messages;
  std::size_t count = 0;
  for (std::size_t at = 0; at < bytes.size() && count < kMaxSegments; at += out.segment, ++count) {
    const Bytes datagram = bytes.subspan(at, std::min(out.segment, bytes.size() - at));
    vectors[count] = {const_cast<std::byte*>(datagram.data()), datagram.size()};
    messages[count].msg_hdr = out.message;
    messages[count].msg_hdr.msg_iov = &vectors[count];
    messages[count].msg_hdr.msg_iovlen = 1;
  }
  SendResult result;
  bool retried = false;
  for (std::size_t next = 0; next < count;) {
    const int sent = sendmmsg(fd(), &messages[next], static_cast<unsigned>(count - next), 0);
    const int code = errno;
    if (sent < 0 && code == EINTR) continue;
    if (sent < 0 && is_full(code)) {
      result.status = SendStatus::blocked;
      return result;
    }
    // With IP_RECVERR a send also fails once for an ICMP error that some earlier datagram earned.
    if (sent < 0 && icmp_errors_ && !retried && code != EMSGSIZE) {
      retried = true;
      continue;
    }
    if (sent < 0 && !is_lost(code)) {
      result.status = SendStatus::failed;
      result.failure = failure_of(code);
      return result;
    }
    const std::size_t step = sent < 0 ? 1 : static_cast<std::size_t>(sent);
    for (std::size_t i = next; i < next + step; ++i) result.taken += vectors[i].iov_len;
    next += step;
  }
  return result;
}

std::span<const ReceivedTrain> UdpSocket::receive(ReceiveBatch& batch) {
  for (mmsghdr& message : batch.messages) {
    message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    message.msg_hdr.msg_controllen = ReceiveBatch::kControlBytes;
    message.msg_hdr.msg_flags = 0;
  }
  int received = 0;
  do {
    received = recvmmsg(fd(), batch.messages.data(), ReceiveBatch::kSlots, MSG_DONTWAIT, nullptr);
  } while (received < 0 && errno == EINTR);
  // Anything else than "nothing there" is an ICMP error that was waiting; the next call goes on behind it.
  std::size_t count = 0;
  for (std::size_t i = 0; received > 0 && i < static_cast<std::size_t>(received); ++i)
    if (const auto train = train_of(batch, i)) batch.trains[count++] = *train;
  return std::span(batch.trains).first(count);
}

std::optional<ReceivedTrain> UdpSocket::train_of(ReceiveBatch& batch, std::size_t i) const {
  const mmsghdr& message = batch.messages[i];
  if (message.msg_len == 0 || (message.msg_hdr.msg_flags & MSG_TRUNC) != 0) return std::nullopt;
  ReceivedTrain train;
  train.bytes = batch.slot(i).first(message.msg_len);
  train.segment_size = train.bytes.size();
  train.tuple.remote = inward(from_sockaddr(batch.names[i]));
  train.tuple.local = local_;
  for (const cmsghdr* c = CMSG_FIRSTHDR(&message.msg_hdr); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&message.msg_hdr), const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
      train.segment_size = static_cast<std::size_t>(control_value<int>(c));
    else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
      train.ecn = static_cast<Ecn>(control_value<std::uint8_t>(c) & 0x3);
    else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
      train.ecn = static_cast<Ecn>(control_value<int>(c) & 0x3);
    else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
      train.tuple.local.ip = from_octets(control_value<in_pktinfo>(c).ipi_addr);
    else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
      train.tuple.local = inward({address_of(control_value<in6_pktinfo>(c)), local_.port});
  }
  if (train.segment_size == 0) return std::nullopt;
  return train;
}

std::optional<DeliveryError> UdpSocket::next_error() {
  if (!icmp_errors_) return std::nullopt;
  sockaddr_storage name{};
  alignas(cmsghdr) std::array<std::byte, 512> control{};
  std::byte ignored{};  // the beginning of our own packet
  iovec vector{&ignored, 1};
  for (;;) {
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
      const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6) continue;
      const auto error = control_value<sock_extended_err>(c);
      const bool icmp = error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
      // "Too big" is left to DPLPMTUD, which needs no unauthenticated advice (RFC 9000 §14.2.1).
      if (!icmp || error.ee_errno == EMSGSIZE) continue;
      return DeliveryError{{local_, inward(from_sockaddr(name))}, failure_of(static_cast<int>(error.ee_errno))};
    }
  }
}

}  // namespace mpquic::io
