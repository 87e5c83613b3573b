// Builder and opener against each other: everything that one writes the other reads (RFC 9001 §5, draft-21 §2.4, §2.5).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "stack/packet/builder.h"
#include "stack/packet/opener.h"
#include "tests/unit/crypto/crypto_testing.h"
#include "tests/vectors/rfc9001.h"

namespace mpquic {
namespace {

using namespace crypto_testing;
using namespace std::chrono_literals;

constexpr auto kInitial = EncryptionLevel::initial;
constexpr auto kHandshake = EncryptionLevel::handshake;
constexpr auto kOneRtt = EncryptionLevel::one_rtt;
constexpr std::size_t kCidLength = 8;
constexpr Duration kInterval = 300ms;

using Opening = std::expected<OpenedPacket, OpenFailure>;

class PacketTest : public testing::Test {
 protected:
  PacketTest() { start(CipherSuite::aes_128_gcm_sha256); }

  void start(CipherSuite suite) {
    client_ = KeyRing();
    server_ = KeyRing();
    client_.install_initial(server_id_, Role::client);
    server_.install_initial(server_id_, Role::server);
    for (KeyRing* keys : {&client_, &server_}) {
      install_all(*keys, suite, keys == &client_ ? Role::client : Role::server);
      keys->set_handshake_confirmed();
      keys->set_update_interval(kInterval);
    }
  }

  PacketPlan plan(EncryptionLevel level, std::uint64_t number, std::uint32_t path = 0) const {
    return {.level = level,
            .path = PathId{path},
            .number = PacketNumber{number},
            .largest_acked = {},
            .dcid = server_id_,
            .scid = client_id_,
            .token = {}};
  }

  /// One packet of the client with `payload`, alone in its datagram.
  Buffer datagram(const PacketPlan& packet, Bytes payload, std::size_t pad_to = 0) {
    Buffer buffer(1452);
    DatagramWriter writer(buffer);
    EXPECT_TRUE(writer.begin_datagram(buffer.size()));
    add(writer, packet, payload, pad_to);
    writer.flush(client_);
    buffer.resize(writer.size());
    return buffer;
  }
  BuiltPacket add(DatagramWriter& writer, const PacketPlan& packet, Bytes payload, std::size_t pad_to = 0) {
    PacketBuilder builder(packet, client_, writer);
    const std::size_t size = std::min(payload.size(), builder.room().size());
    std::ranges::copy(payload.first(size), builder.room().begin());
    return builder.finish(size, pad_to);
  }

  Opening open(MutableBytes packet, std::uint32_t path = 0, std::optional<PacketNumber> largest = {}) {
    const auto parsed = parse_packet(packet, kCidLength);
    if (!parsed) return std::unexpected(parsed.error());
    return PacketOpener().open(*parsed, server_, {PathId{path}, largest, now_});
  }
  static bool dropped(const Opening& opened, DropReason reason) {
    return !opened && opened.error() == OpenFailure(reason);
  }
  static std::uint64_t error_of(const Opening& opened) {
    const auto* error = opened ? nullptr : std::get_if<TransportError>(&opened.error());
    return error != nullptr ? error->code : 0;
  }

