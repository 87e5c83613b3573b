// Peers that break off, go on where they should not, or send without end (RFC 9001 §4).
#include <gtest/gtest.h>

#include "stack/crypto/openssl_session.h"
#include "tests/unit/crypto/crypto_testing.h"
#include "tests/unit/crypto/tls_loopback.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

constexpr std::size_t kRecord = 1024;  // what one TLS record carries on OpenSSL 3.0

/// Whose Handshake flight is tampered with, and whether clients have certificates.
struct Flight {
  Role sender = Role::client;
  bool client_certificates = false;
};

class HostileFlight : public testing::TestWithParam<Flight> {
 protected:
  /// A handshake of which only that flight is missing at its receiver.
  TlsLoopback until_flight() {
    TlsLoopback tls(*client_, *server_, {});
    tls.client.note(tls.client.session->start());
    tls.server.receive(kInitial, std::exchange(tls.client.outbox, {}).at(0).second);
    tls.client.receive(kInitial, tls.server.outbox.at(0).second);
    tls.server.outbox.erase(tls.server.outbox.begin());
    if (GetParam().sender == Role::server) return tls;
    tls.client.receive(kHandshake, std::exchange(tls.server.outbox, {}).at(0).second);
    return tls;
  }
  static TlsPeer& sender(TlsLoopback& tls) { return GetParam().sender == Role::client ? tls.client : tls.server; }
  static TlsPeer& receiver(TlsLoopback& tls) { return GetParam().sender == Role::client ? tls.server : tls.client; }
  static std::vector<std::byte> take_flight(TlsLoopback& tls) {
    const auto parts = std::exchange(sender(tls).outbox, {});
    EXPECT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts.at(0).first, kHandshake);
    return parts.at(0).second;
  }
  void SetUp() override {
    const Identity identity =
        identity_of(5, {.common_name = "client", .names = std::vector<std::string>(40, "c.test")});
    TlsConfig client = client_config();
    TlsConfig server = server_config();
    if (GetParam().client_certificates) {
      client.certificate_chain_pem = identity.certificate_pem + identity.certificate_pem;
      client.private_key_pem = identity.private_key_pem;
      server.require_client_certificate = true;
      server.trust.pins = {identity.fingerprint};
    }
    client_ = make_tls_provider(client).value();
    server_ = make_tls_provider(server).value();
  }
  std::shared_ptr<TlsProvider> client_;
  std::shared_ptr<TlsProvider> server_;
};

/// Where messages begin and end, their headers too, and what is around there; and around the ends of TLS records.
std::vector<std::size_t> cuts_of(Bytes flight) {
  std::vector<std::size_t> cuts;
  const auto add_around = [&](std::size_t at) {
    for (const std::size_t cut : {at - 1, at, at + 1})
      if (cut > 0 && cut < flight.size()) cuts.push_back(cut);
  };
  for (std::size_t at = 0; at + 4 <= flight.size();) {
    const std::size_t size = std::to_integer<std::size_t>(flight[at + 1]) << 16 |
                             std::to_integer<std::size_t>(flight[at + 2]) << 8 |
                             std::to_integer<std::size_t>(flight[at + 3]);
    add_around(at + 1);
    add_around(at + 4);
    add_around(at += 4 + size);
  }
  for (std::size_t at = kRecord; at < flight.size(); at += kRecord) {
    add_around(at);
    add_around(flight.size() - at);
  }
  return cuts;
}

TEST_P(HostileFlight, MayBeCutAnywhere) {
  TlsLoopback first = until_flight();
  const std::size_t count = cuts_of(take_flight(first)).size();
  ASSERT_GE(count, 3U);
  for (std::size_t i = 0; i < count; ++i) {
    TlsLoopback tls = until_flight();
    const std::vector<std::byte> flight = take_flight(tls);
    const std::size_t cut = cuts_of(flight).at(i);
    receiver(tls).receive(kHandshake, Bytes(flight).first(cut));
    EXPECT_FALSE(receiver(tls).completed);
    receiver(tls).receive(kHandshake, Bytes(flight).subspan(cut));
    EXPECT_TRUE(tls.continue_run().completed()) << cut << " of " << flight.size();
  }
}

