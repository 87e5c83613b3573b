// What an endpoint does around connections: Retry, version negotiation, stateless reset, limits, tokens, timeouts.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

TEST(Endpoint, RetryCostsARoundTripAndTheHandshakeCompletes) {  // RFC 9000 §8.1.2
  PairOptions options;
  options.server.require_retry = true;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  EXPECT_GE(pair.now - Instant{}, 4 * 5ms);
  EXPECT_TRUE(pair.transfer(true, 100'000));
  EXPECT_EQ(pair.unexpected_drops(), "");
}

TEST(Endpoint, ANewTokenSavesTheRetry) {  // RFC 9000 §8.1.3
  PairOptions options;
  options.server.require_retry = true;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  std::optional<std::vector<std::byte>> token;
  ASSERT_TRUE(pair.run_until([&] { return token || (token = pair.client->take_token(pair.client_handle)); }));
  pair.connect_options.token = *token;
  const Instant before = pair.now;
  pair.client_events.clear();
  pair.server_events.clear();
  ASSERT_TRUE(pair.connect());
  EXPECT_LT(pair.now - before, 4 * 5ms + 1ms);
}

TEST(Endpoint, ATicketResumesTheSession) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  std::optional<std::vector<std::byte>> ticket;
  ASSERT_TRUE(pair.run_until([&] { return ticket || (ticket = pair.client->take_ticket(pair.client_handle)); }));
  pair.connect_options.ticket = *ticket;
  pair.client_events.clear();
  pair.server_events.clear();
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(pair.events_of<HandshakeCompleted>(false)[0].resumed);
  EXPECT_TRUE(pair.transfer(false, 50'000));
}

TEST(Endpoint, AnUnknownVersionIsAnsweredWithOurs) {  // RFC 9000 §6
  Pair pair;
  bool first = true;
  bool answered = false;
  pair.filter = [&](InFlight& d) {
    if (d.to_server && std::exchange(first, false)) d.bytes[1] = std::byte{0xba};
    if (!d.to_server && (d.bytes[1] | d.bytes[2] | d.bytes[3] | d.bytes[4]) == std::byte{}) answered = true;
    return true;
  };
  EXPECT_TRUE(pair.connect());  // the answer lists version 1, so the client goes on
  EXPECT_TRUE(answered);
}

TEST(Endpoint, ALostServerIsNoticedByItsStatelessReset) {  // RFC 9000 §10.3
  PairOptions options;
  options.server.static_key.fill(std::byte{7});
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  EndpointConfig again = options.server;
  again.server_tls = pair.server_tls;
  pair.server = std::make_unique<Endpoint>(again, pair.rng);
  const auto id = pair.client->open_stream(pair.client_handle, Directionality::unidirectional);
  ASSERT_TRUE(id);
  const std::vector<std::byte> data(5000);
  ASSERT_TRUE(pair.client->write(pair.client_handle, *id, data, true));
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<ConnectionClosed>(false).empty(); }));
  EXPECT_EQ(pair.events_of<ConnectionClosed>(false)[0].source, CloseSource::stateless_reset);
}

TEST(Endpoint, ALostClientIsNoticedByItsStatelessReset) {  // RFC 9000 §10.3.1: servers look for them too
  PairOptions options;
  options.client.static_key.fill(std::byte{7});
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  // The connection ID of the handshake has no token; those that the client issued for another path do.
  ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(1), pair.now));
  ASSERT_TRUE(pair.run_until([&] { return pair.paths(true).size() == 2 && pair.paths(true)[1].validated; }));
  pair.client = std::make_unique<Endpoint>(options.client, pair.rng);
  const auto id = pair.server->open_stream(pair.server_handle, Directionality::unidirectional);
  ASSERT_TRUE(id);
  const std::vector<std::byte> data(20'000);
  ASSERT_TRUE(pair.server->write(pair.server_handle, *id, data, true));
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<ConnectionClosed>(true).empty(); }));
  EXPECT_EQ(pair.events_of<ConnectionClosed>(true)[0].source, CloseSource::stateless_reset);
}

