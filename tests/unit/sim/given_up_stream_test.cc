// The scripted events reset_stream and stop_sending: who gives a stream up, who hears of it, and what counts as
// complete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

constexpr std::string_view kPath = "name: one\ncrypto: null\npaths: [{name: a, rate: 2Mbit/s, rtt: 40ms}]\n";

Report run(const std::string& rest) {
  const auto scenario = parse_scenario(std::string(kPath) + rest, "one.yaml");
  EXPECT_TRUE(scenario.has_value()) << scenario.error();
  Report report = Simulation(*scenario, {.seed = 1}).run();
  EXPECT_TRUE(report.completed);
  for (const Violation& violation : report.violations) ADD_FAILURE() << violation.what;
  return report;
}

constexpr const char* kOneStream = "workloads: [{kind: bulk, bytes: 400kB, streams: 4}]\n";
constexpr const char* kRequests =
    "workloads: [{kind: requests, count: 20, concurrency: 4, request: 5kB, response: 20kB}]\n";

TEST(ResetStream, WhatIsGivenUpCountsAsCompleteOnceItsReceiverKnows) {
  const Report whole = run(kOneStream);
  const Report less = run(std::string(kOneStream) + "events: [{at: 300ms, do: reset_stream, nth: 4}]\n");
  EXPECT_EQ(whole.workloads[0].bytes, 400'000U + 4 * FlowHeader::kSize);
  EXPECT_LT(less.workloads[0].bytes, whole.workloads[0].bytes - 50'000);
  EXPECT_LT(less.completion_s, whole.completion_s - 0.2);
}

TEST(ResetStream, NothingHappensWhereThereAreFewerStreams) {
  const Report report = run(std::string(kOneStream) +
                            "events:\n  - {at: 300ms, do: reset_stream, nth: 5}\n"
                            "  - {at: 310ms, do: reset_stream, side: server}\n");
  EXPECT_EQ(report.trace_hash, run(kOneStream).trace_hash);
}

TEST(ResetStream, ARequestThatIsGivenUpIsNotAnswered) {
  const Report whole = run(kRequests);
  const Report less = run(std::string(kRequests) + "events: [{at: 90ms, do: reset_stream}]\n");
  EXPECT_EQ(whole.workloads[0].latency.count, 20U);
  EXPECT_EQ(less.workloads[0].latency.count, 19U);
}

TEST(ResetStream, AServerMayGiveUpItsAnswer) {
  const Report report = run(std::string(kRequests) + "events: [{at: 250ms, do: reset_stream, side: server}]\n");
  EXPECT_EQ(report.workloads[0].latency.count, 19U);
}

TEST(ResetStream, TheResetIsRepeatedUntilItArrives) {
  const Report report = run(std::string(kOneStream) +
                            "events:\n  - {at: 300ms, do: reset_stream, nth: 2}\n"
                            "  - {at: 299ms, do: outage, path: a, for: 400ms}\n");
  EXPECT_GT(report.completion_s, 0.7);
}

TEST(StopSending, StreamsAreCountedInTheOrderOfTheirIds) {
  // A request's stream 0, an upload's 2, another request's 4.
  constexpr const char* kBoth =
      "workloads:\n  - {kind: requests, count: 2, concurrency: 2, request: 200kB, response: 1kB}\n"
      "  - {kind: bulk, bytes: 200kB}\n";
  const Report report = run(std::string(kBoth) + "events: [{at: 300ms, do: stop_sending, nth: 2, side: server}]\n");
  EXPECT_EQ(report.workloads[0].latency.count, 2U);
  EXPECT_LT(report.workloads[1].bytes, 200'000U);
}

TEST(StopSending, WhatTheReceiverWantsNoMoreIsNotSent) {
  const Report whole = run(kOneStream);
  const Report less = run(std::string(kOneStream) + "events: [{at: 300ms, do: stop_sending, nth: 4, side: server}]\n");
  EXPECT_LT(less.workloads[0].bytes, whole.workloads[0].bytes - 50'000);
  EXPECT_LT(less.completion_s, whole.completion_s - 0.2);
}

TEST(StopSending, NothingHappensWhereThereAreFewerStreamsWithData) {
  const std::uint64_t whole = run(kOneStream).trace_hash;
  for (const char* event : {"{at: 300ms, do: stop_sending, nth: 5, side: server}", "{at: 300ms, do: stop_sending}",
                            "{at: 40ms, do: stop_sending, side: server}"})
    EXPECT_EQ(run(std::string(kOneStream) + "events: [" + event + "]\n").trace_hash, whole) << event;
}

TEST(StopSending, AClientMayWantNoAnswer) {
  const Report whole = run(kRequests);
  const Report less = run(std::string(kRequests) + "events: [{at: 250ms, do: stop_sending}]\n");
  EXPECT_EQ(less.workloads[0].latency.count, 19U);
  EXPECT_LT(less.workloads[0].bytes, whole.workloads[0].bytes);
}

TEST(StopSending, ARequestThatIsRefusedIsNotAnswered) {
  const Report report = run(std::string(kRequests) + "events: [{at: 90ms, do: stop_sending, side: server}]\n");
  EXPECT_EQ(report.workloads[0].latency.count, 19U);
  EXPECT_LT(report.workloads[0].bytes, 20 * (5'000U + 20'000U) - 20'000U);
}

TEST(StopSending, ItIsRepeatedUntilItArrives) {
  const std::string stop = "  - {at: 300ms, do: stop_sending, nth: 2, side: server}\n";
  const std::string outage = "  - {at: 299ms, do: outage, path: a, for: 400ms, direction: down}\n";
  const Report heard = run(std::string(kOneStream) + "events:\n" + stop);
  const Report late = run(std::string(kOneStream) + "events:\n" + stop + outage);
  const Report outage_alone = run(std::string(kOneStream) + "events:\n" + outage);
  EXPECT_LT(heard.completion_s, late.completion_s);
  EXPECT_LT(late.completion_s, outage_alone.completion_s - 0.2);
}

TEST(StopSending, BothEndsMayGiveTheSameStreamUp) {
  const Report report = run(std::string(kOneStream) +
                            "events:\n  - {at: 300ms, do: reset_stream, nth: 2}\n"
                            "  - {at: 301ms, do: stop_sending, nth: 2, side: server}\n");
  EXPECT_LT(report.completion_s, run(kOneStream).completion_s);
}

}  // namespace
}  // namespace mpquic::sim
