// The life of paths within one connection: failover, abandonment, status, migration, rebinding (draft-21 §3).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

bool uses(const InFlight& datagram, std::uint8_t i) {
  return datagram.tuple.remote == Pair::client_address(i) || datagram.tuple.local == Pair::client_address(i);
}

TEST(Paths, ASilentDeathIsSurvivedAndTheStallIsShort) {
  for (const std::uint8_t victim : {std::uint8_t{0}, std::uint8_t{1}}) {
    Pair pair;
    ASSERT_TRUE(pair.connect());
    ASSERT_TRUE(pair.open_paths(2));
    int seen = 0;
    pair.filter = [&](InFlight& d) { return ++seen < 200 || !uses(d, victim); };
    EXPECT_TRUE(pair.transfer(false, 2'000'000));
    const auto failures = pair.events_of<PathChanged>(false);
    EXPECT_TRUE(std::ranges::any_of(
        failures, [&](const PathChanged& e) { return e.change == PathChange::failed && e.id == PathId{victim}; }));
  }
}

TEST(Paths, AFailedPathComesBack) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  bool dead = true;
  pair.filter = [&](InFlight& d) { return !dead || !uses(d, 1); };
  EXPECT_TRUE(pair.transfer(false, 500'000));
  dead = false;
  const auto recovered = [&] {
    const auto events = pair.events_of<PathChanged>(false);
    return std::ranges::any_of(events, [](const PathChanged& e) { return e.change == PathChange::recovered; });
  };
  EXPECT_TRUE(pair.run_until(recovered, 30s));
  EXPECT_TRUE(pair.transfer(false, 1'000'000));
}

TEST(Paths, AbandonedPathsDataIsRequeuedAndTheIdNeverReused) {  // digest 38, 41, 45
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(3));
  int seen = 0;
  pair.filter = [&](InFlight&) {
    if (++seen == 100)
      pair.client->abandon_path(pair.client_handle, PathId{1}, error::kApplicationAbandonPath, pair.now);
    return true;
  };
  EXPECT_TRUE(pair.transfer(false, 1'000'000));
  pair.run_for(5s);
  ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(5), pair.now));
  ASSERT_TRUE(pair.run_until([&] {
    const auto paths = pair.paths(false);
    return paths.size() == 4 && paths.back().validated;
  }));
  EXPECT_EQ(pair.paths(false).back().id, PathId{3});
  EXPECT_TRUE(pair.transfer(true, 1'000'000));
  EXPECT_EQ(pair.unexpected_drops(), "");
}