TEST(Endpoint, AStatelessResetEndsItsOwnConnectionAndOnlyOnce) {
  PairOptions options;
  options.server.static_key.fill(std::byte{7});
  Pair pair(options);
  std::vector<std::vector<std::byte>> resets;
  ASSERT_TRUE(pair.connect());
  const ConnectionHandle first = pair.client_handle;
  pair.connect_options.tuple = Pair::tuple(1);
  pair.client_events.clear();
  pair.server_events.clear();
  ASSERT_TRUE(pair.connect());
  pair.run_for(5s);  // nothing is left to say, MTU probes included
  EndpointConfig again = options.server;
  again.server_tls = pair.server_tls;
  pair.server = std::make_unique<Endpoint>(again, pair.rng);
  pair.filter = [&](InFlight& d) {
    if (!d.to_server) resets.push_back(d.bytes);
    return true;
  };
  pair.client_events.clear();
  const auto id = pair.client->open_stream(first, Directionality::unidirectional);
  ASSERT_TRUE(id);
  ASSERT_TRUE(pair.client->write(first, *id, std::vector<std::byte>(2000), true));
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<ConnectionClosed>(false).empty(); }));
  pair.run_for(10s);
  EXPECT_EQ(pair.client->connection_count(), 1U) << "the other one is alive";
  // Its token went with it: the same datagrams again are strangers'.
  ASSERT_FALSE(resets.empty());
  for (auto& reset : resets) pair.client->receive({Pair::tuple(0), Ecn::not_ect, reset, reset.size()}, pair.now);
  EXPECT_EQ(pair.client->connection_count(), 1U);
  EXPECT_EQ(pair.events_of<ConnectionClosed>(false).size(), 1U);
}

TEST(Endpoint, AReplayedFirstInitialOpensNoSecondConnection) {
  Pair pair;
  std::optional<InFlight> first;
  pair.filter = [&](InFlight& d) {
    if (!first) first = d;
    return true;
  };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.transfer(false, 10'000));
  pair.run_for(5s);
  const auto replay = [&] {
    const std::size_t sent = pair.datagrams_sent;
    const auto dropped = pair.server->drops()[static_cast<std::size_t>(DropReason::keys_unavailable)];
    auto bytes = first->bytes;  // the receiver decrypts in place
    pair.server->receive({first->tuple, Ecn::not_ect, bytes, bytes.size()}, pair.now);
    pair.run_for(20ms);
    EXPECT_EQ(pair.datagrams_sent, sent) << "answered";
    return pair.server->drops()[static_cast<std::size_t>(DropReason::keys_unavailable)] - dropped;
  };
  EXPECT_EQ(replay(), 1U);
  EXPECT_EQ(replay(), 1U);
  EXPECT_EQ(pair.server->connection_count(), 1U);
  EXPECT_TRUE(pair.transfer(true, 10'000));
  // Once the connection is over, nothing of it is kept.
  pair.client->close(pair.client_handle, 0, "", pair.now);
  pair.run_for(10s);
  ASSERT_EQ(pair.server->connection_count(), 0U);
  auto bytes = first->bytes;
  pair.server->receive({first->tuple, Ecn::not_ect, bytes, bytes.size()}, pair.now);
  EXPECT_EQ(pair.server->connection_count(), 1U);
}

TEST(Endpoint, IdleConnectionsEndSilently) {  // RFC 9000 §10.1
  PairOptions options;
  options.client.connection.idle_timeout = 2s;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  pair.run_for(1s);
  const std::size_t sent = pair.datagrams_sent;
  pair.run_for(10s);
  EXPECT_EQ(pair.client->connection_count(), 0U);
  EXPECT_EQ(pair.server->connection_count(), 0U);
  EXPECT_LE(pair.datagrams_sent - sent, 2U);
  for (const bool of_server : {false, true}) {
    const auto closed = pair.events_of<ConnectionClosed>(of_server);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].source, CloseSource::idle_timeout);
  }
}

TEST(Endpoint, KeepAliveKeepsItOpen) {
  PairOptions options;
  options.client.connection.idle_timeout = 2s;
  options.client.connection.keep_alive = 800ms;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  pair.run_for(20s);
  EXPECT_EQ(pair.client->connection_count(), 1U);
  EXPECT_TRUE(pair.transfer(false, 10'000));
}

TEST(Endpoint, ASilentServerEndsInAHandshakeTimeout) {
  Pair pair;
  pair.filter = [](InFlight&) { return false; };
  pair.start();
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<ConnectionClosed>(false).empty(); }));
  EXPECT_EQ(pair.events_of<ConnectionClosed>(false)[0].source, CloseSource::handshake_timeout);
}

