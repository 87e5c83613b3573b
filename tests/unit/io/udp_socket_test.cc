#include "io/udp_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <string>
#include <vector>

#include "io/interfaces.h"
#include "tests/unit/io/fakes.h"

namespace mpquic::io {
namespace {

using fakes::at;

constexpr SocketAddress kAnyV4{IpAddress::v4({0, 0, 0, 0}), 0};
constexpr SocketAddress kLoopbackV6{IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 0};
constexpr SocketAddress kAnyV6{IpAddress::v6({}), 0};

std::unique_ptr<UdpSocket> open_socket(const UdpSocketOptions& options) {
  auto socket = UdpSocket::open(options);
  EXPECT_TRUE(socket) << socket.error().message;
  return socket ? std::move(*socket) : nullptr;
}

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

/// What arrives at a socket within a while, trains taken apart into datagrams.
struct Arrivals {
  std::vector<std::byte> bytes;
  std::vector<std::size_t> datagrams;
  std::size_t trains = 0;
  FourTuple tuple;
  Ecn ecn = Ecn::not_ect;
};

Arrivals receive_all(UdpSocket& socket, std::size_t expected) {
  ReceiveBatch batch;
  Arrivals got;
  while (got.bytes.size() < expected) {
    pollfd waiting{socket.fd(), POLLIN, 0};
    if (poll(&waiting, 1, 2000) != 1) break;
    for (const ReceivedTrain& train : socket.receive(batch)) {
      ++got.trains;
      got.tuple = train.tuple;
      got.ecn = train.ecn;
      got.bytes.insert(got.bytes.end(), train.bytes.begin(), train.bytes.end());
      for (std::size_t i = 0; i < train.bytes.size(); i += train.segment_size)
        got.datagrams.push_back(std::min(train.segment_size, train.bytes.size() - i));
    }
  }
  return got;
}

Transmit train_to(const UdpSocket& from, const SocketAddress& to, std::size_t size, std::size_t segment) {
  return Transmit{{from.local_address(), to}, Ecn::not_ect, size, segment};
}

TEST(UdpSocket, TellsThePortThatTheKernelChose) {
  const auto socket = open_socket({.local = at(1)});
  EXPECT_NE(socket->local_address().port, 0);
  EXPECT_EQ(socket->local_address().ip, at(1).ip);
}

TEST(UdpSocket, NamesTheAddressThatCannotBeBound) {
  const auto first = open_socket({.local = at(1)});
  const auto second = UdpSocket::open({.local = first->local_address()});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(first->local_address().to_string()), std::string::npos);
  EXPECT_EQ(second.error().code, EADDRINUSE);
}

TEST(UdpSocket, NamesTheDeviceThatDoesNotExist) {
  const auto socket = UdpSocket::open({.local = at(1), .device = "nosuchdev0"});
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("nosuchdev0"), std::string::npos);
}

struct Offload {
  bool gso;
  bool gro;
};
class Trains : public testing::TestWithParam<Offload> {};

TEST_P(Trains, ArriveAsTheSameDatagramsInTheSameOrder) {
  const auto [gso, gro] = GetParam();
  const auto from = open_socket({.local = at(1), .gso = gso, .gro = gro});
  const auto to = open_socket({.local = at(2), .gso = gso, .gro = gro});
  const auto bytes = pattern(1452 * 40 + 333);
  const SendResult result = from->send(train_to(*from, to->local_address(), bytes.size(), 1452), bytes);
  ASSERT_EQ(result.status, SendStatus::sent);
  EXPECT_EQ(result.taken, bytes.size());
  const Arrivals got = receive_all(*to, bytes.size());
  EXPECT_EQ(got.bytes, bytes);
  ASSERT_EQ(got.datagrams.size(), 41U);
  EXPECT_TRUE(std::all_of(got.datagrams.begin(), got.datagrams.end() - 1, [](auto size) { return size == 1452; }));
  EXPECT_EQ(got.datagrams.back(), 333U);
  EXPECT_EQ(got.tuple, (FourTuple{to->local_address(), from->local_address()}));
  if (!gro) {
    EXPECT_EQ(got.trains, 41U);
  } else if (from->uses_gso() && to->uses_gro()) {
    EXPECT_LT(got.trains, 41U);
  }
}

TEST_P(Trains, OfMoreSegmentsThanTheKernelTakesAtOnceArriveToo) {
  const auto [gso, gro] = GetParam();
  const auto from = open_socket({.local = at(1), .gso = gso, .gro = gro});
  const auto to = open_socket({.local = at(2), .gso = gso, .gro = gro});
  const auto bytes = pattern(150 * 100 + 7);
  ASSERT_EQ(from->send(train_to(*from, to->local_address(), bytes.size(), 100), bytes).taken, bytes.size());
  const Arrivals got = receive_all(*to, bytes.size());
  EXPECT_EQ(got.bytes, bytes);
  EXPECT_EQ(got.datagrams.size(), 151U);
}

