#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "stack/endpoint/endpoint.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

class NoTls final : public TlsProvider {
 public:
  Result<std::unique_ptr<TlsSession>> make_session(const TlsSessionOptions&) override {
    return fail(error::kInternalError, "this provider makes none");
  }
};

const FourTuple kTuple{{IpAddress::v4({10, 0, 0, 1}), 4000}, {IpAddress::v4({192, 0, 2, 1}), 443}};

ConnectOptions good_options() {
  ConnectOptions options;
  options.tuple = kTuple;
  options.server_name = "localhost";
  options.tls = std::make_shared<NoTls>();
  return options;
}

/// Each breaks one field, which the error has to name.
struct BadConfig {
  std::string field;
  std::function<void(ConnectionConfig&)> spoil;
};
const std::vector<BadConfig>& bad_configs() {
  using C = ConnectionConfig;
  static const std::vector<BadConfig> all{
      {"max_data", [](C& c) { c.max_data = 0; }},
      {"max_data", [](C& c) { c.max_data = UINT64_MAX; }},
      {"max_stream_data", [](C& c) { c.max_stream_data = 0; }},
      {"max_streams_bidi", [](C& c) { c.max_streams_bidi = (std::uint64_t{1} << 60) + 1; }},
      {"max_streams_uni", [](C& c) { c.max_streams_uni = UINT64_MAX; }},
      {"send_buffer", [](C& c) { c.send_buffer = 0; }},
      {"max_datagram_frame_size", [](C& c) { c.max_datagram_frame_size = UINT64_MAX; }},
      {"datagram_send_queue_bytes", [](C& c) { c.datagram_send_queue_bytes = SIZE_MAX; }},
      {"datagram_receive_queue_bytes", [](C& c) { c.datagram_receive_queue_bytes = SIZE_MAX; }},
      {"idle_timeout", [](C& c) { c.idle_timeout = -1s; }},
      {"idle_timeout", [](C& c) { c.idle_timeout = Duration::max(); }},
      {"handshake_timeout", [](C& c) { c.handshake_timeout = 0s; }},
      {"keep_alive", [](C& c) { c.keep_alive = -1ms; }},
      {"max_ack_delay", [](C& c) { c.max_ack_delay = 20s; }},
      {"congestion_control", [](C& c) { c.congestion_control = "cubik"; }},
      {"initial_rtt", [](C& c) { c.initial_rtt = 0s; }},
      {"initial_datagram_size", [](C& c) { c.initial_datagram_size = 0; }},
      {"initial_datagram_size", [](C& c) { c.initial_datagram_size = 1'000'000; }},
      {"max_datagram_size", [](C& c) { c.max_datagram_size = 1199; }},
      {"scheduler", [](C& c) { c.scheduler = "min-rtt"; }},
      {"duplication", [](C& c) { c.duplication = ""; }},
      {"duplicate_copies", [](C& c) { c.duplicate_copies = 0; }},
      {"duplicate_copies", [](C& c) { c.duplicate_copies = 8; }},
      {"reinjection", [](C& c) { c.reinjection = "head"; }},
      {"max_paths", [](C& c) { c.max_paths = 0; }},
      {"max_paths", [](C& c) { c.max_paths = 65; }},
      {"active_connection_id_limit", [](C& c) { c.active_connection_id_limit = 1; }},
      {"active_connection_id_limit", [](C& c) { c.active_connection_id_limit = UINT64_MAX; }},
      {"preferred_v4",
       [](C& c) {
         c.preferred_v4 = SocketAddress{IpAddress::v6({1}), 443};
       }},
      {"preferred_v6",
       [](C& c) {
         c.preferred_v6 = SocketAddress{IpAddress::v6({0x20}), 0};
       }},
  };
  return all;
}

TEST(Validate, TheDefaultsAreFine) {
  EXPECT_TRUE(validate(ConnectionConfig{}));
  EXPECT_TRUE(validate(EndpointConfig{}));
  EXPECT_TRUE(validate(good_options()));
}

TEST(Validate, EveryBadValueIsNamed) {
  for (const BadConfig& bad : bad_configs()) {
    ConnectionConfig config;
    bad.spoil(config);
    const auto valid = validate(config);
    ASSERT_FALSE(valid) << bad.field;
    EXPECT_EQ(valid.error().field, bad.field) << valid.error().text();
    EXPECT_FALSE(valid.error().reason.empty());
  }
  EndpointConfig endpoint;
  endpoint.max_connections = SIZE_MAX;
  EXPECT_EQ(validate(endpoint).error().field, "max_connections");
}

TEST(Validate, AnUnknownNameIsAnsweredByTheKnownOnes) {
  ConnectionConfig config;
  config.scheduler = "fastest";
  EXPECT_EQ(validate(config).error().reason, "there is no 'fastest', only min_rtt, round_robin");
}

TEST(Validate, AnEndpointWithABadConfigurationSpeaksToNobodyAndSaysWhy) {
  for (const BadConfig& bad : bad_configs()) {
    SeededRng rng(1);
    EndpointConfig config;
    bad.spoil(config.connection);
    config.server_tls = std::make_shared<NoTls>();
    Endpoint endpoint(config, rng);
    ASSERT_FALSE(endpoint.configured()) << bad.field;
    const auto connected = endpoint.connect(good_options(), Instant{});
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().field, "connection." + bad.field);
    std::vector<std::byte> initial(1200);  // to a version that we do not speak: a good server answers
    initial[0] = std::byte{0xc0};
    initial[1] = initial[5] = std::byte{8};
    endpoint.receive({kTuple, Ecn::not_ect, initial, initial.size()}, Instant{});
    std::vector<std::byte> out(1500);
    EXPECT_FALSE(endpoint.poll_transmit(out, Instant{}));
  }
}

TEST(Validate, WhatConnectCannotWorkWithIsNamed) {
  using O = ConnectOptions;
  const std::vector<std::pair<std::string, std::function<void(O&)>>> all{
      {"tuple.remote", [](O& o) { o.tuple.remote.port = 0; }},
      {"tuple.remote", [](O& o) { o.tuple.remote = {}; }},
      {"tuple.remote",
       [](O& o) {
         o.tuple.remote.ip = IpAddress::v4({239, 1, 1, 1});
       }},
      {"tuple.local", [](O& o) { o.tuple.local.ip = IpAddress::v6({1}); }},
      {"tuple.local", [](O& o) { o.tuple.local = o.tuple.remote; }},
      {"tls", [](O& o) { o.tls = nullptr; }},
      {"server_name", [](O& o) { o.server_name.assign(256, 'a'); }},
      {"server_name", [](O& o) { o.server_name = std::string("a\0b", 3); }},
      {"token", [](O& o) { o.token.resize(kMaxAddressToken + 1); }},
      {"version", [](O& o) { o.version = 0; }},
  };
  SeededRng rng(1);
  Endpoint endpoint({}, rng);
  for (const auto& [field, spoil] : all) {
    ConnectOptions options = good_options();
    spoil(options);
    const auto connected = endpoint.connect(options, Instant{});
    ASSERT_FALSE(connected) << field;
    EXPECT_EQ(connected.error().field, field);
  }
  const auto connected = endpoint.connect(good_options(), Instant{});
  ASSERT_FALSE(connected);  // what TLS says no to is no reason to abort either
  EXPECT_EQ(connected.error(), (ConfigError{"tls", "this provider makes none"}));
  EXPECT_EQ(endpoint.connection_count(), 0U);
}

}  // namespace
}  // namespace mpquic