TEST(Endpoint, AFullServerRefuses) {
  PairOptions options;
  options.server.max_connections = 0;
  Pair pair(options);
  pair.start();
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<ConnectionClosed>(false).empty(); }));
  EXPECT_EQ(pair.events_of<ConnectionClosed>(false)[0].error, error::kConnectionRefused);
  EXPECT_EQ(pair.events_of<ConnectionClosed>(false)[0].source, CloseSource::peer);
}

TEST(Endpoint, WrongPinIsACryptoErrorOnBothSides) {
  Pair pair;
  TlsConfig config;
  config.alpn = {"test"};
  config.trust.pins = {SpkiFingerprint{}};
  config.randomness = &pair.rng;
  pair.connect_options.tls = make_tls_provider(config).value();
  pair.start();
  ASSERT_TRUE(pair.run_until([&] {
    return !pair.events_of<ConnectionClosed>(false).empty() && !pair.events_of<ConnectionClosed>(true).empty();
  }));
  EXPECT_EQ(pair.events_of<ConnectionClosed>(false)[0].error & ~0xffULL, error::kCryptoErrorBase);
  EXPECT_EQ(pair.events_of<ConnectionClosed>(true)[0].error, pair.events_of<ConnectionClosed>(false)[0].error);
}

TEST(Endpoint, KeyUpdatesByEitherSideWhileDataFlows) {  // RFC 9001 §6
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.transfer(false, 200'000));
  pair.client->initiate_key_update(pair.client_handle);
  ASSERT_TRUE(pair.transfer(false, 500'000));
  EXPECT_EQ(pair.client->stats(pair.client_handle).key_updates, 1U);
  EXPECT_EQ(pair.server->stats(pair.server_handle).key_updates, 1U);
  pair.run_for(5s);
  pair.server->initiate_key_update(pair.server_handle);
  ASSERT_TRUE(pair.transfer(true, 500'000));
  EXPECT_EQ(pair.client->stats(pair.client_handle).key_updates, 2U);
  EXPECT_EQ(pair.unexpected_drops(), "");
  for (const auto& [file, log] : pair.qlogs) {
    const bool of_client = file.find("client") != std::string::npos;
    const std::size_t first = log.find(of_client ? "local_update" : "remote_update");
    const std::size_t second = log.find(of_client ? "remote_update" : "local_update");
    EXPECT_NE(second, std::string::npos) << file;
    EXPECT_LT(first, second) << file;
  }
}

TEST(Endpoint, DatagramsArriveOnceAndWholeOrNotAtAll) {  // RFC 9221
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const std::size_t most = pair.client->max_datagram_payload(pair.client_handle);
  ASSERT_GT(most, 1100U);
  std::vector<std::byte> payload(most, std::byte{0x5a});
  EXPECT_TRUE(pair.client->send_datagram(pair.client_handle, payload, std::nullopt));
  payload.push_back(std::byte{});
  EXPECT_FALSE(pair.client->send_datagram(pair.client_handle, payload, std::nullopt));
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<DatagramReceived>(true).empty(); }));
  std::vector<std::byte> out(2000);
  EXPECT_EQ(pair.server->receive_datagram(pair.server_handle, out), most);
  EXPECT_FALSE(pair.server->receive_datagram(pair.server_handle, out));
}

TEST(Endpoint, RandomBytesAreDroppedAndCounted) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  SeededRng noise(5);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> bytes(noise.below(1500));
    noise.fill(bytes);
    const bool to_server = noise.below(2) == 0;
    const FourTuple at{to_server ? Pair::server_address() : Pair::client_address(0),
                       to_server ? Pair::client_address(0) : Pair::server_address()};
    (to_server ? *pair.server : *pair.client).receive({at, Ecn::not_ect, bytes, bytes.size()}, pair.now);
  }
  EXPECT_TRUE(pair.transfer(false, 50'000));
}

TEST(Endpoint, CorruptedDatagramsNeverCloseTheConnection) {
  Pair pair;
  SeededRng noise(6);
  pair.filter = [&](InFlight& d) {
    if (noise.below(10) == 0) d.bytes[noise.below(d.bytes.size())] ^= std::byte{0x10};
    return true;
  };
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(pair.transfer(false, 1'000'000, 600s));
  EXPECT_TRUE(pair.transfer(true, 1'000'000, 600s));
}

}  // namespace
}  // namespace mpquic::test
