// Goals of coupled congestion control (RFC 6356 §1), in a fluid model: a connection takes no more than one flow would
// where its paths meet, and moves away from where others suffer.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "stack/base/rng.h"
#include "stack/cc/coupled.h"
#include "stack/cc/lia.h"
#include "stack/cc/olia.h"
#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

constexpr std::uint64_t kLineBytesPerSecond = 2'400'000;

/// Flows through lines of equal capacity, in steps of 10 ms. A line that is offered more than it carries drops one
/// packet per step, and each of its flows is hit with the probability of its share.
class Fluid {
 public:
  explicit Fluid(std::size_t lines) : lines_(lines) {}

  std::size_t add(std::string_view cc, std::size_t line, Duration rtt, CouplingGroup& group) {
    flows_.push_back(Flow{make_congestion_controller(cc, kDatagram, group), line, rtt});
    return flows_.size() - 1;
  }
  void run(Duration time) {
    for (const Instant end = now_ + time; now_ < end; now_ += kStep) {
      for (Flow& flow : flows_) acknowledge_step(flow);
      for (std::size_t line = 0; line < lines_; ++line) drop_if_overloaded(line);
    }
  }
  void forget_the_beginning() {
    for (Flow& flow : flows_) flow.carried = 0;
  }
  [[nodiscard]] double carried(std::size_t flow) const { return static_cast<double>(flows_[flow].carried); }

 private:
  struct Flow {
    std::unique_ptr<CongestionController> controller;
    std::size_t line;
    Duration rtt;
    std::uint64_t carried = 0;
  };
  static constexpr Duration kStep = milliseconds(10);

  static std::uint64_t bytes_per(Duration time, const Flow& flow) {
    return flow.controller->window().value() * static_cast<std::uint64_t>(time / microseconds(1)) /
           static_cast<std::uint64_t>(flow.rtt / microseconds(1));
  }
  void acknowledge_step(Flow& flow) {
    const std::uint64_t bytes = bytes_per(kStep, flow);
    flow.carried += bytes;
    acknowledge(*flow.controller, {.now = now_, .bytes = bytes, .sent = now_ - flow.rtt, .rtt = flow.rtt});
  }
  void drop_if_overloaded(std::size_t line) {
    std::uint64_t offered = 0;
    for (const Flow& flow : flows_) offered += flow.line == line ? bytes_per(seconds(1), flow) : 0;
    if (offered <= kLineBytesPerSecond) return;
    std::uint64_t hit = rng_.next() % offered;
    for (Flow& flow : flows_) {
      const std::uint64_t rate = flow.line == line ? bytes_per(seconds(1), flow) : 0;
      if (hit < rate) return lose(*flow.controller, now_ - flow.rtt, now_);
      hit -= rate;
    }
  }

  std::size_t lines_;
  std::vector<Flow> flows_;
  SeededRng rng_{3};
  Instant now_ = kStart;
};

/// `contended`: the most that a connection may take of a line which it could avoid. OLIA is the one that pools best.
struct Goal {
  std::string_view cc;
  double contended;
};
class CoupledConnection : public testing::TestWithParam<Goal> {};
INSTANTIATE_TEST_SUITE_P(Names, CoupledConnection,
                         testing::Values(Goal{"lia", 0.38}, Goal{"olia", 0.18}, Goal{"balia", 0.30}),
                         [](const auto& named) { return std::string(named.param.cc); });

/// What a connection of two `cc` flows gets of a line that it shares with one NewReno flow.
double share_beside_reno(std::string_view cc, Duration first_rtt, Duration second_rtt) {
  CouplingGroup group;
  CouplingGroup other;
  Fluid fluid(1);
  const std::size_t first = fluid.add(cc, 0, first_rtt, group);
  const std::size_t second = fluid.add(cc, 0, second_rtt, group);
  const std::size_t reno = fluid.add("new_reno", 0, std::min(first_rtt, second_rtt), other);
  fluid.run(seconds(100));
  fluid.forget_the_beginning();
  fluid.run(seconds(600));
  const double pair = fluid.carried(first) + fluid.carried(second);
  return pair / (pair + fluid.carried(reno));
}

TEST(UncoupledFlows, TakeTwoThirdsOfASharedLine) {  // what the model says about what coupling is to prevent
  EXPECT_NEAR(share_beside_reno("new_reno", milliseconds(50), milliseconds(50)), 2.0 / 3, 0.04);
}

TEST_P(CoupledConnection, TwoPathsTakeNoMoreThanOneFlowOfASharedLine) {  // RFC 6356 §1, goal 2
  const double share = share_beside_reno(GetParam().cc, milliseconds(50), milliseconds(50));
  RecordProperty("permille", static_cast<int>(share * 1000));
  EXPECT_LT(share, 0.56);  // 0.51 to 0.54
  EXPECT_GT(share, 0.46);
}

TEST_P(CoupledConnection, UnequalRttsTakeNoMoreThanOneFlowOnTheBetterPath) {
  const double share = share_beside_reno(GetParam().cc, milliseconds(30), milliseconds(120));
  RecordProperty("permille", static_cast<int>(share * 1000));
  EXPECT_LT(share, 0.53);  // 0.50 to 0.51
  EXPECT_GT(share, 0.44);
}

TEST_P(CoupledConnection, TrafficMovesAwayFromWhereOthersAre) {  // RFC 6356 §1, goal 3
  CouplingGroup group;
  CouplingGroup other;
  Fluid fluid(2);
  const std::size_t contended = fluid.add(GetParam().cc, 0, milliseconds(50), group);
  const std::size_t free = fluid.add(GetParam().cc, 1, milliseconds(50), group);
  const std::size_t reno = fluid.add("new_reno", 0, milliseconds(50), other);
  fluid.run(seconds(100));
  fluid.forget_the_beginning();
  fluid.run(seconds(600));
  const double line = fluid.carried(contended) + fluid.carried(reno);
  RecordProperty("permille", static_cast<int>(fluid.carried(contended) * 1000 / line));
  EXPECT_LT(fluid.carried(contended), GetParam().contended * line) << "uncoupled: half";
  EXPECT_GT(fluid.carried(free), 0.70 * kLineBytesPerSecond * 600) << "goal 1: the free line is used";
}

TEST(Growth, OfAllPathsIsAtMostOneFlowsWhereRttsAreEqual) {
  SeededRng rng(11);
  for (int round = 0; round < 2000; ++round) {
    const auto drawn = [&] {
      return CoupledPath{.window = 2400 + rng.next() % 5'000'000,
                         .rtt = milliseconds(40),
                         .acked_between_losses = rng.next() % 10'000'000};
    };
    const PathSet paths{drawn(), drawn(), drawn(), drawn()};
    Ratio lia_sum = 0;
    Ratio olia_sum = 0;
    Ratio olia_alphas = 0;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      lia_sum += lia::gain(paths.group(), paths[i]);
      olia_sum += olia::gain(paths.group(), paths[i]);
      olia_alphas += olia::alpha(paths.group(), paths[i]);
    }
    ASSERT_LE(lia_sum, kRatioOne);
    ASSERT_LE(olia_sum, kRatioOne);
    ASSERT_EQ(olia_alphas, 0) << "OLIA only moves growth from path to path";
  }
}

}  // namespace
}  // namespace mpquic
