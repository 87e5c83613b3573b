#include "stack/wire/transport_params.h"

#include <gtest/gtest.h>

#include "stack/wire/cursor.h"
#include "tests/unit/wire/wire_testing.h"

namespace mpquic {
namespace {

using testing::Blob;
using testing::cid;
using testing::hex;
using testing::to_hex;

namespace tp = transport_parameter;

Blob encoded(const TransportParameters& parameters, Role sender) {
  Blob out;
  encode(parameters, sender, out);
  return out;
}

/// One parameter with this value.
Blob parameter(std::uint64_t id, const Blob& value) {
  Blob buffer(20 + value.size());
  ByteWriter out(buffer);
  EXPECT_TRUE(out.write_varint(id) && out.write_prefixed_bytes(value));
  buffer.resize(out.size());
  return buffer;
}
Blob parameter(std::uint64_t id, std::uint64_t value) {
  Blob buffer(varint_size(value));
  write_varint_sized(buffer.data(), value, buffer.size());
  return parameter(id, buffer);
}

void expect_refused(const Blob& bytes, Role sender = Role::server) {
  const auto result = decode(bytes, sender);
  ASSERT_FALSE(result) << to_hex(bytes);
  EXPECT_EQ(result.error().code, error::kTransportParameterError);
  EXPECT_FALSE(result.error().reason.empty());
}
void expect_accepted(const Blob& bytes, Role sender = Role::server) {
  EXPECT_TRUE(decode(bytes, sender)) << to_hex(bytes);
}

TransportParameters full() {
  TransportParameters p;
  p.original_destination_connection_id = cid("0102030405060708");
  p.max_idle_timeout = 30'000;
  p.stateless_reset_token = StatelessResetToken{std::byte{1}, std::byte{2}};
  p.max_udp_payload_size = 1452;
  p.initial_max_data = 1U << 23;
  p.initial_max_stream_data_bidi_local = 101;
  p.initial_max_stream_data_bidi_remote = 102;
  p.initial_max_stream_data_uni = 103;
  p.initial_max_streams_bidi = kMaxStreamCount;
  p.initial_max_streams_uni = 99;
  p.ack_delay_exponent = kMaxAckDelayExponent;
  p.max_ack_delay = kMaxMaxAckDelay;
  p.disable_active_migration = true;
  p.preferred_address = PreferredAddress{.v4 = *SocketAddress::parse("192.0.2.1:443"),
                                         .v6 = *SocketAddress::parse("[2001:db8::1]:8443"),
                                         .id = cid("aabb"),
                                         .reset_token = {std::byte{9}}};
  p.active_connection_id_limit = 8;
  p.initial_source_connection_id = cid("");
  p.retry_source_connection_id = cid("0a0b");
  p.max_datagram_frame_size = 65'535;
  p.grease_quic_bit = true;
  p.initial_max_path_id = kMaxPathIdValue;
  p.address_advertisement = true;
  p.numbered_datagrams = true;
  return p;
}

TEST(TransportParameters, AbsentOnesHaveTheRfcDefaults) {  // RFC 9000 §18.2
  const auto p = decode({}, Role::client);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->max_idle_timeout, 0U);
  EXPECT_EQ(p->max_udp_payload_size, 65'527U);
  EXPECT_EQ(p->initial_max_data, 0U);
  EXPECT_EQ(p->initial_max_streams_bidi, 0U);
  EXPECT_EQ(p->ack_delay_exponent, 3U);
  EXPECT_EQ(p->max_ack_delay, 25U);
  EXPECT_EQ(p->active_connection_id_limit, 2U);
  EXPECT_EQ(p->max_datagram_frame_size, 0U);
  EXPECT_FALSE(p->disable_active_migration);
  EXPECT_FALSE(p->grease_quic_bit);
  EXPECT_FALSE(p->address_advertisement);
  EXPECT_FALSE(p->numbered_datagrams);
  EXPECT_FALSE(p->initial_max_path_id);
  EXPECT_FALSE(p->initial_source_connection_id);
  EXPECT_EQ(*p, TransportParameters{});
}

TEST(TransportParameters, DefaultsAreNotSent) { EXPECT_TRUE(encoded({}, Role::server).empty()); }

TEST(TransportParameters, AServerRoundTripsAll) {
  const auto decoded = decode(encoded(full(), Role::server), Role::server);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, full());
}

TEST(TransportParameters, AClientLeavesOutWhatOnlyServersSend) {  // RFC 9000 §18.2
  TransportParameters expected = full();
  expected.original_destination_connection_id.reset();
  expected.stateless_reset_token.reset();
  expected.preferred_address.reset();
  expected.retry_source_connection_id.reset();
  const auto decoded = decode(encoded(full(), Role::client), Role::client);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, expected);
}

