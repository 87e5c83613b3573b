// Our stack against ngtcp2, both ways round, and either against itself: ngtcp2 to prove the harness, ours over real
// UDP.
#include <gtest/gtest.h>

#include "tests/interop/session.h"

namespace mpquic::interop {
namespace {

using namespace std::chrono_literals;

struct Case {
  Engines engines;
  WireKind wire;
};

std::string name_of(const Engines& engines) {
  const auto name = [](EngineKind kind) { return kind == EngineKind::native ? "mpquic" : "ngtcp2"; };
  return std::string(name(engines.client)) + "_to_" + name(engines.server);
}
void PrintTo(const Case& test_case, std::ostream* out) {
  *out << name_of(test_case.engines) << (test_case.wire == WireKind::udp ? "_over_udp" : "");
}

/// Shows every datagram of a simulated wire to `look`; real ones go by unseen.
void watch(Session& session, Network::Filter look) {
  if (session.network() != nullptr) session.network()->set_filter(std::move(look));
}

class InteropTest : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static Plan make_plan() {
    Plan plan;
    plan.wire = GetParam().wire;
    return plan;
  }
  [[nodiscard]] static const Engines& engines() { return GetParam().engines; }
};

TEST_P(InteropTest, HandshakeNegotiatesTheApplicationProtocolAndFallsBackToPlainQuic) {
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  EXPECT_EQ(session.client_app().handshake().alpn, kAlpn);
  EXPECT_EQ(session.server_app().handshake().alpn, kAlpn);
  // draft-21 §2.1: without initial_max_path_id from both sides there is no multipath.
  const bool both_ours = engines().client == EngineKind::native && engines().server == EngineKind::native;
  EXPECT_EQ(session.client_app().handshake().multipath, both_ours);
  EXPECT_EQ(session.server_app().handshake().multipath, both_ours);
  EXPECT_EQ(session.server_app().accepted(), 1u);
}

// RFC 9000 §8.1.2.
TEST_P(InteropTest, RetryValidatesTheClientsAddressFirst) {
  Plan plan = make_plan();
  plan.server.require_retry = true;
  Session session(engines(), plan);
  std::size_t retries = 0;
  watch(session, [&retries](const FourTuple& tuple, Bytes datagram) {
    retries += tuple.local.port == 443 && (std::to_integer<unsigned>(datagram[0]) & 0xf0) == 0xf0;
    return false;
  });
  ASSERT_TRUE(session.establish());
  EXPECT_EQ(retries, session.network() ? 1u : 0u);
}

// RFC 9000 §6: an unknown version is answered by a list of known ones.
TEST_P(InteropTest, UnknownVersionIsNegotiated) {
  Plan plan = make_plan();
  plan.client.version = 0x1a2a3a4a;
  Session session(engines(), plan);
  std::size_t negotiations = 0;
  watch(session, [&negotiations](const FourTuple& tuple, Bytes datagram) {
    negotiations += tuple.local.port == 443 && datagram[1] == std::byte{0} && datagram[2] == std::byte{0} &&
                    datagram[3] == std::byte{0} && datagram[4] == std::byte{0};
    return false;
  });
  ASSERT_TRUE(session.establish());
  EXPECT_EQ(negotiations, session.network() ? 1u : 0u);
}

TEST_P(InteropTest, ManyStreamsOfBothKindsArriveIntact) {
  constexpr std::uint64_t kSize = 20'000;
  constexpr std::uint64_t kReply = 5'000;
  constexpr int kStreams = 60;
  Plan plan = make_plan();
  plan.reply_bytes = kReply;
  plan.conditions.loss_percent = 2;
  Session session(engines(), plan);
  ASSERT_TRUE(session.establish());
  for (int i = 0; i < kStreams; ++i) {
    ASSERT_TRUE(session.client_app().send(Directionality::bidirectional, kSize));
    ASSERT_TRUE(session.client_app().send(Directionality::unidirectional, kSize));
    ASSERT_TRUE(session.server_app().send(Directionality::unidirectional, kReply));
  }
  EXPECT_TRUE(session.wire().run(
      [&] {
        return session.server_app().intact_streams(kSize) == 2 * kStreams &&
               session.client_app().intact_streams(kReply) == 2 * kStreams;
      },
      60s));
}

// RFC 9000 §4.6: finished streams make room for more than the initial limit.
TEST_P(InteropTest, StreamLimitGrowsAsStreamsFinish) {
  constexpr std::size_t kStreams = 50;
  Plan plan = make_plan();
  plan.reply_bytes = 10;
  plan.server.connection.max_streams_bidi = 5;
  Session session(engines(), plan);
  ASSERT_TRUE(session.establish());
  std::size_t opened = 0;
  EXPECT_TRUE(session.wire().run(
      [&] {
        while (opened < kStreams && session.client_app().send(Directionality::bidirectional, 100)) ++opened;
        return session.client_app().intact_streams(10) == kStreams;
      },
      60s));
}

TEST_P(InteropTest, EmptyStreamCarriesItsFin) {
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  ASSERT_TRUE(session.client_app().send(Directionality::unidirectional, 0));
  EXPECT_TRUE(session.wire().run([&] { return session.server_app().intact_streams(0) == 1; }, 5s));
}

// RFC 9221.
TEST_P(InteropTest, DatagramsArriveBothWays) {
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  const std::vector<std::byte> payload(1000, std::byte{0x5a});
  ASSERT_GE(session.client().transport().max_datagram_payload(session.client_app().connection()), payload.size());
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(session.client().transport().send_datagram(session.client_app().connection(), payload, std::nullopt));
    EXPECT_TRUE(session.server().transport().send_datagram(session.server_app().connection(), payload, std::nullopt));
  }
  EXPECT_TRUE(session.wire().run(
      [&] { return session.server_app().datagrams().size() == 20 && session.client_app().datagrams().size() == 20; },
      5s));
  EXPECT_EQ(session.server_app().datagrams().front(), payload);
}

