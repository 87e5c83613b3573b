// Link-local addresses mean something on one link only (RFC 4007), and an interface that is made anew is another one to
// the kernel. Both want interfaces of the test's own: skipped where there is no root.
#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>

#include <functional>
#include <string>
#include <thread>

#include "io/event_loop.h"
#include "io/interfaces.h"
#include "io/system_clock.h"
#include "tests/support/namespace.h"
#include "tests/unit/io/fakes.h"

namespace mpquic::io {
namespace {

using namespace std::chrono_literals;
using test::enter_namespace;
using test::runs;

constexpr std::string_view kText = "over this link";

[[nodiscard]] bool make_link(const std::string& addresses) {
  return runs("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up") && runs(addresses);
}

/// Runs `body` where v0 and v1 are the ends of a cable. Skips the test where that cannot be had.
void with_link(const std::string& addresses, const std::function<void()>& body) {
  bool possible = false;
  std::jthread([&] {
    possible = enter_namespace() && make_link(addresses);
    if (possible) body();
  }).join();
  if (!possible) GTEST_SKIP() << "needs root and iproute2";
}

constexpr const char* kLinkLocals = "ip addr add fe80::a/64 dev v0 nodad && ip addr add fe80::b/64 dev v1 nodad";
constexpr const char* kOneV4 = "ip addr add 10.99.0.1/24 dev v0";

SendResult send_text(UdpSocket& socket, const FourTuple& tuple) {
  return socket.send(Transmit{tuple, Ecn::not_ect, kText.size(), kText.size()}, as_bytes(kText));
}

std::optional<FourTuple> receive_text(UdpSocket& socket) {
  ReceiveBatch batch;
  pollfd waiting{socket.fd(), POLLIN, 0};
  if (poll(&waiting, 1, 5000) != 1) return std::nullopt;
  const auto trains = socket.receive(batch);
  if (trains.size() != 1 || as_text(trains[0].bytes) != kText) return std::nullopt;
  return trains[0].tuple;
}

TEST(LinkLocal, AWildcardSocketAnswersOnTheLinkThatItWasAskedOn) {
  with_link(kLinkLocals, [] {
    const IpAddress ours = *parse_ip("fe80::a%v0");
    auto server = UdpSocket::open({.local = {IpAddress::v6({}), 0}});
    auto client = UdpSocket::open({.local = {ours, 0}});
    ASSERT_TRUE(server && client);
    const SocketAddress from = (*client)->local_address();
    EXPECT_EQ(from.ip.zone(), if_nametoindex("v0"));
    const SocketAddress to{parse_ip("fe80::a%v0").value_or(IpAddress{}), (*server)->local_address().port};
    ASSERT_EQ(send_text(**client, {from, to}).status, SendStatus::sent);
    const auto seen = receive_text(**server);
    ASSERT_TRUE(seen);
    EXPECT_EQ(*seen, (FourTuple{to, from}));
    ASSERT_EQ(send_text(**server, *seen).status, SendStatus::sent);
    EXPECT_EQ(receive_text(**client), (FourTuple{from, to}));
  });
}

TEST(LinkLocal, AddressesAreReadAndWrittenWithTheInterfacesName) {
  with_link(kLinkLocals, [] {
    const auto zone = if_nametoindex("v1");
    const auto parsed = parse_socket_address("[fe80::b%v1]:443");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->ip, IpAddress::parse("fe80::b")->in_zone(zone));
    EXPECT_EQ(text_of(*parsed), "[fe80::b%v1]:443");
    EXPECT_EQ(parse_ip("fe80::b%" + std::to_string(zone)).value_or(IpAddress{}), parsed->ip);
    EXPECT_EQ(interface_address("v1", IpAddress::Family::v6).value_or(IpAddress{}).zone(), zone);
    EXPECT_EQ(resolve_host("fe80::b%v1", IpAddress::Family::none).value_or(IpAddress{}), parsed->ip);
    EXPECT_EQ(
        route_source({IpAddress::parse("fe80::b")->in_zone(if_nametoindex("v0")), 1}).value_or(IpAddress{}).zone(),
        if_nametoindex("v0"));
  });
}

TEST(LinkLocal, WhatIsMissingOrUnknownIsSaid) {
  const auto unknown = parse_ip("fe80::1%nosuchdev0");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("'nosuchdev0'"), std::string::npos);
  EXPECT_FALSE(parse_ip("192.0.2.1%lo"));
  EXPECT_FALSE(parse_socket_address("[fe80::1%nosuchdev0]:1"));
  EXPECT_FALSE(resolve_host("fe80::1%nosuchdev0", IpAddress::Family::none));
  const IpAddress nowhere = *IpAddress::parse("fe80::1");
  for (const Error& error : {UdpSocket::open({.local = {nowhere, 0}}).error(), route_source({nowhere, 1}).error()})
    EXPECT_NE(error.message.find("fe80::1%eth0"), std::string::npos) << error.message;
}