TEST(TransportParameters, AppendToWhatIsThere) {
  Blob out = hex("ff");
  TransportParameters p;
  p.max_idle_timeout = 30'000;
  encode(p, Role::client, out);
  EXPECT_EQ(to_hex(out), "ff010480007530");
}

TEST(TransportParameters, AreWrittenAsIdLengthValue) {  // RFC 9000 §18
  TransportParameters p;
  p.initial_max_path_id = 0;  // sent though zero: its presence is the offer
  EXPECT_EQ(to_hex(encoded(p, Role::client)), "3e0100");
  p = {};
  p.grease_quic_bit = true;
  EXPECT_EQ(to_hex(encoded(p, Role::client)), "6ab200");
  p = {};
  p.address_advertisement = true;
  EXPECT_EQ(to_hex(encoded(p, Role::client)), "c000001f0f9c0d2a00");
  p = {};
  p.numbered_datagrams = true;
  EXPECT_EQ(to_hex(encoded(p, Role::client)), "c000001f0f9c0d2b00");
  p = {};
  p.initial_source_connection_id = cid("");
  EXPECT_EQ(to_hex(encoded(p, Role::client)), "0f00");
}

TEST(TransportParameters, GreaseIsIgnoredByTheReceiver) {  // RFC 9000 §18.1
  TransportParameters p;
  p.reserved_number = 2;
  const Blob bytes = encoded(p, Role::client);
  EXPECT_EQ(to_hex(bytes), "405900");  // 31 * 2 + 27 = 89
  const auto decoded = decode(bytes, Role::client);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, TransportParameters{});
  p.reserved_number = kMaxReservedNumber;
  expect_accepted(encoded(p, Role::client), Role::client);
}

TEST(TransportParameters, UnknownOnesAreIgnored) {  // RFC 9000 §7.4.2
  const auto decoded = decode(hex("7eff 04 deadbeef 01 01 05"), Role::client);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->max_idle_timeout, 5U);
}

TEST(TransportParameters, DuplicatesAreRefused) {  // RFC 9000 §7.4
  expect_refused(hex("010105 010105"));
  expect_refused(hex("010105 040105 010106"));
  expect_refused(hex("0c00 0c00"));
  expect_refused(hex("7eff00 010105 7eff00"));
}

TEST(TransportParameters, TruncationsAreRefused) {
  const Blob whole = encoded(full(), Role::server);
  std::size_t accepted = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto result = decode(Bytes(whole).first(n), Role::server);
    if (result) {
      ++accepted;  // between two parameters
    } else {
      EXPECT_EQ(result.error().code, error::kTransportParameterError);
    }
  }
  EXPECT_EQ(accepted, 22U);  // one cut before each of the parameters
  expect_refused(hex("01"));
  expect_refused(hex("40"));
  expect_refused(hex("01 ffffffffffffffff 00"));
}

TEST(TransportParameters, IntegersFillTheirValueExactly) {
  expect_refused(hex("01 00"));       // empty
  expect_refused(hex("01 02 0505"));  // a byte too many
  expect_refused(hex("01 01 40"));    // cut short
  expect_refused(hex("3e 00"));
  expect_refused(hex("3e 02 0101"));
  expect_accepted(hex("01 02 4005"));  // longer form: allowed
}

