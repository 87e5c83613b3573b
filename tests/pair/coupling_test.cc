// Coupled congestion control over real paths: what it decides can be seen in traces.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

/// Keeps the CouplingUpdated events of the client.
class CouplingWatch final : public trace::SinkFactory {
 public:
  [[nodiscard]] std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId&) override {
    return role == Role::client ? std::make_unique<Recorder>(seen) : nullptr;
  }
  [[nodiscard]] std::vector<trace::CouplingUpdated> of(PathId path) const {
    std::vector<trace::CouplingUpdated> out;
    std::ranges::copy_if(seen, std::back_inserter(out), [&](const auto& event) { return event.path == path; });
    return out;
  }
  std::vector<trace::CouplingUpdated> seen;

 private:
  class Recorder final : public trace::Sink {
   public:
    explicit Recorder(std::vector<trace::CouplingUpdated>& seen) : seen_(seen) {}
    void on_event(const trace::Event& event, Instant) override {
      if (const auto* coupling = trace::event_if<trace::CouplingUpdated>(event)) seen_.push_back(*coupling);
    }

   private:
    std::vector<trace::CouplingUpdated>& seen_;
  };
};

/// Two paths upwards of which the second takes 20 ms longer; every hundredth datagram is lost.
void transfer_over_two_paths(std::string_view congestion_control, CouplingWatch& watch) {
  PairOptions options{.client = {}, .server = {}, .suites = {}, .qlog = false};
  options.client.connection.congestion_control = congestion_control;
  options.client.trace = &watch;
  Pair pair(std::move(options));
  std::size_t count = 0;
  pair.filter = [&](InFlight& datagram) {
    if (datagram.to_server && datagram.tuple.remote == Pair::client_address(1)) datagram.arrives += 20ms;
    return !datagram.to_server || ++count % 100 != 0;
  };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  ASSERT_TRUE(pair.transfer(false, 4'000'000));
}

TEST(CouplingTrace, OliaSaysWhenAPathsAlphaHasChanged) {
  CouplingWatch watch;
  transfer_over_two_paths("olia", watch);
  for (const PathId path : {PathId{0}, PathId{1}}) {
    const auto events = watch.of(path);
    ASSERT_GE(events.size(), 3U);
    for (const trace::CouplingUpdated& event : events) {
      EXPECT_EQ(event.algorithm, "olia");
      EXPECT_GT(event.total_window, ByteCount{});
    }
    for (std::size_t i = 1; i < events.size(); ++i)
      EXPECT_NE(events[i].alpha_millionths, events[i - 1].alpha_millionths) << "only changes are traced";
  }
  // With two paths, alpha is 1/2 for a better path with the smaller window, -1/2 for the other, or 0.
  for (const std::int64_t alpha : {-500'000, 0, 500'000})
    EXPECT_TRUE(std::ranges::any_of(watch.seen, [=](const auto& event) { return event.alpha_millionths == alpha; }))
        << alpha;
}

TEST(CouplingTrace, UncoupledControllersHaveNothingToSay) {
  CouplingWatch watch;
  transfer_over_two_paths("cubic", watch);
  EXPECT_TRUE(watch.seen.empty());
}

}  // namespace
}  // namespace mpquic::test
