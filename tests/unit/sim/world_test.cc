#include "sim/network/world.h"

#include <gtest/gtest.h>

#include <vector>

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;

struct Received {
  FourTuple tuple;
  std::vector<std::byte> bytes;
  Instant at;
};

class Recorder final : public Receiver {
 public:
  explicit Recorder(World& world) : world_(world) {}
  void on_packet(const ReceivedTrain& train) override {
    received.push_back({train.tuple, {train.bytes.begin(), train.bytes.end()}, world_.now()});
  }
  std::vector<Received> received;

 private:
  World& world_;
};

std::vector<PathConfig> two_paths() {
  std::vector<PathConfig> paths(2);
  paths[0].name = "a";
  paths[1].name = "b";
  paths[1].up.delay = paths[1].down.delay = milliseconds(30);
  return paths;
}

class WorldTest : public testing::Test {
 protected:
  WorldTest() {
    world.attach(Role::client, client);
    world.attach(Role::server, server);
  }
  void run() {
    while (const auto event = world.events().pop()) ASSERT_TRUE(world.dispatch(*event));
  }
  std::optional<TransmitFailure> send(Role from, const FourTuple& tuple, std::size_t size, std::size_t segment) {
    return world.send(from, {.tuple = tuple, .ecn = Ecn::ect0, .size = size, .segment_size = segment},
                      std::vector<std::byte>(size, std::byte{7}));
  }
  static FourTuple reversed(const FourTuple& tuple) { return {.local = tuple.remote, .remote = tuple.local}; }

  World world{two_paths(), 1};
  Recorder client{world};
  Recorder server{world};
};

TEST_F(WorldTest, CutsTrainsIntoDatagrams) {
  ASSERT_FALSE(send(Role::client, world.client_tuple(0), 2500, 1200));
  run();
  ASSERT_EQ(server.received.size(), 3u);
  EXPECT_EQ(server.received[0].bytes.size(), 1200u);
  EXPECT_EQ(server.received[2].bytes.size(), 100u);
}

TEST_F(WorldTest, TheTupleChoosesThePath) {
  ASSERT_FALSE(send(Role::client, world.client_tuple(1), 100, 100));
  ASSERT_FALSE(send(Role::client, world.client_tuple(0), 100, 100));
  run();
  ASSERT_EQ(server.received.size(), 2u);
  EXPECT_EQ(server.received[0].tuple, reversed(world.client_tuple(0)));
  EXPECT_EQ(server.received[1].tuple, reversed(world.client_tuple(1)));
  EXPECT_GT(server.received[1].at - server.received[0].at, milliseconds(15));
}

TEST_F(WorldTest, AnswersFindTheirWayBack) {
  ASSERT_FALSE(send(Role::client, world.client_tuple(1), 100, 100));
  run();
  ASSERT_FALSE(send(Role::server, server.received[0].tuple, 100, 100));
  run();
  ASSERT_EQ(client.received.size(), 1u);
  EXPECT_EQ(client.received[0].tuple, world.client_tuple(1));
}

TEST_F(WorldTest, NobodyAnswersForAnUnknownAddress) {
  FourTuple tuple = world.client_tuple(0);
  tuple.local.ip = IpAddress::v4({1, 2, 3, 4});
  EXPECT_FALSE(send(Role::client, tuple, 100, 100));
  EXPECT_FALSE(send(Role::server, reversed(world.client_tuple(0)), 100, 100));  // no flow was ever there
  EXPECT_EQ(world.unroutable(), 2u);
}

TEST_F(WorldTest, RebindingChangesWhatTheServerSees) {
  ASSERT_FALSE(send(Role::client, world.client_tuple(0), 100, 100));
  run();
  const FourTuple before = server.received[0].tuple;
  world.rebind(0);
  EXPECT_FALSE(send(Role::server, before, 100, 100));  // the old outside address leads nowhere now
  EXPECT_EQ(world.unroutable(), 1u);
  ASSERT_FALSE(send(Role::client, world.client_tuple(0), 100, 100));
  run();
  const FourTuple after = server.received[1].tuple;
  EXPECT_NE(after.remote, before.remote);
  ASSERT_FALSE(send(Role::server, after, 100, 100));
  run();
  ASSERT_EQ(client.received.size(), 1u);
  EXPECT_EQ(client.received[0].tuple, world.client_tuple(0));  // the client's own view never changes
}

