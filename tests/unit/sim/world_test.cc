#include "sim/world.h"

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
  world.link(0, Direction::up).set_up(false);
  EXPECT_FALSE(send(Role::client, world.client_tuple(0), 100, 100));
  run();
  EXPECT_TRUE(server.received.empty());
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