INSTANTIATE_TEST_SUITE_P(Offloads, Trains,
                         testing::Values(Offload{true, true}, Offload{true, false}, Offload{false, true},
                                         Offload{false, false}));

struct Route {
  SocketAddress from;
  SocketAddress to;
};
class Families : public testing::TestWithParam<Route> {};

// RFC 9000 §13.4: both directions of the ECN field must cross the socket.
TEST_P(Families, CarryEcnMarks) {
  auto from = UdpSocket::open({.local = GetParam().from});
  auto to = UdpSocket::open({.local = GetParam().to});
  if (!from || !to) GTEST_SKIP() << "no IPv6 on this machine";
  for (const Ecn mark : {Ecn::ect0, Ecn::ect1, Ecn::ce, Ecn::not_ect}) {
    const auto bytes = pattern(3000);
    Transmit transmit = train_to(**from, (*to)->local_address(), bytes.size(), 1200);
    transmit.ecn = mark;
    ASSERT_EQ((*from)->send(transmit, bytes).status, SendStatus::sent);
    const Arrivals got = receive_all(**to, bytes.size());
    EXPECT_EQ(got.bytes, bytes);
    EXPECT_EQ(got.ecn, mark);
  }
}

INSTANTIATE_TEST_SUITE_P(Loopback, Families, testing::Values(Route{at(1), at(2)}, Route{kLoopbackV6, kLoopbackV6}));

TEST(UdpSocket, BoundToAWildcardLearnsAndChoosesItsAddress) {
  const auto server = open_socket({.local = kAnyV4});
  const auto client = open_socket({.local = at(1)});
  for (const std::uint8_t last : {std::uint8_t{5}, std::uint8_t{6}}) {
    const SocketAddress destination = at(last, server->local_address().port);
    ASSERT_EQ(client->send(train_to(*client, destination, 100, 100), pattern(100)).status, SendStatus::sent);
    const Arrivals got = receive_all(*server, 100);
    EXPECT_EQ(got.tuple, (FourTuple{destination, client->local_address()}));

    const auto answer = pattern(2400);
    ASSERT_EQ(server->send(Transmit{got.tuple, Ecn::ect0, 2400, 1200}, answer).status, SendStatus::sent);
    const Arrivals back = receive_all(*client, 2400);
    EXPECT_EQ(back.tuple, (FourTuple{client->local_address(), destination}));
    EXPECT_EQ(back.ecn, Ecn::ect0);
  }
}

TEST(UdpSocket, BoundToTheIpv6WildcardLearnsItsAddress) {
  auto server = UdpSocket::open({.local = kAnyV6});
  auto client = UdpSocket::open({.local = kLoopbackV6});
  if (!server || !client) GTEST_SKIP() << "no IPv6 on this machine";
  const SocketAddress destination{kLoopbackV6.ip, (*server)->local_address().port};
  ASSERT_EQ((*client)->send(train_to(**client, destination, 100, 100), pattern(100)).status, SendStatus::sent);
  const Arrivals got = receive_all(**server, 100);
  EXPECT_EQ(got.tuple, (FourTuple{destination, (*client)->local_address()}));
  ASSERT_EQ((*server)->send(Transmit{got.tuple, Ecn::ect0, 50, 50}, pattern(50)).status, SendStatus::sent);
  EXPECT_EQ(receive_all(**client, 50).tuple.remote, destination);
}

TEST(UdpSocket, SaysThatADatagramIsTooBig) {
  const auto from = open_socket({.local = at(1)});
  const auto to = open_socket({.local = at(2)});
  const SendResult result =
      from->send(train_to(*from, to->local_address(), kMaxDatagram, kMaxDatagram), pattern(kMaxDatagram));
  EXPECT_EQ(result.status, SendStatus::failed);
  EXPECT_EQ(result.failure, TransmitFailure::too_big);
  EXPECT_EQ(result.taken, 0U);
}

TEST(UdpSocket, SaysThatADestinationIsUnreachable) {
  const auto from = open_socket({.local = at(1)});  // the kernel refuses to leave loopback with a loopback source
  const SocketAddress outside{IpAddress::v4({192, 0, 2, 1}), 9};
  const SendResult result = from->send(train_to(*from, outside, 100, 100), pattern(100));
  EXPECT_EQ(result.status, SendStatus::failed);
  EXPECT_EQ(result.failure, TransmitFailure::unreachable);
}