  ConnectionId server_id_{as_bytes("server!!")};
  ConnectionId client_id_{as_bytes("client")};
  KeyRing client_;
  KeyRing server_;
  Instant now_{1s};
};

class PacketOfSuite : public PacketTest, public testing::WithParamInterface<CipherSuite> {
 protected:
  PacketOfSuite() { start(GetParam()); }
};

TEST_P(PacketOfSuite, RoundTripsAtEveryLevel) {
  for (const auto level : {kInitial, kHandshake, kOneRtt}) {
    Buffer packet = datagram(plan(level, 3), sequence(700));
    const Opening opened = open(packet);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->level, level);
    EXPECT_EQ(opened->number, PacketNumber{3});
    EXPECT_TRUE(std::ranges::equal(opened->payload, sequence(700)));
    EXPECT_FALSE(opened->key_phase_changed);
  }
}

// draft-21 §2.4: the path ID of the connection ID decides, not what the packet says.
TEST_P(PacketOfSuite, OpensOnItsOwnPathOnly) {
  for (const std::uint32_t path : {0U, 3U}) {
    const Buffer packet = datagram(plan(kOneRtt, 1, path), sequence(100));
    for (const std::uint32_t claimed : {0U, 1U, 3U}) {
      Buffer copy = packet;
      const Opening opened = open(copy, claimed);
      EXPECT_EQ(opened.has_value(), claimed == path);
      if (claimed != path) {
        EXPECT_TRUE(dropped(opened, DropReason::decryption_failed));
      } else {
        EXPECT_EQ(opened->path, PathId{path});
      }
    }
  }
}

TEST_P(PacketOfSuite, CoalescesThreeLevelsInOneDatagram) {
  Buffer buffer(1200);
  DatagramWriter writer(buffer);
  ASSERT_TRUE(writer.begin_datagram(1200));
  add(writer, plan(kInitial, 0), sequence(100));
  add(writer, plan(kHandshake, 0), sequence(300));
  const BuiltPacket last = add(writer, plan(kOneRtt, 0), sequence(20), 1200);
  EXPECT_GT(last.padding, 0U);
  EXPECT_EQ(writer.size(), 1200U);
  writer.flush(client_);

  MutableBytes rest(buffer);
  for (const auto& [level, size] : {std::pair(kInitial, 100U), std::pair(kHandshake, 300U), std::pair(kOneRtt, 20U)}) {
    const auto parsed = parse_packet(rest, kCidLength);
    ASSERT_TRUE(parsed);
    const Opening opened = PacketOpener().open(*parsed, server_, {PathId{0}, {}, now_});
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->level, level);
    EXPECT_TRUE(std::ranges::equal(opened->payload.first(size), sequence(size)));
    rest = rest.subspan(parsed->consumed);
  }
  EXPECT_TRUE(rest.empty());
}

TEST_P(PacketOfSuite, ATrainOfManyPacketsIsProtectedInOnePass) {
  Buffer buffer(65527);
  DatagramWriter writer(buffer);
  std::uint64_t number = 1000;
  while (writer.begin_datagram(1000)) {
    PacketPlan packet = plan(kOneRtt, number++, 3);
    packet.largest_acked = PacketNumber{999};
    add(writer, packet, sequence(2000));
  }
  EXPECT_EQ(writer.datagram_count(), DatagramWriter::kMaxDatagrams);
  EXPECT_EQ(writer.segment_size(), 1000U);
  writer.flush(client_);
  std::optional<PacketNumber> largest = PacketNumber{999};
  for (std::size_t at = 0; at < writer.size(); at += writer.segment_size()) {
    const Opening opened = open(MutableBytes(buffer).subspan(at, writer.segment_size()), 3, largest);
    ASSERT_TRUE(opened) << at;
    EXPECT_EQ(opened->number, largest->next());
    largest = opened->number;
  }
}

TEST_P(PacketOfSuite, EveryBitIsAuthenticated) {
  const Buffer packet = datagram(plan(kOneRtt, 1), sequence(10));
  for (std::size_t bit = 8; bit < packet.size() * 8; ++bit) {
    Buffer forged = packet;
    forged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(open(forged)) << bit;
  }
  Buffer copy = packet;
  EXPECT_TRUE(open(copy));
}

INSTANTIATE_TEST_SUITE_P(Suites, PacketOfSuite, testing::ValuesIn(kAllSuites));

// --- Builder