TEST_F(WorldTest, RebindingLeavesOtherPathsAlone) {
  ASSERT_FALSE(send(Role::client, world.client_tuple(1), 100, 100));
  world.rebind(0);
  run();
  EXPECT_FALSE(send(Role::server, server.received[0].tuple, 100, 100));
  run();
  EXPECT_EQ(client.received.size(), 1u);
}

TEST_F(WorldTest, AnInterfaceThatIsDownTellsTheClient) {
  world.set_interface_up(0, false);
  EXPECT_EQ(send(Role::client, world.client_tuple(0), 100, 100), TransmitFailure::unreachable);
  EXPECT_FALSE(send(Role::client, world.client_tuple(1), 100, 100));
  world.set_interface_up(0, true);
  EXPECT_FALSE(send(Role::client, world.client_tuple(0), 100, 100));
}

TEST_F(WorldTest, ASilentDeathTellsNobody) {
  world.set_link_up(0, Direction::up, false);
  EXPECT_FALSE(send(Role::client, world.client_tuple(0), 100, 100));
  run();
  EXPECT_TRUE(server.received.empty());
}

std::vector<PathConfig> behind_nat(const NatConfig& nat) {
  auto paths = two_paths();
  paths[0].nat = nat;
  return paths;
}

/// A world with one path's NAT as asked, after one packet of the client.
class NatBench {
 public:
  explicit NatBench(const NatConfig& nat) : world(behind_nat(nat), 1) {
    world.attach(Role::client, client);
    world.attach(Role::server, server);
    send(Role::client, world.client_tuple(0));
  }
  void send(Role from, const FourTuple& tuple) {
    const std::vector<std::byte> bytes(100);
    EXPECT_FALSE(world.send(from, {.tuple = tuple, .size = 100, .segment_size = 100}, bytes));
    while (const auto event = world.events().pop()) static_cast<void>(world.dispatch(*event));
  }
  void wait(Duration time) {
    world.events().post(world.now() + time, {});
    static_cast<void>(world.events().pop());
  }
  World world;
  Recorder client{world};
  Recorder server{world};
};

TEST(Nat, AFilterThatDependsOnTheEndpointRefusesStrangers) {
  for (const NatFilter filter : {NatFilter::endpoint_independent, NatFilter::endpoint_dependent}) {
    NatBench bench({.filter = filter, .idle_timeout = {}});
    FourTuple stranger = bench.server.received[0].tuple;
    ++stranger.local.port;
    bench.send(Role::server, stranger);
    EXPECT_EQ(bench.client.received.size(), filter == NatFilter::endpoint_independent ? 1u : 0u);
    EXPECT_EQ(bench.world.unroutable(), filter == NatFilter::endpoint_independent ? 0u : 1u);
    bench.send(Role::server, bench.server.received[0].tuple);
    EXPECT_EQ(bench.client.received.back().tuple, bench.world.client_tuple(0));
  }
}

TEST(Nat, ABindingThatIsIdleForTooLongIsGone) {
  NatBench bench({.filter = NatFilter::endpoint_independent, .idle_timeout = std::chrono::seconds(30)});
  const FourTuple before = bench.server.received[0].tuple;
  bench.wait(std::chrono::seconds(29));
  bench.send(Role::server, before);  // keeps it alive
  bench.wait(std::chrono::seconds(29));
  bench.send(Role::server, before);
  EXPECT_EQ(bench.client.received.size(), 2u);
  bench.wait(std::chrono::seconds(31));
  bench.send(Role::server, before);
  EXPECT_EQ(bench.world.unroutable(), 1u);
  bench.send(Role::client, bench.world.client_tuple(0));
  EXPECT_NE(bench.server.received.back().tuple.remote, before.remote);
}

