#include "sim/engine/null_tls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mpquic::sim {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// A session and what it told us.
struct Peer {
  Peer(TlsProvider& provider, Role role, std::string_view own_parameters) {
    auto made =
        provider.make_session({.role = role, .server_name = "s", .parameters = bytes_of(own_parameters), .ticket = {}});
    EXPECT_TRUE(made);
    session = std::move(*made);
  }
  void poll() {
    while (auto event = session->poll_event()) {
      if (const auto* data = std::get_if<TlsHandshakeData>(&*event))
        out.emplace_back(data->level, std::vector<std::byte>(data->data.begin(), data->data.end()));
      if (const auto* peer = std::get_if<TlsPeerParameters>(&*event)) parameters = as_text(peer->encoded);
      if (const auto* ready = std::get_if<TlsSecretReady>(&*event)) {
        EXPECT_EQ(ready->suite, CipherSuite::null);
        secrets.emplace_back(ready->level, ready->write);
      }
      if (const auto* completed = std::get_if<TlsCompleted>(&*event)) alpn = completed->alpn;
    }
  }
  std::unique_ptr<TlsSession> session;
  std::vector<std::pair<EncryptionLevel, std::vector<std::byte>>> out;
  std::vector<std::pair<EncryptionLevel, bool>> secrets;
  std::string parameters;
  std::string alpn;
};

Result<void> carry(Peer& from, Peer& to, std::size_t step = SIZE_MAX) {
  from.poll();
  for (const auto& [level, data] : std::exchange(from.out, {})) {
    for (std::size_t at = 0; at < data.size(); at += std::min(step, data.size() - at))
      MPQUIC_TRY(to.session->receive(level, Bytes(data).subspan(at, std::min(step, data.size() - at))));
  }
  to.poll();
  return {};
}

TEST(NullTls, CarriesParametersAndCompletesInOneRoundTrip) {
  const auto provider = make_null_tls_provider("x");
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    Peer client(*provider, Role::client, "from the client");
    Peer server(*provider, Role::server, "from the server");
    ASSERT_TRUE(client.session->start());
    ASSERT_TRUE(carry(client, server, step));
    EXPECT_EQ(server.parameters, "from the client");
    EXPECT_TRUE(server.alpn.empty());
    ASSERT_TRUE(carry(server, client, step));
    EXPECT_EQ(client.parameters, "from the server");
    EXPECT_EQ(client.alpn, "x");
    ASSERT_TRUE(carry(client, server, step));
    EXPECT_EQ(server.alpn, "x");
    EXPECT_EQ(client.secrets.size(), 4u);
    EXPECT_EQ(server.secrets.size(), 4u);
  }
}

TEST(NullTls, ALongChainIsPartOfTheServersFlight) {
  constexpr std::size_t kChain = 18'000;
  const auto provider = make_null_tls_provider("x", kChain);
  for (const std::size_t step : {std::size_t{1000}, SIZE_MAX}) {
    Peer client(*provider, Role::client, "from the client");
    Peer server(*provider, Role::server, "from the server");
    ASSERT_TRUE(client.session->start());
    ASSERT_TRUE(carry(client, server, step));
    std::size_t flight = 0;
    for (const auto& [level, data] : server.out) flight += level == EncryptionLevel::handshake ? data.size() : 0;
    EXPECT_GE(flight, kChain);
    ASSERT_TRUE(carry(server, client, step));
    EXPECT_EQ(client.parameters, "from the server");
    ASSERT_TRUE(carry(client, server, step));
    EXPECT_EQ(server.alpn, "x");
    EXPECT_FALSE(server.session->receive(EncryptionLevel::one_rtt, as_bytes(std::string("\x04\x00\x01z", 4))));
  }
}

TEST(NullTls, TheServerReadsOneRttOnlyAfterTheClientFinished) {  // RFC 9001 §5.7
  const auto provider = make_null_tls_provider("x");
  Peer client(*provider, Role::client, "c");
  Peer server(*provider, Role::server, "s");
  ASSERT_TRUE(client.session->start());
  ASSERT_TRUE(carry(client, server));
  const std::pair read{EncryptionLevel::one_rtt, false};
  EXPECT_EQ(std::ranges::count(server.secrets, read), 0);
  ASSERT_TRUE(carry(server, client));
  ASSERT_TRUE(carry(client, server));
  EXPECT_EQ(std::ranges::count(server.secrets, read), 1);
}

TEST(NullTls, AnotherProtocolIsRefused) {
  const auto ours = make_null_tls_provider("x");
  const auto theirs = make_null_tls_provider("y");
  Peer client(*theirs, Role::client, "c");
  Peer server(*ours, Role::server, "s");
  ASSERT_TRUE(client.session->start());
  const auto result = carry(client, server);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kCryptoErrorBase + 120);
}

TEST(NullTls, NonsenseIsAnError) {
  const auto provider = make_null_tls_provider("x");
  for (const std::string_view text : {"\x02\x00\x01z", "\x01\xff\xff", "\x01", "\x09"}) {
    Peer server(*provider, Role::server, "s");
    std::string padded(text);
    padded.resize(std::max<std::size_t>(padded.size(), 8));
    EXPECT_FALSE(server.session->receive(EncryptionLevel::initial, as_bytes(padded))) << text;
  }
  Peer server(*provider, Role::server, "s");
  EXPECT_FALSE(server.session->receive(EncryptionLevel::handshake, bytes_of("x")));
}

}  // namespace
}  // namespace mpquic::sim