TEST(Paths, ServerAbandonsToo) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.server->abandon_path(pair.server_handle, PathId{0}, error::kPathUnstableOrPoor, pair.now);
  EXPECT_TRUE(pair.transfer(false, 500'000));
  EXPECT_TRUE(pair.transfer(true, 500'000));
}

TEST(Paths, TheLastPathAbandonedEndsTheConnection) {  // digest 43
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.client->abandon_path(pair.client_handle, PathId{0}, error::kNoError, pair.now);
  pair.client->abandon_path(pair.client_handle, PathId{1}, error::kNoError, pair.now);
  EXPECT_TRUE(pair.run_until([&] {
    return !pair.events_of<ConnectionClosed>(false).empty() && !pair.events_of<ConnectionClosed>(true).empty();
  }));
}

TEST(Paths, BackupPathsStayIdleWhileAnotherWorks) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.client->set_path_status(pair.client_handle, PathId{1}, false);
  pair.run_for(100ms);
  const auto before = pair.paths(false)[1].stream_bytes_sent;
  EXPECT_TRUE(pair.transfer(false, 1'000'000));
  EXPECT_EQ(pair.paths(false)[1].stream_bytes_sent, before);
  // The peer honours it too (draft-21 §3.3).
  const auto server_before = pair.paths(true)[1].stream_bytes_sent;
  EXPECT_TRUE(pair.transfer(true, 1'000'000));
  EXPECT_EQ(pair.paths(true)[1].stream_bytes_sent, server_before);
}

TEST(Paths, NatRebindingMovesTheTupleAndKeepsThePath) {  // digest 28, 29
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  ASSERT_TRUE(pair.transfer(false, 200'000));
  const SocketAddress before = Pair::client_address(1);
  const SocketAddress after{before.ip, 50'001};
  pair.filter = [&](InFlight& d) {
    if (d.to_server && d.tuple.remote == before) d.tuple.remote = after;
    if (!d.to_server && d.tuple.remote == Pair::server_address() && d.tuple.local == after) d.tuple.local = before;
    return true;
  };
  EXPECT_TRUE(pair.transfer(false, 1'000'000));
  EXPECT_TRUE(pair.transfer(true, 1'000'000));
  const auto paths = pair.paths(true);
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(paths[1].tuple.remote, after);
  EXPECT_TRUE(paths[1].validated);
}

TEST(Paths, ClientMigratesAPathToAnotherAddress) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, PathId{0}, Pair::client_address(4), pair.now));
  const auto migrated = [&] {
    const auto events = pair.events_of<PathChanged>(false);
    return std::ranges::any_of(events, [](const PathChanged& e) { return e.change == PathChange::migrated; });
  };
  ASSERT_TRUE(pair.run_until(migrated));
  EXPECT_TRUE(pair.transfer(false, 500'000));
  EXPECT_TRUE(pair.transfer(true, 500'000));
  EXPECT_EQ(pair.paths(true)[0].tuple.remote, Pair::client_address(4));
}

TEST(Paths, WithoutMultipathAPathRequestIsRefusedWithAReason) {  // digest 1; lessons 13
  PairOptions options;
  options.server.connection.multipath = false;
  Pair pair(options);
  ASSERT_TRUE(pair.client->open_path(pair.start(), Pair::tuple(1), pair.now));
  const auto refused = [&] {
    const auto events = pair.events_of<PathChanged>(false);
    return std::ranges::any_of(
        events, [](const PathChanged& e) { return e.change == PathChange::refused && !e.reason.empty(); });
  };
  EXPECT_TRUE(pair.run_until(refused));
  EXPECT_TRUE(pair.transfer(false, 100'000));
  EXPECT_FALSE(pair.client->stats(pair.client_handle).multipath);
}

TEST(Paths, ARefusalNamesWhatWasAskedForAndNoOtherPath) {
  PairOptions options;
  options.server.connection.multipath = false;
  Pair pair(options);
  ASSERT_TRUE(pair.client->open_path(pair.start(), Pair::tuple(1), pair.now));
  const auto refusals = [&] {
    auto events = pair.events_of<PathChanged>(false);
    std::erase_if(events, [](const PathChanged& e) { return e.change != PathChange::refused; });
    return events;
  };
  ASSERT_TRUE(pair.run_until([&] { return refusals().size() == 1; }));
  EXPECT_EQ(refusals()[0].id, std::nullopt) << "it never had one";
  EXPECT_EQ(refusals()[0].tuple, Pair::tuple(1));
  // A move that fails is about a path that exists, and about the address that it did not reach.
  pair.filter = [](InFlight& d) { return !uses(d, 2); };
  ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, PathId{0}, Pair::client_address(2), pair.now));
  ASSERT_TRUE(pair.run_until([&] { return refusals().size() == 2; }));
  EXPECT_EQ(refusals()[1].id, PathId{0});
  EXPECT_EQ(refusals()[1].tuple, Pair::tuple(2));
}

TEST(Paths, AKeepAliveSurvivesThePathsThatDieUnderIt) {  // RFC 9000 §10.1.2; draft-21 §5.9
  // Which of three paths die, in which directions; one lives.
  struct Deaths {
    std::array<bool, 3> dead;
    bool up = true;
    bool down = true;
  };
  for (const Deaths& deaths :
       {Deaths{.dead = {true, false, false}}, Deaths{.dead = {true, true, false}}, Deaths{.dead = {true, false, true}},
        Deaths{.dead = {true, true, false}, .down = false}, Deaths{.dead = {true, true, false}, .up = false}}) {
    PairOptions options;
    for (EndpointConfig* side : {&options.client, &options.server}) side->connection.idle_timeout = 5s;
    options.client.connection.keep_alive = 1s;
    Pair pair(options);
    ASSERT_TRUE(pair.connect());
    ASSERT_TRUE(pair.open_paths(3));
    ASSERT_TRUE(pair.transfer(false, 100'000));
    pair.run_for(3s);
    pair.filter = [&](InFlight& d) {
      for (std::uint8_t i = 0; i < deaths.dead.size(); ++i)
        if (deaths.dead[i] && uses(d, i) && (d.to_server ? deaths.up : deaths.down)) return false;
      return true;
    };
    pair.run_for(60s);
    EXPECT_EQ(pair.client->connection_count(), 1U);
    EXPECT_EQ(pair.server->connection_count(), 1U);
    const std::size_t before = pair.datagrams_sent;
    pair.run_for(60s);
    EXPECT_LT(pair.datagrams_sent - before, 400U) << "and costs a few packets a second";
    EXPECT_TRUE(pair.transfer(false, 100'000));
  }
}

TEST(Paths, AKeepAliveFasterThanARoundTripStillFindsTheLivePath) {
  PairOptions options;
  options.delay = 150ms;
  options.client.connection.idle_timeout = 3s;
  options.client.connection.keep_alive = 100ms;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(3s);
  pair.filter = [&](InFlight& d) { return !uses(d, 0); };
  pair.run_for(30s);
  EXPECT_EQ(pair.client->connection_count(), 1U);
  const auto failures = pair.events_of<PathChanged>(false);
  EXPECT_TRUE(std::ranges::any_of(failures, [](const PathChanged& e) { return e.change == PathChange::failed; }));
}

TEST(Paths, AsManyAsThereCanBeAreOpenedTogether) {  // draft-21 §7.2: a server validates only some of them at a time
  PairOptions options;
  options.client.connection.max_paths = options.server.connection.max_paths = PathManager::kMaxOpenPaths;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  pair.run_for(1s);  // connection IDs for all of them
  const auto validated = [&](bool of_server) {
    return std::ranges::count_if(pair.paths(of_server), &PathStats::validated);
  };
  for (std::uint8_t i = 1; i < PathManager::kMaxOpenPaths; ++i)
    ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(i), pair.now));
  pair.run_for(1ms);
  const Duration round_trip = 2 * options.delay;
  EXPECT_TRUE(pair.run_until([&] { return validated(false) == PathManager::kMaxOpenPaths; }, round_trip + 1ms));
  const auto turns = (PathManager::kMaxOpenPaths + PathManager::kMaxConcurrentValidations - 1) /
                     PathManager::kMaxConcurrentValidations;
  EXPECT_TRUE(pair.run_until([&] { return validated(true) == PathManager::kMaxOpenPaths; }, turns * round_trip + 1ms));
  EXPECT_TRUE(pair.transfer(true, 2'000'000));
  EXPECT_EQ(pair.unexpected_drops(), "");
}

TEST(Paths, ManyOpenedAndAbandonedOneAfterAnother) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  for (std::uint32_t round = 1; round <= 30; ++round) {
    ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(static_cast<std::uint8_t>(round)), pair.now));
    ASSERT_TRUE(pair.run_until([&] {
      const auto paths = pair.paths(false);
      return paths.back().id.value() == round && paths.back().validated;
    })) << round;
    pair.client->abandon_path(pair.client_handle, PathId{round}, error::kApplicationAbandonPath, pair.now);
    pair.run_for(1s);
  }
  EXPECT_TRUE(pair.transfer(false, 100'000));
}

}  // namespace
}  // namespace mpquic::test