TEST(World, TooBigIsAnErrorOfTheSendOnceTheSenderHasHeard) {
  auto paths = two_paths();
  paths[0].up.mtu = 1300;
  for (const bool signal : {false, true}) {
    paths[0].up.mtu_signal = signal;
    World world(paths, 1);
    Recorder recorder(world);
    world.attach(Role::client, recorder);
    world.attach(Role::server, recorder);
    const auto send = [&](std::size_t size) {
      const std::vector<std::byte> bytes(size);
      return world.send(Role::client, {.tuple = world.client_tuple(0), .size = size, .segment_size = size}, bytes);
    };
    const auto wait = [&](Duration time) {
      world.events().post(world.now() + time, {});
      while (const auto event = world.events().pop()) static_cast<void>(world.dispatch(*event));
    };
    EXPECT_FALSE(send(1400));
    wait(milliseconds(5));
    EXPECT_FALSE(send(1400));
    wait(milliseconds(50));
    EXPECT_EQ(send(1400).has_value(), signal);
    EXPECT_FALSE(send(1200));
    wait(milliseconds(50));
    EXPECT_EQ(recorder.received.size(), 1u);
  }
}

TEST(World, AnotherMtuIsLearntAnew) {
  auto paths = two_paths();
  paths[0].up.mtu = 1300;
  paths[0].up.mtu_signal = true;
  World signals(paths, 1, {.largest_mtu = 1600});
  Recorder recorder(signals);
  signals.attach(Role::server, recorder);
  const auto send = [&](std::size_t size) {
    const std::vector<std::byte> bytes(size);
    const auto failure =
        signals.send(Role::client, {.tuple = signals.client_tuple(0), .size = size, .segment_size = size}, bytes);
    signals.events().post(signals.now() + milliseconds(50), {});
    while (const auto event = signals.events().pop()) static_cast<void>(signals.dispatch(*event));
    return failure;
  };
  EXPECT_FALSE(send(1400));
  EXPECT_EQ(send(1400), TransmitFailure::too_big);
  signals.set_mtu(0, Direction::up, 1600);
  EXPECT_FALSE(send(1572));
  ASSERT_EQ(recorder.received.size(), 1u);
  EXPECT_EQ(recorder.received[0].bytes.size(), 1572u);
  signals.set_mtu(0, Direction::up, 1280);
  EXPECT_FALSE(send(1400)) << "nobody knows of it yet";
  EXPECT_EQ(send(1400), TransmitFailure::too_big);
}

TEST_F(WorldTest, AHeldLinkLetsEverythingGoWhenItIsUp) {
  world.set_link_held(0, Direction::up, true);
  world.set_link_held(0, Direction::up, true);  // no deeper
  for (int i = 0; i < 5; ++i) ASSERT_FALSE(send(Role::client, world.client_tuple(0), 1200, 1200));
  run();
  EXPECT_TRUE(server.received.empty());
  world.set_link_up(0, Direction::up, true);
  run();
  EXPECT_EQ(server.received.size(), 5u);
}

TEST(World, AHeldLinkHoldsItsBottleneck) {
  auto paths = two_paths();
  for (PathConfig& path : paths) path.up.shared_bottleneck = 0;
  CommonConfig common;
  common.bottlenecks.resize(1);
  World world(paths, 1, common);
  Recorder server(world);
  world.attach(Role::server, server);
  const std::vector<std::byte> bytes(1200);
  const auto run = [&] {
    while (const auto event = world.events().pop()) ASSERT_TRUE(world.dispatch(*event));
  };
  world.set_link_held(0, Direction::up, true);
  EXPECT_FALSE(world.send(Role::client, {.tuple = world.client_tuple(1), .size = 1200, .segment_size = 1200}, bytes));
  run();
  EXPECT_TRUE(server.received.empty());
  world.set_link_held(0, Direction::up, false);
  run();
  EXPECT_EQ(server.received.size(), 1u);
}