// RFC 9000 §3.5.
TEST_P(InteropTest, ResetAndStopSendingReachThePeer) {
  constexpr std::uint64_t kEndless = 50'000'000'000;  // no machine is through with it before we stop it
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  const auto id = session.client_app().send(Directionality::bidirectional, kEndless);
  ASSERT_TRUE(id);
  session.wire().run_for(200ms);
  session.server().transport().stop_sending(session.server_app().connection(), *id, 77);
  EXPECT_TRUE(session.wire().run([&] { return session.client_app().stop_error().has_value(); }, 5s));
  const std::uint64_t expected = engines().client == EngineKind::native ? 77 : 0;  // ngtcp2 does not tell
  EXPECT_EQ(session.client_app().stop_error(), expected);

  const auto other = session.client_app().send(Directionality::unidirectional, kEndless);
  ASSERT_TRUE(other);
  session.wire().run_for(200ms);
  session.client().transport().reset_stream(session.client_app().connection(), *other, 78);
  EXPECT_TRUE(session.wire().run([&] { return session.server_app().reset_error() == 78u; }, 5s));
}

// RFC 9001 §6.
TEST_P(InteropTest, KeysAreUpdatedByEitherSideBetweenTransfers) {
  constexpr std::uint64_t kSize = 1'000'000;
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  std::size_t transfers = 0;
  const auto transfer_both_ways = [&] {
    ++transfers;
    return session.client_app().send(Directionality::unidirectional, kSize) &&
           session.server_app().send(Directionality::unidirectional, kSize) &&
           session.wire().run(
               [&] {
                 return session.server_app().intact_streams(kSize) == transfers &&
                        session.client_app().intact_streams(kSize) == transfers;
               },
               20s);
  };
  // The waits: a peer may not update again before three PTOs have passed (RFC 9001 §6.5), and ngtcp2 counts an update
  // when it prepares the next.
  session.wire().run_for(300ms);
  ASSERT_TRUE(transfer_both_ways());
  ASSERT_TRUE(session.client().update_key(session.client_app().connection(), session.wire().now()));
  ASSERT_TRUE(transfer_both_ways());
  session.wire().run_for(500ms);
  ASSERT_TRUE(transfer_both_ways());
  ASSERT_TRUE(session.server().update_key(session.server_app().connection(), session.wire().now()));
  ASSERT_TRUE(transfer_both_ways());
  session.wire().run_for(500ms);
  ASSERT_TRUE(transfer_both_ways());
  EXPECT_GE(session.client().transport().stats(session.client_app().connection()).key_updates, 2u);
  EXPECT_GE(session.server().transport().stats(session.server_app().connection()).key_updates, 2u);
}