TEST(UdpSocket, ReportsARefusedDestinationOnlyOnce) {
  const auto from = open_socket({.local = at(1), .icmp_errors = true});
  SocketAddress closed;
  { closed = open_socket({.local = at(2)})->local_address(); }
  ASSERT_EQ(from->send(train_to(*from, closed, 100, 100), pattern(100)).status, SendStatus::sent);
  pollfd waiting{from->fd(), POLLERR, 0};
  ASSERT_EQ(poll(&waiting, 1, 2000), 1);
  const auto error = from->next_error();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->tuple.remote, closed);
  EXPECT_EQ(error->failure, TransmitFailure::refused);
  EXPECT_FALSE(from->next_error());
}

// RFC 9000 §21.5: what one destination answers must not fail a datagram to another.
TEST(UdpSocket, ARefusalElsewhereDoesNotFailTheNextDatagram) {
  for (const bool gso : {true, false}) {
    const auto from = open_socket({.local = at(1), .gso = gso, .icmp_errors = true});
    const auto to = open_socket({.local = at(2)});
    SocketAddress closed;
    { closed = open_socket({.local = at(3)})->local_address(); }
    ASSERT_EQ(from->send(train_to(*from, closed, 100, 100), pattern(100)).status, SendStatus::sent);
    pollfd waiting{from->fd(), POLLERR, 0};
    ASSERT_EQ(poll(&waiting, 1, 2000), 1);
    const auto bytes = pattern(5000);
    EXPECT_EQ(from->send(train_to(*from, to->local_address(), 5000, 1200), bytes).status, SendStatus::sent);
    EXPECT_EQ(receive_all(*to, 5000).bytes, bytes);
  }
}

TEST(UdpSocket, IgnoresEmptyDatagrams) {
  const auto from = open_socket({.local = at(1)});
  const auto to = open_socket({.local = at(2)});
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(to->local_address().port);
  name.sin_addr.s_addr = htonl(0x7f000002);
  ASSERT_EQ(sendto(from->fd(), "", 0, 0, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  pollfd waiting{to->fd(), POLLIN, 0};
  ASSERT_EQ(poll(&waiting, 1, 2000), 1);
  ReceiveBatch batch;
  EXPECT_TRUE(to->receive(batch).empty());
}

TEST(UdpSocket, GivesABatchAtATime) {
  const auto from = open_socket({.local = at(1)});
  const auto to = open_socket({.local = at(2), .gro = false});
  for (std::size_t i = 0; i < ReceiveBatch::kSlots + 5; ++i)
    ASSERT_EQ(from->send(train_to(*from, to->local_address(), 10, 10), pattern(10)).status, SendStatus::sent);
  ReceiveBatch batch;
  EXPECT_EQ(to->receive(batch).size(), ReceiveBatch::kSlots);
  EXPECT_EQ(to->receive(batch).size(), 5U);
  EXPECT_TRUE(to->receive(batch).empty());
}

TEST(Interfaces, GiveTheirAddress) {
  const auto binding = resolve_binding("if:lo", IpAddress::Family::v4);
  ASSERT_TRUE(binding) << binding.error().message;
  EXPECT_EQ(binding->ip, at(1).ip);
  EXPECT_EQ(binding->device, "lo");
}

TEST(Interfaces, ThatDoNotExistAreNamed) {
  const auto binding = resolve_binding("if:nosuchdev0", IpAddress::Family::none);
  ASSERT_FALSE(binding);
  EXPECT_NE(binding.error().message.find("nosuchdev0"), std::string::npos);
}

TEST(Interfaces, BindingsMustFitTheDestination) {
  EXPECT_FALSE(resolve_binding("::1", IpAddress::Family::v4));
  EXPECT_FALSE(resolve_binding("not-an-address", IpAddress::Family::none));
  const auto binding = resolve_binding("127.0.0.9", IpAddress::Family::v4);
  ASSERT_TRUE(binding);
  EXPECT_EQ(binding->ip, at(9).ip);
  EXPECT_TRUE(binding->device.empty());
}

TEST(Interfaces, RoutesChooseASource) {
  const auto source = route_source(at(7, 9));
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->octets()[0], 127);
}

TEST(Interfaces, HostsResolveToTheWantedFamily) {
  const auto numeric = resolve_host("127.0.0.3", IpAddress::Family::none);
  ASSERT_TRUE(numeric);
  EXPECT_EQ(*numeric, at(3).ip);
  EXPECT_FALSE(resolve_host("127.0.0.3", IpAddress::Family::v6));
  const auto name = resolve_host("localhost", IpAddress::Family::v4);
  ASSERT_TRUE(name) << name.error().message;
  EXPECT_EQ(*name, at(1).ip);
}

}  // namespace
}  // namespace mpquic::io