// §4.1.3: "if there is data from a previous encryption level that TLS has not consumed, this MUST be treated as a
// connection error of type PROTOCOL_VIOLATION". With the last bytes of the flight, or with any of those before.
TEST_P(HostileFlight, NothingFollowsFinished) {
  for (const std::size_t more : {std::size_t{1}, std::size_t{4}, kRecord, 5 * kRecord}) {
    for (const std::size_t tail : {std::size_t{0}, std::size_t{1}, std::size_t{36}, kRecord, SIZE_MAX}) {
      TlsLoopback tls = until_flight();
      std::vector<std::byte> flight = take_flight(tls);
      const std::size_t head = flight.size() - std::min(tail, flight.size());
      flight.insert(flight.end(), more, std::byte{0});
      TlsPeer& peer = receiver(tls);
      if (head > 0) peer.receive(kHandshake, Bytes(flight).first(head));
      peer.receive(kHandshake, Bytes(flight).subspan(head));
      EXPECT_EQ(code_of(peer.error), error::kProtocolViolation) << more << " more, with the last " << tail;
      const Result<void> again = peer.session->receive(kHandshake, flight);
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error(), *peer.error);
    }
  }
}

TEST_P(HostileFlight, NothingReplacesFinished) {
  TlsLoopback tls = until_flight();
  const std::vector<std::byte> flight = take_flight(tls);
  receiver(tls).receive(kHandshake, Bytes(flight).first(flight.size() - 1));
  receiver(tls).receive(kOneRtt, Bytes(flight).last(1));
  EXPECT_EQ(code_of(receiver(tls).error), error::kProtocolViolation);
  EXPECT_FALSE(receiver(tls).completed);
}

INSTANTIATE_TEST_SUITE_P(All, HostileFlight,
                         testing::Values(Flight{Role::client, false}, Flight{Role::client, true},
                                         Flight{Role::server, false}, Flight{Role::server, true}),
                         [](const auto& flight) {
                           return std::string(flight.param.sender == Role::client ? "OfClient" : "OfServer") +
                                  (flight.param.client_certificates ? "WithCertificates" : "");
                         });

// --- Servers after the handshake

std::vector<std::byte> message(std::uint8_t type, const std::vector<std::uint8_t>& body) {
  std::vector<std::byte> out = {std::byte{type}, std::byte{0}, static_cast<std::byte>(body.size() >> 8),
                                static_cast<std::byte>(body.size() & 0xff)};
  std::ranges::transform(body, std::back_inserter(out), [](std::uint8_t value) { return std::byte{value}; });
  return out;
}

/// NewSessionTicket (RFC 8446 §4.6.1): lifetime, age_add, nonce, ticket, extensions.
std::vector<std::byte> ticket(const std::vector<std::uint8_t>& extensions = {}, std::uint8_t nonce = 0) {
  std::vector<std::uint8_t> body = {0, 0, 1, 0, 9, 9, 9, 9, 1, nonce, 0, 3, 1, 2, 3, 0};
  body.push_back(static_cast<std::uint8_t>(extensions.size()));
  body.insert(body.end(), extensions.begin(), extensions.end());
  return message(handshake_type::kNewSessionTicket, body);
}

std::uint64_t client_error_after(Bytes post_handshake, std::size_t piece = SIZE_MAX) {
  TlsLoopback tls{TlsLoopback::Options{}};
  EXPECT_TRUE(tls.run().completed());
  for (Bytes rest = post_handshake; !rest.empty(); rest = rest.subspan(std::min(piece, rest.size())))
    tls.client.receive(kOneRtt, rest.first(std::min(piece, rest.size())));
  return code_of(tls.client.error);
}

