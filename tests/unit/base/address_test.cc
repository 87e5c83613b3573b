#include "stack/base/address.h"

#include <gtest/gtest.h>

#include "stack/base/bytes.h"

namespace mpquic {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "::1", "fe80::1:2"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->family(), IpAddress::Family::v4);
  EXPECT_EQ(IpAddress::parse("::1")->family(), IpAddress::Family::v6);
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "1.2.3.4.5", ":::", "2001:db8::g", "[::1]",
                           "fe80::1%eth0", "fe80::1%", "fe80::1%0", "fe80::1%-1", "fe80::1%4294967296", "fe80::1%1%1",
                           "%1", "2001:db8::1%1", "192.0.2.1%1", "localhost"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, KeepsNetworkByteOrder) {
  const auto address = IpAddress::v4({192, 0, 2, 1});
  EXPECT_EQ(address.octets()[0], 192);
  EXPECT_EQ(address.octets()[3], 1);
  EXPECT_EQ(address.octets()[4], 0);
  EXPECT_EQ(address, *IpAddress::parse("192.0.2.1"));
}

TEST(IpAddress, FamiliesDiffer) {
  EXPECT_NE(IpAddress::v4({0, 0, 0, 0}), IpAddress::v6({}));
  EXPECT_TRUE(IpAddress::v4({0, 0, 0, 0}).is_unspecified());
  EXPECT_TRUE(IpAddress::v6({}).is_unspecified());
  EXPECT_FALSE(IpAddress::v4({1, 0, 0, 0}).is_unspecified());
  EXPECT_EQ(IpAddress{}.family(), IpAddress::Family::none);
  EXPECT_EQ(IpAddress{}.to_string(), "none");
}

TEST(SocketAddress, KnowsWhereNoPeerCanBe) {
  for (const char* text :
       {"192.0.2.1:443", "127.0.0.1:1", "255.255.255.254:9", "[2001:db8::1]:443", "[::1]:5", "[fe80::1]:6"})
    EXPECT_TRUE(SocketAddress::parse(text)->can_be_peer()) << text;
  for (const char* text :
       {"192.0.2.1:0", "0.0.0.0:443", "0.1.2.3:443", "224.0.0.1:443", "239.255.255.255:443", "255.255.255.255:443",
        "[2001:db8::1]:0", "[::]:443", "[ff02::1]:443", "[::ffff:192.0.2.1]:443"})
    EXPECT_FALSE(SocketAddress::parse(text)->can_be_peer()) << text;
  EXPECT_FALSE((SocketAddress{{}, 443}).can_be_peer());
}

// RFC 4007 §6 and §11: the same link-local address on two links is two addresses.
TEST(IpAddress, LinkLocalOnesBelongToAZone) {
  const IpAddress somewhere = *IpAddress::parse("fe80::1");
  EXPECT_TRUE(somewhere.needs_zone());
  EXPECT_EQ(somewhere.zone(), 0U);
  const IpAddress second = *IpAddress::parse("fe80::1%2");
  EXPECT_EQ(second.zone(), 2U);
  EXPECT_EQ(second, somewhere.in_zone(2));
  EXPECT_EQ(second.to_string(), "fe80::1%2");
  EXPECT_NE(second, somewhere);
  EXPECT_NE(second, somewhere.in_zone(3));
  EXPECT_LT(second, somewhere.in_zone(3));
  EXPECT_TRUE(IpAddress::parse("febf::1")->needs_zone());
}

TEST(IpAddress, OthersHaveNoZone) {
  for (const char* text : {"192.0.2.1", "169.254.0.1", "2001:db8::1", "fec0::1", "fe7f::1", "::"}) {
    const IpAddress address = *IpAddress::parse(text);
    EXPECT_FALSE(address.needs_zone()) << text;
    EXPECT_EQ(address.in_zone(2), address) << text;
  }
}

TEST(SocketAddress, ParsesAndPrints) {
  for (const char* text : {"192.0.2.1:443", "[fe80::1%7]:443", "[2001:db8::1]:8443", "0.0.0.0:0", "[::]:65535"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(SocketAddress::parse("192.0.2.1:443")->port, 443);
}

TEST(SocketAddress, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":", ":443", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:4x", "192.0.2.1: 443",
        "2001:db8::1:443", "[192.0.2.1]:443", "[2001:db8::1:443", "[]:443", "[:443", "]:443"}) {
    EXPECT_FALSE(SocketAddress::parse(text)) << text;
  }
}

TEST(FourTuple, ComparesAllOfIt) {
  const FourTuple tuple{*SocketAddress::parse("192.0.2.1:1"), *SocketAddress::parse("192.0.2.2:2")};
  FourTuple rebound = tuple;
  EXPECT_EQ(tuple, rebound);
  rebound.remote.port = 3;
  EXPECT_NE(tuple, rebound);
  const FourTuple link{*SocketAddress::parse("[fe80::1%2]:1"), *SocketAddress::parse("[fe80::2%2]:1")};
  FourTuple other_link = link;
  other_link.local.ip = link.local.ip.in_zone(3);
  EXPECT_NE(link, other_link);
}

TEST(ByteViews, ConvertTextBothWays) {
  EXPECT_EQ(as_text(as_bytes("hello")), "hello");
  EXPECT_TRUE(as_bytes("").empty());
  EXPECT_EQ(u8(as_bytes("A"))[0], 'A');
}

}  // namespace
}  // namespace mpquic
