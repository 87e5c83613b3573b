// A server that listens on two addresses and prefers the second (RFC 9000 §9.6, draft-21 §2.2).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

SocketAddress preferred() { return {IpAddress::v4({192, 0, 2, 99}), 8443}; }

PairOptions with_preferred() {
  PairOptions options;
  options.server.connection.preferred_v4 = preferred();
  return options;
}

std::vector<std::byte> dcid_of(const InFlight& datagram) {  // of a short header
  return {datagram.bytes.begin() + 1, datagram.bytes.begin() + 1 + kLocalCidLength};
}

bool reported(const Pair& pair, PathChange change) {
  const auto events = pair.events_of<PathChanged>(false);
  return std::ranges::any_of(events, [change](const PathChanged& e) { return e.change == change; });
}

TEST(PreferredAddress, PathZeroMovesThereOnAFreshConnectionId) {  // digest 10
  Pair pair(with_preferred());
  bool confirmed = false;
  bool early = false;
  bool other_local = false;
  std::vector<std::vector<std::byte>> before;
  std::vector<std::vector<std::byte>> there;
  pair.filter = [&](InFlight& d) {
    confirmed |= !pair.events_of<HandshakeConfirmed>(true).empty();  // its HANDSHAKE_DONE confirms it for the client
    if (!d.to_server) return true;
    const bool to_preferred = d.tuple.local == preferred();
    early |= to_preferred && !confirmed;
    other_local |= d.tuple.remote != Pair::client_address(0);
    if ((d.bytes[0] & std::byte{0x80}) == std::byte{}) (to_preferred ? there : before).push_back(dcid_of(d));
    return true;
  };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.run_until([&] { return reported(pair, PathChange::migrated); }));
  pair.run_for(100ms);
  EXPECT_TRUE(pair.transfer(false, 300'000));
  EXPECT_TRUE(pair.transfer(true, 300'000));
  EXPECT_FALSE(early);
  EXPECT_FALSE(other_local);
  ASSERT_FALSE(there.empty());
  for (const auto& id : there) EXPECT_EQ(std::ranges::count(before, id), 0) << "linked to the old address";
  const auto client = pair.paths(false);
  ASSERT_EQ(client.size(), 1U);
  EXPECT_EQ(client[0].id, kInitialPath);
  EXPECT_EQ(client[0].tuple, (FourTuple{Pair::client_address(0), preferred()}));
  EXPECT_EQ(pair.paths(true)[0].tuple, (FourTuple{preferred(), Pair::client_address(0)}));
  EXPECT_EQ(pair.unexpected_drops(), "");
}

TEST(PreferredAddress, OneThatDoesNotAnswerChangesNothing) {  // RFC 9000 §9.6.2
  Pair pair(with_preferred());
  int probes = 0;
  pair.filter = [&](InFlight& d) { return d.tuple.local != preferred() || (++probes, false); };
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(pair.transfer(false, 300'000));
  pair.run_for(20s);
  EXPECT_TRUE(pair.transfer(true, 300'000));
  EXPECT_GT(probes, 0);
  EXPECT_LE(probes, 5);
  EXPECT_EQ(pair.paths(false)[0].tuple, Pair::tuple(0));
  EXPECT_FALSE(reported(pair, PathChange::refused)) << "the application asked for nothing";
  EXPECT_FALSE(reported(pair, PathChange::migrated));
  // The path can still move when the application wants it to.
  EXPECT_TRUE(pair.client->migrate_path(pair.client_handle, PathId{0}, Pair::client_address(3), pair.now));
  EXPECT_TRUE(pair.run_until([&] { return reported(pair, PathChange::migrated); }));
}

TEST(PreferredAddress, OfAnotherFamilyIsIgnored) {
  PairOptions options;
  options.server.connection.preferred_v6 = SocketAddress::parse("[2001:db8::1]:443");
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  pair.run_for(1s);
  EXPECT_TRUE(pair.transfer(false, 100'000));
  EXPECT_EQ(pair.paths(false)[0].tuple, Pair::tuple(0));
  EXPECT_FALSE(reported(pair, PathChange::migrated));
}

TEST(PreferredAddress, IsTakenThoughTheHandshakeAddressForbidsMigration) {  // draft-21 §2.2
  PairOptions options = with_preferred();
  options.server.connection.active_migration = false;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.run_until([&] { return reported(pair, PathChange::migrated); }));
  const FourTuple second{Pair::client_address(1), preferred()};
  ASSERT_TRUE(pair.client->open_path(pair.client_handle, second, pair.now));
  EXPECT_TRUE(pair.run_until([&] {
    const auto paths = pair.paths(false);
    return paths.size() == 2 && paths[1].validated;
  }));
  EXPECT_TRUE(pair.transfer(false, 300'000));
}

TEST(PreferredAddress, WithoutOneAForbiddenMigrationIsRefusedAtOnce) {  // RFC 9000 §18.2
  PairOptions options;
  options.server.connection.active_migration = false;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  const auto moved = pair.client->migrate_path(pair.client_handle, PathId{0}, Pair::client_address(3), pair.now);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error(), PathError::migration_disabled);
  pair.run_for(1s);
  EXPECT_EQ(pair.paths(true)[0].tuple.remote, Pair::client_address(0));
}

}  // namespace
}  // namespace mpquic::test