// §4.4: "Clients MUST treat receipt of a post-handshake authentication request as PROTOCOL_VIOLATION".
TEST(HostileServer, PostHandshakeAuthenticationIsAnError) {
  const auto request = message(handshake_type::kCertificateRequest, {1, 7, 0, 0});
  EXPECT_EQ(client_error_after(request), error::kProtocolViolation);
  EXPECT_EQ(client_error_after(request, 1), error::kProtocolViolation);
  EXPECT_EQ(client_error_after(message(handshake_type::kKeyUpdate, {0})), kUnexpectedMessage);
  EXPECT_EQ(client_error_after(message(11, {0, 0, 0, 0})), kUnexpectedMessage);  // Certificate
}

// §4.6.1
TEST(HostileServer, TicketsPromiseAllOfEarlyDataOrNone) {
  const auto early_data = [](std::uint8_t a, std::uint8_t d) {
    return ticket({0x7a, 0x7a, 0, 1, 0, 0, 42, 0, 4, a, a, a, d});  // after another extension
  };
  EXPECT_EQ(client_error_after(ticket()), error::kNoError);
  EXPECT_EQ(client_error_after(early_data(0xff, 0xff)), error::kNoError);
  EXPECT_EQ(client_error_after(early_data(0xff, 0xfe)), error::kProtocolViolation);
  EXPECT_EQ(client_error_after(early_data(0, 1)), error::kProtocolViolation);
  EXPECT_EQ(client_error_after(early_data(0, 0)), error::kProtocolViolation);
  EXPECT_EQ(client_error_after(early_data(0, 0), 1), error::kProtocolViolation);
}

TEST(HostileServer, AFloodOfTicketsIsSkipped) {
  TlsLoopback tls{TlsLoopback::Options{}};
  ASSERT_TRUE(tls.run().completed());
  for (int i = 0; i < 2000; ++i) tls.client.receive(kOneRtt, ticket({}, static_cast<std::uint8_t>(i)));
  EXPECT_FALSE(tls.client.error);
  EXPECT_EQ(tls.client.tickets.size(), kMaxTickets);
  // What is skipped is followed to its end: the next message is seen.
  std::vector<std::byte> more = ticket();
  const auto request = message(handshake_type::kCertificateRequest, {1, 7, 0, 0});
  more.insert(more.end(), request.begin(), request.end());
  tls.client.receive(kOneRtt, more);
  EXPECT_EQ(code_of(tls.client.error), error::kProtocolViolation);
}

// 16 MB are announced: refused before they come.
TEST(HostileServer, GiantMessagesAreRefusedByTheirHeader) {
  constexpr std::size_t kEnough = 16;
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{8, 11, 13, 15, 20}) {
    TlsLoopback tls{TlsLoopback::Options{}};
    tls.client.note(tls.client.session->start());
    tls.server.receive(kInitial, tls.client.outbox.at(0).second);
    tls.client.receive(kInitial, tls.server.outbox.at(0).second);
    const std::vector<std::byte>& flight = tls.server.outbox.at(1).second;
    const std::size_t extensions =
        4 + (std::to_integer<std::size_t>(flight[2]) << 8) + std::to_integer<std::size_t>(flight[3]);
    if (type != 8) tls.client.receive(kHandshake, Bytes(flight).first(extensions));
    EXPECT_FALSE(tls.client.error);
    std::vector<std::byte> giant(kEnough, std::byte{0xff});
    giant[0] = std::byte{type};
    tls.client.receive(kHandshake, giant);
    EXPECT_GE(code_of(tls.client.error), error::kCryptoErrorBase) << int{type};
  }
  std::vector<std::byte> giant_ticket(kEnough, std::byte{0xff});
  giant_ticket[0] = std::byte{handshake_type::kNewSessionTicket};
  EXPECT_GE(client_error_after(giant_ticket), error::kCryptoErrorBase);
}

}  // namespace
}  // namespace mpquic
