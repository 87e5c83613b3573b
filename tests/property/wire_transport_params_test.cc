#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stack/wire/transport_params.h"
#include "tests/property/wire_generators.h"

namespace mpquic {
namespace {

using testing::any_bool;
using testing::any_bytes;
using testing::any_connection_id;
using testing::any_varint;
using testing::between;

template <class Make>
auto maybe(Make make) -> std::optional<decltype(make())> {
  if (any_bool()) return make();
  return std::nullopt;
}

PreferredAddress any_preferred_address() {
  PreferredAddress address;
  address.v4 = {IpAddress::v4({static_cast<std::uint8_t>(between(0, 255)), 2, 3, 4}), 443};
  address.v6 = {IpAddress::v6({static_cast<std::uint8_t>(between(0, 255))}),
                static_cast<std::uint16_t>(between(0, 65'535))};
  address.id = any_connection_id(1);
  address.reset_token = testing::any_array<16>();
  return address;
}

TransportParameters any_parameters(Role sender) {
  const bool server = sender == Role::server;
  TransportParameters p;
  const auto id = [] { return any_connection_id(); };
  if (server) {
    p.original_destination_connection_id = maybe(id);
    p.stateless_reset_token = maybe([] { return testing::any_array<16>(); });
    p.preferred_address = maybe(any_preferred_address);
    p.retry_source_connection_id = maybe(id);
  }
  p.initial_source_connection_id = maybe(id);
  p.max_idle_timeout = any_varint();
  p.max_udp_payload_size = between(kMinMaxUdpPayloadSize, kMaxVarint);
  p.initial_max_data = any_varint();
  p.initial_max_stream_data_bidi_local = any_varint();
  p.initial_max_stream_data_bidi_remote = any_varint();
  p.initial_max_stream_data_uni = any_varint();
  p.initial_max_streams_bidi = any_varint(kMaxStreamCount);
  p.initial_max_streams_uni = any_varint(kMaxStreamCount);
  p.ack_delay_exponent = between(0, kMaxAckDelayExponent);
  p.max_ack_delay = between(0, kMaxMaxAckDelay);
  p.disable_active_migration = any_bool();
  p.active_connection_id_limit = between(kMinActiveConnectionIdLimit, kMaxVarint);
  p.max_datagram_frame_size = any_varint();
  p.grease_quic_bit = any_bool();
  p.initial_max_path_id = maybe([] { return any_varint(kMaxPathIdValue); });
  p.address_advertisement = any_bool();
  p.numbered_datagrams = any_bool();
  p.reserved_number = maybe([] { return between(0, kMaxReservedNumber); });
  return p;
}

RC_GTEST_PROP(WireTransportParameters, AnyRoundTrips, ()) {
  const Role sender = any_bool() ? Role::client : Role::server;
  TransportParameters parameters = any_parameters(sender);
  std::vector<std::byte> encoded;
  encode(parameters, sender, encoded);
  const auto decoded = decode(encoded, sender);
  RC_ASSERT(decoded.has_value());
  parameters.reserved_number.reset();  // not for the receiver's eyes
  RC_ASSERT(*decoded == parameters);
}

RC_GTEST_PROP(WireTransportParameters, WhatDecodesEncodesToTheSame, ()) {
  const Role sender = any_bool() ? Role::client : Role::server;
  std::vector<std::byte> bytes;
  if (any_bool()) encode(any_parameters(sender), sender, bytes);
  const auto noise = any_bytes(0, 30);
  bytes.insert(bytes.end(), noise.begin(), noise.end());
  if (!bytes.empty() && any_bool()) {
    bytes[static_cast<std::size_t>(between(0, bytes.size() - 1))] ^= static_cast<std::byte>(between(1, 255));
  }
  const auto decoded = decode(bytes, sender);
  if (!decoded) {
    RC_ASSERT(decoded.error().code == error::kTransportParameterError);
    return;
  }
  std::vector<std::byte> again;
  encode(*decoded, sender, again);
  const auto twice = decode(again, sender);
  RC_ASSERT(twice.has_value());
  RC_ASSERT(*twice == *decoded);
}

RC_GTEST_PROP(WireTransportParameters, AnyParameterTwiceIsRefused, ()) {
  TransportParameters parameters;
  parameters.max_idle_timeout = between(1, kMaxVarint);
  parameters.reserved_number = between(0, kMaxReservedNumber);
  std::vector<std::byte> bytes;
  encode(parameters, Role::client, bytes);
  if (any_bool())
    parameters.max_idle_timeout = 0;
  else
    parameters.reserved_number.reset();
  encode(parameters, Role::client, bytes);
  RC_ASSERT(!decode(bytes, Role::client).has_value());
}

}  // namespace
}  // namespace mpquic