TEST(RemadeInterface, ASocketMovesToTheNewOneOnceItsAddressIsThere) {
  with_link(kOneV4, [] {
    auto socket = UdpSocket::open({.local = {IpAddress::v4({10, 99, 0, 1}), 0}, .device = "v0"});
    ASSERT_TRUE(socket) << socket.error().message;
    const SocketAddress local = (*socket)->local_address();
    const FourTuple tuple{local, {IpAddress::v4({10, 99, 0, 2}), 9}};
    EXPECT_FALSE((*socket)->reopen());  // nothing has changed
    ASSERT_TRUE(runs("ip link del v0"));
    EXPECT_FALSE((*socket)->reopen());
    EXPECT_EQ(send_text(**socket, tuple).failure, TransmitFailure::unreachable);
    ASSERT_TRUE(make_link("true"));
    EXPECT_FALSE((*socket)->reopen());  // without its address
    EXPECT_EQ(send_text(**socket, tuple).status, SendStatus::failed);
    ASSERT_TRUE(runs(kOneV4));
    EXPECT_TRUE((*socket)->reopen());
    EXPECT_EQ((*socket)->local_address(), local);
    EXPECT_EQ(send_text(**socket, tuple).status, SendStatus::sent);
    EXPECT_FALSE((*socket)->reopen());
  });
}

// The core's 4-tuples outlive the interface: the zone in them stays what it was.
TEST(RemadeInterface, KeepsItsZoneInTheEyesOfTheCore) {
  with_link(kLinkLocals, [] {
    auto socket = UdpSocket::open({.local = {*parse_ip("fe80::a%v0"), 0}});
    ASSERT_TRUE(socket) << socket.error().message;
    const SocketAddress local = (*socket)->local_address();
    ASSERT_TRUE(runs("ip link del v0") && make_link(kLinkLocals));
    ASSERT_NE(local.ip.zone(), if_nametoindex("v0"));
    ASSERT_TRUE((*socket)->reopen());
    ASSERT_EQ(send_text(**socket, {local, local}).status, SendStatus::sent);
    EXPECT_EQ(receive_text(**socket), (FourTuple{local, local}));
  });
}

TEST(RemadeInterface, TheEventLoopSendsAndReceivesOnItAgain) {
  with_link(kLinkLocals, [] {
    fakes::FakeCore core;
    auto loop = EventLoop::create(core);
    ASSERT_TRUE(loop);
    const auto local = (*loop)->add_socket({.local = {*parse_ip("fe80::a%v0"), 0}, .device = "v0"});
    ASSERT_TRUE(local) << local.error().message;
    const Bytes bytes = as_bytes(kText);
    const auto send = [&](Duration patience) {
      core.to_send.push_back({{*local, *local}, {bytes.begin(), bytes.end()}, bytes.size(), Ecn::not_ect});
      ASSERT_TRUE((*loop)->run_until(SystemClock::now() + patience));
    };
    core.on_receive = [&](const ReceivedTrain&, Instant) { (*loop)->stop(); };
    send(5s);
    EXPECT_EQ(core.received.size(), 1U);
    ASSERT_TRUE(runs("ip link del v0"));
    send(50ms);
    EXPECT_EQ(core.received.size(), 1U);
    EXPECT_GE(core.failures.size(), 1U);
    ASSERT_TRUE(make_link(kLinkLocals));
    send(50ms);
    send(5s);
    EXPECT_GE(core.received.size(), 2U);
    EXPECT_LT((*loop)->counters().turns, 100U);
  });
}

}  // namespace
}  // namespace mpquic::io