TEST(TransportParameters, ValuesOutOfRangeAreRefused) {  // RFC 9000 §18.2, §4.6; draft-21 §2.1
  struct Limit {
    std::uint64_t id, good, bad;
  };
  for (const Limit& limit :
       {Limit{tp::kMaxUdpPayloadSize, 1200, 1199}, Limit{tp::kMaxUdpPayloadSize, kMaxVarint, 0},
        Limit{tp::kAckDelayExponent, 20, 21}, Limit{tp::kMaxAckDelay, (1 << 14) - 1, 1 << 14},
        Limit{tp::kActiveConnectionIdLimit, 2, 1}, Limit{tp::kActiveConnectionIdLimit, kMaxVarint, 0},
        Limit{tp::kInitialMaxStreamsBidi, kMaxStreamCount, kMaxStreamCount + 1},
        Limit{tp::kInitialMaxStreamsUni, kMaxStreamCount, kMaxStreamCount + 1},
        Limit{tp::kInitialMaxPathId, UINT32_MAX, std::uint64_t{1} << 32}}) {
    expect_accepted(parameter(limit.id, limit.good));
    expect_refused(parameter(limit.id, limit.bad));
  }
}

TEST(TransportParameters, ZeroPathsAreAnOffer) {  // draft-21 §2.1
  const auto decoded = decode(parameter(tp::kInitialMaxPathId, 0), Role::client);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->initial_max_path_id, 0U);
}

TEST(TransportParameters, FlagsHaveNoValue) {  // RFC 9000 §18.2, RFC 9287 §3
  for (const std::uint64_t id :
       {tp::kDisableActiveMigration, tp::kGreaseQuicBit, tp::kAddressAdvertisement, tp::kNumberedDatagrams}) {
    expect_accepted(parameter(id, Blob{}));
    expect_refused(parameter(id, hex("00")));
  }
}

TEST(TransportParameters, ConnectionIdsHaveAtMostTwentyBytes) {
  for (const std::uint64_t id :
       {tp::kOriginalDestinationConnectionId, tp::kInitialSourceConnectionId, tp::kRetrySourceConnectionId}) {
    expect_accepted(parameter(id, Blob{}));
    expect_accepted(parameter(id, Blob(20)));
    expect_refused(parameter(id, Blob(21)));
  }
}

TEST(TransportParameters, AResetTokenHasSixteenBytes) {
  expect_accepted(parameter(tp::kStatelessResetToken, Blob(16)));
  expect_refused(parameter(tp::kStatelessResetToken, Blob(15)));
  expect_refused(parameter(tp::kStatelessResetToken, Blob(17)));
  expect_refused(parameter(tp::kStatelessResetToken, Blob{}));
}

TEST(TransportParameters, AClientMustNotSendWhatIsTheServers) {  // RFC 9000 §18.2
  const Blob preferred = hex("c0000201 01bb" + std::string(32, '0') + "0000 01 aa" + std::string(32, '0'));
  for (const Blob& bytes :
       {parameter(tp::kOriginalDestinationConnectionId, Blob(8)), parameter(tp::kStatelessResetToken, Blob(16)),
        parameter(tp::kPreferredAddress, preferred), parameter(tp::kRetrySourceConnectionId, Blob(8))}) {
    expect_accepted(bytes, Role::server);
    expect_refused(bytes, Role::client);
  }
}

TEST(TransportParameters, APreferredAddressHasAConnectionId) {  // RFC 9000 §18.2
  const std::string addresses = "c0000201 01bb" + std::string(32, '0') + "0000";
  const std::string token(32, '0');
  expect_accepted(parameter(tp::kPreferredAddress, hex(addresses + "01 aa" + token)));
  expect_refused(parameter(tp::kPreferredAddress, hex(addresses + "00" + token)));
  expect_refused(parameter(tp::kPreferredAddress, hex(addresses + "15" + std::string(42, 'a') + token)));
  expect_refused(parameter(tp::kPreferredAddress, hex(addresses + "01 aa" + token + "00")));
  expect_refused(parameter(tp::kPreferredAddress, hex(addresses + "02 aa" + token)));
  expect_refused(parameter(tp::kPreferredAddress, hex(addresses)));
}

TEST(TransportParameters, APreferredAddressMayBeOfOneFamily) {
  TransportParameters p;
  p.preferred_address = PreferredAddress{.v4 = *SocketAddress::parse("192.0.2.1:443"), .id = cid("aa")};
  const auto decoded = decode(encoded(p, Role::server), Role::server);
  ASSERT_TRUE(decoded && decoded->preferred_address);
  EXPECT_EQ(decoded->preferred_address, p.preferred_address);
  EXPECT_TRUE(decoded->preferred_address->v6.ip.is_unspecified());
}

}  // namespace
}  // namespace mpquic
