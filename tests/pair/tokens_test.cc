// NEW_TOKEN: what a client brings back to a server that it knows (RFC 9000 §8.1.3, draft-21 §3.1.3).
#include <gtest/gtest.h>

#include <algorithm>

#include "stack/conn/validated_addresses.h"
#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;
using Token = std::vector<std::byte>;

PairOptions retrying_server() {
  PairOptions options;
  options.server.require_retry = true;
  return options;
}

/// All that the client got so far, in order.
std::vector<Token> take_tokens(Pair& pair) {
  std::vector<Token> out;
  while (auto token = pair.client->take_token(pair.client_handle)) out.push_back(*std::move(token));
  return out;
}

/// A new connection from client address i: whether the server let it in without a Retry.
bool saves_the_retry(Pair& pair, const Token& token, std::uint8_t i) {
  pair.connect_options.token = token;
  pair.connect_options.tuple = Pair::tuple(i);
  pair.client_events.clear();
  pair.server_events.clear();
  const Instant before = pair.now;
  EXPECT_TRUE(pair.connect());
  return pair.now - before < 4 * 5ms + 1ms;
}

bool open_path(Pair& pair, std::uint8_t i) {
  if (!pair.client->open_path(pair.client_handle, Pair::tuple(i), pair.now)) return false;
  const bool open = pair.run_until([&] {
    const auto paths = pair.paths(true);
    return std::ranges::any_of(
        paths, [&](const PathStats& path) { return path.tuple.remote == Pair::client_address(i) && path.validated; });
  });
  pair.run_for(100ms);
  return open;
}

TEST(Tokens, EveryValidatedPathBringsATokenForAllAddressesSoFar) {  // digest 30
  for (std::uint8_t i = 0; i < 3; ++i) {                            // a token works once
    Pair pair(retrying_server());
    ASSERT_TRUE(pair.connect());
    pair.run_for(100ms);
    const auto first = take_tokens(pair);
    ASSERT_EQ(first.size(), 1U);
    ASSERT_TRUE(open_path(pair, 1));
    ASSERT_TRUE(open_path(pair, 2));
    const auto further = take_tokens(pair);
    ASSERT_EQ(further.size(), 2U);
    EXPECT_TRUE(saves_the_retry(pair, further.back(), i)) << int{i};
    EXPECT_FALSE(saves_the_retry(pair, first.front(), 1));
    EXPECT_FALSE(saves_the_retry(pair, further.front(), 2));
  }
}

TEST(Tokens, AUsedOneIsOfNoUse) {  // RFC 9000 §8.1.4: replays are limited
  Pair pair(retrying_server());
  ASSERT_TRUE(pair.connect());
  pair.run_for(100ms);
  const auto token = take_tokens(pair).at(0);
  EXPECT_TRUE(saves_the_retry(pair, token, 0));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(saves_the_retry(pair, token, 0));
    pair.run_for(3h);
  }
}

TEST(Tokens, AUsedOneLiftsNoAmplificationLimit) {  // RFC 9000 §8.1, §8.1.4
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.run_for(100ms);
  const auto token = take_tokens(pair).at(0);
  for (const bool used : {false, true}) {
    pair.connect_options.token = token;
    std::size_t answered = 0;
    int initials = 0;
    pair.filter = [&](InFlight& d) {  // the client is heard once, and never again
      if (!d.to_server) answered += d.bytes.size();
      return d.to_server && initials++ == 0;
    };
    pair.start();
    pair.run_for(8s);
    EXPECT_EQ(answered <= 3 * kMinInitialDatagram, used) << answered;
    pair.filter = nullptr;
    pair.run_for(60s);
  }
}

TEST(Tokens, ACopyThatDoesNotDecryptUsesNothingUp) {  // who sees a token on the wire cannot take it away
  Pair pair(retrying_server());
  ASSERT_TRUE(pair.connect());
  pair.run_for(100ms);
  const auto token = take_tokens(pair).at(0);
  bool first = true;
  pair.filter = [&](InFlight& d) {
    if (!d.to_server || !std::exchange(first, false)) return true;
    auto forged = d.bytes;
    forged.back() ^= std::byte{1};
    pair.server->receive({d.tuple, d.ecn, forged, forged.size()}, pair.now);
    return true;
  };
  EXPECT_TRUE(saves_the_retry(pair, token, 0));
}

TEST(Tokens, AMigratedPathBringsOneToo) {
  for (const std::uint8_t i : {std::uint8_t{4}, std::uint8_t{0}}) {
    Pair pair(retrying_server());
    ASSERT_TRUE(pair.connect());
    pair.run_for(100ms);
    static_cast<void>(take_tokens(pair));
    ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, PathId{0}, Pair::client_address(4), pair.now));
    pair.run_for(1s);
    const auto tokens = take_tokens(pair);
    ASSERT_EQ(tokens.size(), 1U);
    EXPECT_TRUE(saves_the_retry(pair, tokens[0], i));
  }
}

TEST(Tokens, ALostOneIsRepeated) {
  Pair pair(retrying_server());
  ASSERT_TRUE(pair.connect());
  pair.run_for(100ms);
  static_cast<void>(take_tokens(pair));
  int from_server = 0;
  pair.filter = [&](InFlight& d) { return d.to_server || ++from_server % 2 == 0; };
  ASSERT_TRUE(open_path(pair, 1));
  pair.filter = nullptr;
  pair.run_for(5s);
  const auto tokens = take_tokens(pair);
  ASSERT_FALSE(tokens.empty());
  EXPECT_TRUE(saves_the_retry(pair, tokens.back(), 1));
}

TEST(Tokens, ANewPortOfAKnownAddressBringsNone) {
  Pair pair(retrying_server());
  ASSERT_TRUE(pair.connect());
  pair.run_for(100ms);
  ASSERT_EQ(take_tokens(pair).size(), 1U);
  for (std::uint16_t port = 50'000; port < 50'005; ++port) {
    const SocketAddress local{Pair::client_address(0).ip, port};
    ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, PathId{0}, local, pair.now));
    pair.run_for(1s);
    ASSERT_EQ(pair.paths(true)[0].tuple.remote, local);
  }
  EXPECT_TRUE(take_tokens(pair).empty());
}

TEST(Tokens, AClientThatKeepsMovingGetsABoundedNumber) {
  Pair pair(retrying_server());
  ASSERT_TRUE(pair.connect());
  std::size_t got = 0;
  for (std::uint8_t i = 1; i <= kMaxNewTokens + 8; ++i) {
    ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, PathId{0}, Pair::client_address(i), pair.now));
    pair.run_for(1s);
    ASSERT_EQ(pair.paths(true)[0].tuple.remote, Pair::client_address(i));
    got += take_tokens(pair).size();
  }
  EXPECT_EQ(got, kMaxNewTokens);
}

}  // namespace
}  // namespace mpquic::test