TEST_F(WorldTest, WithoutBuffersPacketsAreLostAndNobodyIsTold) {
  world.fail_sends(Role::client, 0, std::nullopt, Instant{} + milliseconds(10));
  EXPECT_FALSE(send(Role::client, world.client_tuple(0), 1200, 1200));
  EXPECT_FALSE(send(Role::client, world.client_tuple(1), 1200, 1200));
  run();
  EXPECT_EQ(server.received.size(), 1u);
  EXPECT_FALSE(send(Role::client, world.client_tuple(0), 1200, 1200));
  run();
  EXPECT_EQ(server.received.size(), 2u);
}

TEST(World, PathsOfAFailureGroupFailTogether) {
  CommonConfig common;
  common.groups.push_back(
      {.outage = {.mode = OutageMode::drop,
                  .when = {.first = milliseconds(100), .least = milliseconds(50), .most = milliseconds(50)}},
       .paths = {0, 1}});
  World world(two_paths(), 1, common);
  const auto up = [&] {
    return world.link(0, Direction::up).up() + world.link(0, Direction::down).up() + world.link(1, Direction::up).up() +
           world.link(1, Direction::down).up();
  };
  EXPECT_EQ(up(), 4);
  static_cast<void>(world.dispatch(*world.events().pop()));
  EXPECT_EQ(world.now(), Instant{} + milliseconds(100));
  EXPECT_EQ(up(), 0);
  static_cast<void>(world.dispatch(*world.events().pop()));
  EXPECT_EQ(world.now(), Instant{} + milliseconds(150));
  EXPECT_EQ(up(), 4);
  EXPECT_TRUE(world.events().empty());
}

TEST(World, LinksCanShareABottleneck) {
  auto paths = two_paths();
  CommonConfig common;
  common.bottlenecks.push_back({.rate = Bandwidth::from_bits_per_second(8'000'000), .queue = ByteCount(1'000'000)});
  paths[0].up.shared_bottleneck = paths[1].up.shared_bottleneck = 0;
  World world(paths, 1, common);
  Recorder client(world);
  Recorder server(world);
  world.attach(Role::client, client);
  world.attach(Role::server, server);
  const std::vector<std::byte> bytes(972);  // 1 ms
  for (int i = 0; i < 10; ++i)
    for (std::size_t path = 0; path < 2; ++path)
      EXPECT_FALSE(
          world.send(Role::client, {.tuple = world.client_tuple(path), .size = 972, .segment_size = 972}, bytes));
  while (const auto event = world.events().pop()) static_cast<void>(world.dispatch(*event));
  ASSERT_EQ(server.received.size(), 20u);
  EXPECT_EQ(server.received.back().at, Instant{} + milliseconds(20 + 30));
  EXPECT_EQ(world.packets_held(), 0u);
}

TEST(World, TheTraceHashDependsOnTimeTupleAndBytes) {
  const auto hash_of = [](auto&& act) {
    World world(two_paths(), 1);
    Recorder recorder(world);
    world.attach(Role::client, recorder);
    world.attach(Role::server, recorder);
    act(world);
    while (const auto event = world.events().pop()) static_cast<void>(world.dispatch(*event));
    return world.trace_hash();
  };
  const auto one = [](std::size_t path, std::byte content, Duration wait) {
    return [=](World& world) {
      world.events().post(Instant{} + wait, {});
      static_cast<void>(world.events().pop());
      const std::vector<std::byte> bytes(100, content);
      static_cast<void>(
          world.send(Role::client, {.tuple = world.client_tuple(path), .size = 100, .segment_size = 100}, bytes));
    };
  };
  const auto reference = hash_of(one(0, std::byte{1}, milliseconds(1)));
  EXPECT_EQ(hash_of(one(0, std::byte{1}, milliseconds(1))), reference);
  EXPECT_NE(hash_of(one(1, std::byte{1}, milliseconds(1))), reference);
  EXPECT_NE(hash_of(one(0, std::byte{2}, milliseconds(1))), reference);
  EXPECT_NE(hash_of(one(0, std::byte{1}, milliseconds(2))), reference);
}

}  // namespace
}  // namespace mpquic::sim