// RFC 9001 §5.4.2: whatever the payload, header protection finds its sample.
TEST_F(PacketTest, TinyPayloadsArePaddedForTheSample) {
  struct Case {
    std::uint64_t number;
    std::size_t number_and_payload;
  };
  for (const auto& [number, size] : {Case{0, 4}, Case{300, 4}, Case{70'000, 4}, Case{20'000'000, 5}}) {
    Buffer packet = datagram(plan(kOneRtt, number), as_bytes("\x01"));
    EXPECT_EQ(packet.size(), 1 + kCidLength + size + kAeadTagSize) << number;
    const Opening opened = open(packet, 0, PacketNumber{number == 0 ? 0 : number - 1});
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->number, PacketNumber{number});
    EXPECT_EQ(opened->payload[0], std::byte{1});
  }
}

// RFC 9000 §14.1: datagrams with Initial packets, and path probes, are padded.
TEST_F(PacketTest, PaddingFillsTheDatagramAndIsReported) {
  Buffer buffer(1452);
  DatagramWriter writer(buffer);
  ASSERT_TRUE(writer.begin_datagram(1452));
  const BuiltPacket built = add(writer, plan(kInitial, 0), sequence(200), kMinInitialDatagram);
  EXPECT_EQ(built.size, kMinInitialDatagram);
  EXPECT_EQ(writer.size(), kMinInitialDatagram);
  EXPECT_EQ(add(writer, plan(kOneRtt, 0), sequence(30)).padding, 0U);
  writer.flush(client_);
  const Opening opened = open(buffer);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->payload.size(), 200 + built.padding);
  EXPECT_TRUE(std::ranges::all_of(opened->payload.subspan(200), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_F(PacketTest, APacketMayBePaddingOnly) {
  Buffer packet = datagram(plan(kHandshake, 0), {}, 1200);
  EXPECT_EQ(packet.size(), 1200U);
  EXPECT_TRUE(open(packet));
}

TEST_F(PacketTest, PaddingEndsAtTheDatagram) {
  Buffer packet = datagram(plan(kOneRtt, 0), sequence(10), 9000);
  EXPECT_EQ(packet.size(), 1452U);
  EXPECT_TRUE(open(packet));
}

TEST_F(PacketTest, AnAbandonedPacketLeavesNoTrace) {
  Buffer buffer(1200);
  DatagramWriter writer(buffer);
  ASSERT_TRUE(writer.begin_datagram(1200));
  {
    const PacketPlan abandoned = plan(kHandshake, 0);
    PacketBuilder builder(abandoned, client_, writer);
    EXPECT_FALSE(builder.room().empty());
  }
  EXPECT_TRUE(writer.empty());
  add(writer, plan(kOneRtt, 0), sequence(50));
  writer.flush(client_);
  EXPECT_TRUE(open(MutableBytes(buffer).first(writer.size())));
}

TEST_F(PacketTest, WithoutSpaceThereIsNoRoom) {
  Buffer buffer(1200);
  for (std::size_t size = 1; size < 60; ++size) {
    DatagramWriter writer(MutableBytes(buffer).first(size));
    ASSERT_TRUE(writer.begin_datagram(size));
    const PacketPlan packet = plan(kOneRtt, 0);
    PacketBuilder builder(packet, client_, writer);
    const std::size_t smallest = 1 + kCidLength + 4 + kAeadTagSize;
    EXPECT_EQ(builder.room().empty(), size < smallest) << size;
  }
}

TEST_F(PacketTest, InitialPacketsCarryTheToken) {
  const Buffer token = sequence(300);
  PacketPlan packet = plan(kInitial, 0);
  packet.token = token;
  Buffer bytes = datagram(packet, sequence(100), 1200);
  const auto parsed = parse_packet(bytes, kCidLength);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(std::ranges::equal(parsed->token, token));
  EXPECT_EQ(parsed->scid, client_id_);
  EXPECT_TRUE(open(bytes));
}

TEST_F(PacketTest, FixedAndSpinBitsAreThoseOfThePlan) {
  PacketPlan packet = plan(kOneRtt, 0);
  packet.fixed_bit = false;  // RFC 9287
  packet.spin = true;
  Buffer bytes = datagram(packet, sequence(10));
  EXPECT_EQ(bytes[0] & std::byte{first_byte::kFixedBit}, std::byte{0});
  const Opening opened = open(bytes);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->spin);
}

// --- Opener

// RFC 9001 A.5, opened with nothing but its secret.
TEST_F(PacketTest, OpensTheShortPacketOfTheRfc) {
  const Buffer secret = from_hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
  TlsSecretReady ready{kOneRtt, false, CipherSuite::chacha20_poly1305_sha256, {}};
  std::ranges::copy(secret, ready.secret.bytes.begin());
  ready.secret.size = secret.size();
  KeyRing keys;
  keys.install(ready);
  Buffer packet = from_hex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb");
  const auto parsed = parse_packet(packet, 0);
  ASSERT_TRUE(parsed);
  const Opening opened = PacketOpener().open(*parsed, keys, {PathId{0}, PacketNumber{654360563}, now_});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->number, PacketNumber{654360564});
  EXPECT_EQ(to_hex(opened->payload), "01");
}

TEST_F(PacketTest, WithoutKeysThePacketIsDropped) {
  Buffer packet = datagram(plan(kHandshake, 0), sequence(100));
  server_.discard(kHandshake);
  EXPECT_TRUE(dropped(open(packet), DropReason::keys_unavailable));
}

TEST_F(PacketTest, PacketsTooShortForASampleAreDropped) {
  const Buffer packet = datagram(plan(kOneRtt, 0), sequence(10));
  for (std::size_t size = 1 + kCidLength + 1; size < 1 + kCidLength + 4 + 16; ++size) {
    Buffer cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(dropped(open(cut), DropReason::malformed_header)) << size;
  }
}

TEST_F(PacketTest, RetryIsNotToBeOpened) {
  Buffer retry = from_hex(rfc9001::kRetry);
  EXPECT_TRUE(dropped(open(retry), DropReason::unexpected_packet_type));
}

/// A packet as only a misbehaving peer would seal it: `first` and `payload` as given, packet number 1 in one byte.
Buffer sealed_by_hand(KeyRing& keys, std::uint8_t first, Bytes header_rest, Bytes payload) {
  Buffer packet = {std::byte{first}};
  packet.insert(packet.end(), header_rest.begin(), header_rest.end());
  const std::size_t number_offset = packet.size();
  packet.resize(number_offset + (first & 3U) + 1);
  packet.back() = std::byte{1};
  const std::size_t header = packet.size();
  packet.insert(packet.end(), payload.begin(), payload.end());
  packet.resize(packet.size() + kAeadTagSize);
  keys.seal(kOneRtt, kInitialPath, PacketNumber{1}, Bytes(packet).first(header), MutableBytes(packet).subspan(header));
  HeaderSample sample;
  std::memcpy(sample.data(), packet.data() + number_offset + 4, sample.size());
  HeaderMask mask;
  keys.write_masks(kOneRtt, std::span(&sample, 1), std::span(&mask, 1));
  apply_header_mask(mask, packet, number_offset);
  return packet;
}

// RFC 9000 §17.3.1: only after the packet is authentic.
TEST_F(PacketTest, ReservedBitsAreAProtocolViolation) {
  const Buffer packet = sealed_by_hand(client_, 0x48, as_bytes("server!!"), sequence(20));
  Buffer forged = packet;
  forged.back() ^= std::byte{1};
  EXPECT_TRUE(dropped(open(forged), DropReason::decryption_failed));
  Buffer copy = packet;
  EXPECT_EQ(error_of(open(copy)), error::kProtocolViolation);
}

// RFC 9000 §12.4.
TEST_F(PacketTest, PacketsWithoutFramesAreAProtocolViolation) {
  Buffer packet = sealed_by_hand(client_, 0x43, as_bytes("server!!"), {});
  EXPECT_EQ(error_of(open(packet)), error::kProtocolViolation);
}

// --- Key update on the wire (RFC 9001 §6)

TEST_F(PacketTest, KeyUpdatesSurviveReordering) {
  Buffer before = datagram(plan(kOneRtt, 0), sequence(30));
  Buffer late = datagram(plan(kOneRtt, 1), sequence(30));
  Buffer late_elsewhere = datagram(plan(kOneRtt, 0, 3), sequence(30));
  ASSERT_TRUE(open(before));
  client_.on_current_phase_acked(now_);
  client_.request_update();
  ASSERT_TRUE(client_.before_sending(now_));
  Buffer first = datagram(plan(kOneRtt, 2), sequence(30));
  Buffer second = datagram(plan(kOneRtt, 1, 3), sequence(30));

  const Opening changed = open(first, 0, PacketNumber{0});
  ASSERT_TRUE(changed);
  EXPECT_TRUE(changed->key_phase_changed);
  const Opening old = open(late, 0, PacketNumber{2});
  ASSERT_TRUE(old);
  EXPECT_TRUE(old->previous_generation);
  const Opening same = open(second, 3);
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->key_phase_changed);
  ASSERT_TRUE(open(late_elsewhere, 3, PacketNumber{1}));
  EXPECT_TRUE(server_.write_key_phase());
}

// Not a benchmark: it shows that a core protects packets at a rate worth having, and prints it.
TEST_F(PacketTest, Throughput) {
  constexpr int kTrains = 20;
  Buffer buffer(65527);
  std::uint64_t number = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTrains; ++i) {
    DatagramWriter writer(buffer);
    while (writer.begin_datagram(1200)) {
      PacketPlan packet = plan(kOneRtt, number, 1);
      packet.largest_acked = number > 0 ? std::optional(PacketNumber{number - 1}) : std::nullopt;
      ++number;
      PacketBuilder builder(packet, client_, writer);
      builder.finish(builder.room().size());
    }
    writer.flush(client_);
  }
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  std::printf("%llu packets of 1,200 bytes, %.0f ns each\n", static_cast<unsigned long long>(number),
              time.count() / static_cast<double>(number));
  EXPECT_EQ(number, kTrains * (65527 / 1200));
}

}  // namespace
}  // namespace mpquic