// RFC 9000 §9.
TEST_P(InteropTest, ClientMigratesToAnotherAddressDuringATransfer) {
  constexpr std::uint64_t kSize = 4'000'000;
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  ASSERT_TRUE(session.client_app().send(Directionality::unidirectional, kSize));
  ASSERT_TRUE(session.server_app().send(Directionality::unidirectional, kSize));
  session.wire().run_for(20ms);
  ASSERT_TRUE(session.client().migrate(session.client_app().connection(), session.wire().other_client_address(),
                                       session.wire().now()));
  session.wire().run_for(150ms);
  std::size_t old_address = 0;
  watch(session, [&old_address, former = session.wire().client_address()](const FourTuple& tuple, Bytes) {
    old_address += tuple.local == former || tuple.remote == former;
    return false;
  });
  EXPECT_TRUE(session.wire().run(
      [&] {
        return session.server_app().intact_streams(kSize) == 1 && session.client_app().intact_streams(kSize) == 1;
      },
      20s));
  EXPECT_LT(old_address, 10u);  // a few late probes at most
  // Over real UDP the transfers may have ended before the move: what is sent after it arrives from the new address.
  ASSERT_TRUE(session.client_app().send(Directionality::unidirectional, 10'000));
  EXPECT_TRUE(session.wire().run(
      [&] {
        std::vector<PathStats> paths;
        session.server().transport().path_stats(session.server_app().connection(), paths);
        return paths.size() == 1 && paths[0].tuple.remote == session.wire().other_client_address();
      },
      5s));
}

// RFC 9000 §10.3: a server that forgot the connection but kept its key ends it.
TEST_P(InteropTest, StatelessResetEndsAForgottenConnection) {
  Session session(engines(), make_plan());
  ASSERT_TRUE(session.establish());
  session.wire().run_for(100ms);
  session.restart_server();
  ASSERT_TRUE(session.client_app().send(Directionality::unidirectional, 3'000));
  ASSERT_TRUE(session.wire().run([&] { return session.client_app().closed().has_value(); }, 5s));
  EXPECT_EQ(session.client_app().closed()->source, CloseSource::stateless_reset);
}

// RFC 9000 §10.2.
TEST_P(InteropTest, CloseCarriesItsErrorAndReason) {
  for (const bool client_closes : {true, false}) {
    Session session(engines(), make_plan());
    ASSERT_TRUE(session.establish());
    Peer& closer = client_closes ? session.client() : session.server();
    const App& closing = client_closes ? session.client_app() : session.server_app();
    const App& other = client_closes ? session.server_app() : session.client_app();
    closer.transport().close(closing.connection(), 4242, "enough", session.wire().now());
    ASSERT_TRUE(session.wire().run([&] { return other.closed().has_value(); }, 5s));
    EXPECT_EQ(other.closed()->source, CloseSource::peer);
    EXPECT_TRUE(other.closed()->application);
    EXPECT_EQ(other.closed()->error, 4242u);
    EXPECT_EQ(other.closed()->reason, "enough");
  }
}

// RFC 9000 §10.1.
TEST_P(InteropTest, SilenceEndsTheConnectionOnBothSides) {
  Plan plan = make_plan();
  plan.client.connection.idle_timeout = 2s;
  Session session(engines(), plan);
  ASSERT_TRUE(session.establish());
  EXPECT_TRUE(session.wire().run([&] { return session.client_app().closed() && session.server_app().closed(); }, 10s));
}

constexpr Engines kPairs[] = {{EngineKind::native, EngineKind::native},
                              {EngineKind::native, EngineKind::ngtcp2},
                              {EngineKind::ngtcp2, EngineKind::native},
                              {EngineKind::ngtcp2, EngineKind::ngtcp2}};
std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const WireKind wire : {WireKind::simulated, WireKind::udp}) {
    for (const Engines& engines : kPairs) all.push_back({engines, wire});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Engines, InteropTest, testing::ValuesIn(all_cases()), testing::PrintToStringParamName());

// --- 10 MB each way at once, on a wire that loses and reorders

struct Weather {
  Engines engines;
  std::uint32_t loss_percent;
  Duration jitter;
  WireKind wire = WireKind::simulated;
};

void PrintTo(const Weather& weather, std::ostream* out) {
  *out << name_of(weather.engines) << (weather.wire == WireKind::udp ? "_over_udp" : "") << "_loss"
       << weather.loss_percent << (weather.jitter > Duration::zero() ? "_reordering" : "");
}

class TransferTest : public testing::TestWithParam<Weather> {};

TEST_P(TransferTest, TenMegabytesArriveIntactEachWay) {
  constexpr std::uint64_t kSize = 10'000'000;
  Plan plan;
  plan.conditions.loss_percent = GetParam().loss_percent;
  plan.conditions.jitter = GetParam().jitter;
  plan.client.connection.handshake_timeout = plan.server.connection.handshake_timeout = 60s;
  plan.wire = GetParam().wire;
  Session session(GetParam().engines, plan);
  ASSERT_TRUE(session.establish());
  ASSERT_TRUE(session.client_app().send(Directionality::unidirectional, kSize));
  ASSERT_TRUE(session.server_app().send(Directionality::unidirectional, kSize));
  EXPECT_TRUE(session.wire().run(
      [&] {
        return session.server_app().intact_streams(kSize) == 1 && session.client_app().intact_streams(kSize) == 1;
      },
      600s));
  EXPECT_FALSE(session.client_app().closed());
  EXPECT_FALSE(session.server_app().closed());
}

std::vector<Weather> all_weather() {
  std::vector<Weather> all;
  for (const Engines& engines : kPairs) {
    for (const std::uint32_t loss : {0u, 2u, 10u}) all.push_back({engines, loss, {}});
    all.push_back({engines, 2, 8ms});
    all.push_back({engines, 0, {}, WireKind::udp});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Weather, TransferTest, testing::ValuesIn(all_weather()), testing::PrintToStringParamName());

}  // namespace
}  // namespace mpquic::interop
