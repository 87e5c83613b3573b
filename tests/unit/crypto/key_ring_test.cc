#include "stack/crypto/key_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "tests/unit/crypto/crypto_testing.h"

namespace mpquic {
namespace {

using namespace crypto_testing;
using namespace std::chrono_literals;

constexpr Duration kInterval = 300ms;  // three PTOs

/// A sealed packet on its way: what header protection would carry beside the bytes.
struct InFlight {
  PathId path;
  PacketNumber number;
  bool key_phase = false;
  Buffer payload;
};

class KeyRingPair : public testing::Test {
 protected:
  explicit KeyRingPair(KeyRingOptions options = {}, CipherSuite suite = CipherSuite::aes_128_gcm_sha256)
      : client_(options), server_(options) {
    for (KeyRing* keys : {&client_, &server_}) {
      install_all(*keys, suite, keys == &client_ ? Role::client : Role::server);
      keys->set_update_interval(kInterval);
      keys->set_handshake_confirmed();
    }
  }

  InFlight seal(KeyRing& from, std::uint64_t number, std::uint32_t path = 0) {
    InFlight packet{PathId{path}, PacketNumber{number}, from.write_key_phase(), sequence(40)};
    from.seal(kOneRtt, packet.path, packet.number, header_, packet.payload);
    return packet;
  }
  [[nodiscard]] std::expected<KeyRing::Opened, OpenFailure> open(KeyRing& to, InFlight packet) {
    return to.open({kOneRtt, packet.path, packet.number, packet.key_phase, header_, packet.payload}, now_);
  }
  /// One packet there, one back that acknowledges it.
  void exchange(KeyRing& from, KeyRing& to, std::uint64_t number, std::uint32_t path = 0) {
    ASSERT_TRUE(open(to, seal(from, number, path)));
    ASSERT_TRUE(open(from, seal(to, number, path)));
    ASSERT_TRUE(from.on_acked(PathId{path}, PacketNumber{number}, false, now_));
    ASSERT_TRUE(to.on_acked(PathId{path}, PacketNumber{number}, false, now_));
  }
  void update(KeyRing& keys) {
    keys.request_update();
    const std::uint64_t before = keys.update_count();
    ASSERT_TRUE(keys.before_sending(now_));
    ASSERT_EQ(keys.update_count(), before + 1);
  }
  static std::uint64_t error_of(const std::expected<KeyRing::Opened, OpenFailure>& opened) {
    if (opened) return 0;
    const auto* error = std::get_if<TransportError>(&opened.error());
    return error != nullptr ? error->code : 0;
  }
  static bool dropped(const std::expected<KeyRing::Opened, OpenFailure>& opened, DropReason reason) {
    return !opened && opened.error() == OpenFailure(reason);
  }

  KeyRing client_;
  KeyRing server_;
  Buffer header_ = sequence(12);
  Instant now_{1s};
};

TEST(KeyRing, KeysComeAndGoByLevelAndDirection) {
  KeyRing keys;
  EXPECT_FALSE(keys.has_read(EncryptionLevel::initial));
  keys.install_initial(ConnectionId(as_bytes("12345678")), Role::client);
  EXPECT_TRUE(keys.has_read(EncryptionLevel::initial));
  EXPECT_TRUE(keys.has_write(EncryptionLevel::initial));
  keys.install({EncryptionLevel::handshake, true, CipherSuite::aes_256_gcm_sha384,
                secret_of(CipherSuite::aes_256_gcm_sha384, 1)});
  EXPECT_TRUE(keys.has_write(EncryptionLevel::handshake));
  EXPECT_FALSE(keys.has_read(EncryptionLevel::handshake));
  keys.discard(EncryptionLevel::initial);
  EXPECT_FALSE(keys.has_read(EncryptionLevel::initial));
  EXPECT_FALSE(keys.has_write(EncryptionLevel::initial));
  EXPECT_TRUE(keys.has_write(EncryptionLevel::handshake));
  EXPECT_FALSE(keys.has_write(kOneRtt));
  EXPECT_FALSE(keys.has_read(EncryptionLevel::zero_rtt));
}

TEST(KeyRing, InitialKeysOfBothRolesFit) {
  const ConnectionId dcid(as_bytes("12345678"));
  KeyRing client;
  KeyRing server;
  client.install_initial(dcid, Role::client);
  server.install_initial(dcid, Role::server);
  for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
    Buffer packet = sequence(60);
    from->seal(EncryptionLevel::initial, kInitialPath, PacketNumber{0}, as_bytes("header"), packet);
    EXPECT_TRUE(to->open({EncryptionLevel::initial, kInitialPath, PacketNumber{0}, false, as_bytes("header"), packet},
                         Instant{}));
  }
}

TEST_F(KeyRingPair, PacketsOfAllPathsOpenOnTheirOwnPathOnly) {
  for (const std::uint32_t path : {0U, 3U, 0xffffffffU}) {
    const InFlight packet = seal(client_, 0, path);
    InFlight misrouted = packet;
    misrouted.path = PathId{path ^ 1};
    EXPECT_TRUE(dropped(open(server_, misrouted), DropReason::decryption_failed));
    EXPECT_TRUE(open(server_, packet));
  }
}

// Lessons, line 1: a nonce that repeats gives the key away.
using KeyRingDeathTest = KeyRingPair;
TEST_F(KeyRingDeathTest, ThePacketNumberOfAPathNeverRepeats) {
  static_cast<void>(seal(client_, 5, 1));
  static_cast<void>(seal(client_, 5, 2));  // another path, another nonce
  EXPECT_DEATH(static_cast<void>(seal(client_, 5, 1)), "next_number");
  EXPECT_DEATH(static_cast<void>(seal(client_, 4, 1)), "next_number");
  client_.forget_path(PathId{1});
  EXPECT_DEATH(static_cast<void>(seal(client_, 6, 1)), "forgotten");
}
TEST_F(KeyRingDeathTest, NorDoesThatOfAHandshakeSpaceAcrossNewKeys) {
  KeyRing keys;
  keys.install_initial(ConnectionId(as_bytes("one")), Role::client);
  Buffer packet = sequence(40);
  keys.seal(EncryptionLevel::initial, kInitialPath, PacketNumber{0}, {}, packet);
  keys.install_initial(ConnectionId(as_bytes("two")), Role::client);  // RFC 9000 §17.2.5.3: Retry resets no numbers
  EXPECT_DEATH(keys.seal(EncryptionLevel::initial, kInitialPath, PacketNumber{0}, {}, packet), "next_number");
}

// --- RFC 9001 §6

TEST_F(KeyRingPair, AnUpdateFlipsTheKeyPhaseAndThePeerFollows) {
  exchange(client_, server_, 0);
  update(client_);
  EXPECT_TRUE(client_.write_key_phase());
  EXPECT_FALSE(server_.write_key_phase());
  const auto opened = open(server_, seal(client_, 1));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->key_phase_changed);
  EXPECT_TRUE(server_.write_key_phase());  // §6.2: before it acknowledges anything
  const auto answer = open(client_, seal(server_, 1));
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->key_phase_changed);
  EXPECT_EQ(client_.update_count(), 1U);
  EXPECT_EQ(server_.update_count(), 1U);
}

TEST_F(KeyRingPair, ManyUpdatesByTurnsKeepBothSidesInStep) {
  std::uint64_t number = 0;
  exchange(client_, server_, number++);
  for (int i = 0; i < 20; ++i) {
    now_ += kInterval;
    KeyRing& initiator = i % 3 == 0 ? server_ : client_;
    KeyRing& follower = i % 3 == 0 ? client_ : server_;
    update(initiator);
    exchange(initiator, follower, number++, 0);
    exchange(initiator, follower, number, 7);
  }
  EXPECT_EQ(client_.update_count(), 20U);
  EXPECT_EQ(server_.update_count(), 20U);
}

TEST_F(KeyRingPair, UpdatesOnBothSidesAtOnceAreOneUpdate) {
  exchange(client_, server_, 0);
  update(client_);
  update(server_);
  EXPECT_TRUE(open(server_, seal(client_, 1)));
  EXPECT_TRUE(open(client_, seal(server_, 1)));
  EXPECT_EQ(client_.update_count(), 1U);
  EXPECT_EQ(server_.update_count(), 1U);
}

// §6.1: only once the handshake is confirmed, each update only after the last was acknowledged; §6.5: and three PTOs.
TEST_F(KeyRingPair, AnUpdateWaitsForConfirmationAcknowledgementAndThreePtos) {
  KeyRing unconfirmed;
  install_all(unconfirmed, CipherSuite::aes_128_gcm_sha256, Role::client);
  unconfirmed.on_current_phase_acked(now_);
  unconfirmed.request_update();
  EXPECT_FALSE(unconfirmed.can_update(now_));
  ASSERT_TRUE(unconfirmed.before_sending(now_));
  EXPECT_EQ(unconfirmed.update_count(), 0U);
  unconfirmed.set_handshake_confirmed();
  ASSERT_TRUE(unconfirmed.before_sending(now_));
  EXPECT_EQ(unconfirmed.update_count(), 1U);

  EXPECT_FALSE(client_.can_update(now_));  // nothing of this phase is acknowledged
  exchange(client_, server_, 0);
  update(client_);
  EXPECT_FALSE(client_.can_update(now_ + 10 * kInterval));
  exchange(client_, server_, 1);
  EXPECT_FALSE(client_.can_update(now_));
  EXPECT_FALSE(client_.can_update(now_ + kInterval - 1ns));
  EXPECT_TRUE(client_.can_update(now_ + kInterval));
}

TEST_F(KeyRingPair, AcknowledgementsOfThePreviousPhaseDoNotCount) {
  static_cast<void>(seal(client_, 0));
  static_cast<void>(seal(client_, 1));
  exchange(client_, server_, 2);
  update(client_);
  EXPECT_TRUE(client_.on_acked(PathId{0}, PacketNumber{1}, false, now_));
  EXPECT_TRUE(client_.on_acked(PathId{9}, PacketNumber{1}, false, now_));  // a path without a packet
  ASSERT_TRUE(open(server_, seal(client_, 3)));
  ASSERT_TRUE(open(client_, seal(server_, 3)));
  now_ += kInterval;
  EXPECT_FALSE(client_.can_update(now_));
}

// §6.5: packets from before the update arrive after it, and still open for three PTOs.
TEST_F(KeyRingPair, LatePacketsOpenWithPreviousKeysUntilTheDeadline) {
  exchange(client_, server_, 0);
  const InFlight late = seal(client_, 1);
  const InFlight later = seal(client_, 2, 5);  // on a path that has no packet of the new phase
  const InFlight too_late = seal(client_, 3);
  update(client_);
  ASSERT_TRUE(open(server_, seal(client_, 4)));
  for (const InFlight& packet : {late, later}) {
    const auto opened = open(server_, packet);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->previous_generation);
    EXPECT_FALSE(opened->key_phase_changed);
  }
  ASSERT_EQ(server_.next_deadline(), now_ + kInterval);
  now_ += kInterval;
  server_.on_deadline(now_);
  EXPECT_FALSE(server_.next_deadline());
  EXPECT_TRUE(dropped(open(server_, too_late), DropReason::decryption_failed));
  EXPECT_EQ(server_.update_count(), 1U);
}

// §6.5: with previous keys still there, numbers above those of the current phase mean the next one.
TEST_F(KeyRingPair, PacketNumbersTellPreviousFromNext) {
  exchange(client_, server_, 0);
  const InFlight late = seal(client_, 1);
  update(client_);
  exchange(client_, server_, 2);
  now_ += kInterval;
  server_.set_update_interval(100 * kInterval);  // the server would keep old keys for longer than the client waits
  update(client_);
  const InFlight next = seal(client_, 3);
  ASSERT_TRUE(open(server_, next));
  EXPECT_EQ(server_.update_count(), 2U);
  EXPECT_TRUE(dropped(open(server_, late), DropReason::decryption_failed));  // two generations old
}

// §6.4.
TEST_F(KeyRingPair, OldKeysOnAHigherPacketNumberAreAnError) {
  exchange(client_, server_, 0);
  KeyRing liar;
  install_all(liar, CipherSuite::aes_128_gcm_sha256, Role::client);
  const InFlight old_but_high = seal(liar, 10);
  update(client_);
  const InFlight new_but_low = seal(client_, 5);
  ASSERT_TRUE(open(server_, old_but_high));
  EXPECT_EQ(error_of(open(server_, new_but_low)), error::kKeyUpdateError);
}

TEST_F(KeyRingPair, OldKeysBetweenPacketsOfTheNewPhaseAreAnError) {
  exchange(client_, server_, 0);
  KeyRing liar;
  install_all(liar, CipherSuite::aes_128_gcm_sha256, Role::client);
  const InFlight old_in_between = seal(liar, 7);
  update(client_);
  const InFlight five = seal(client_, 5);
  const InFlight nine = seal(client_, 9);
  ASSERT_TRUE(open(server_, nine));
  ASSERT_TRUE(open(server_, old_in_between));  // below everything new so far: only late
  EXPECT_EQ(error_of(open(server_, five)), error::kKeyUpdateError);
}

// draft-21 §2.5: packet numbers of different paths say nothing about each other.
TEST_F(KeyRingPair, KeyPhasesOfOtherPathsAreNotCompared) {
  exchange(client_, server_, 0);
  const InFlight old_on_path_1 = seal(client_, 1000, 1);
  update(client_);
  ASSERT_TRUE(open(server_, seal(client_, 1, 0)));
  EXPECT_TRUE(open(server_, old_on_path_1));
  EXPECT_TRUE(open(server_, seal(client_, 0, 2)));
  EXPECT_TRUE(open(server_, seal(client_, 1001, 1)));
}

// §6.2.
TEST_F(KeyRingPair, ASecondUpdateWithoutAnAcknowledgementIsAnError) {
  exchange(client_, server_, 0);
  KeyRing hasty;
  install_all(hasty, CipherSuite::aes_128_gcm_sha256, Role::client);
  hasty.set_handshake_confirmed();
  hasty.set_update_interval(Duration{});
  hasty.on_current_phase_acked(now_);
  update(hasty);
  ASSERT_TRUE(open(server_, seal(hasty, 1)));
  // It pretends to have had an answer, made with keys that it can compute itself.
  KeyRing answer;
  install_all(answer, CipherSuite::aes_128_gcm_sha256, Role::server);
  answer.set_handshake_confirmed();
  answer.on_current_phase_acked(now_);
  update(answer);
  ASSERT_TRUE(open(hasty, seal(answer, 0)));
  hasty.on_current_phase_acked(now_);
  update(hasty);
  EXPECT_EQ(error_of(open(server_, seal(hasty, 2))), error::kKeyUpdateError);
}

// §6.2: an acknowledgement must be protected with keys at least as new as what it acknowledges.
TEST_F(KeyRingPair, AcknowledgingNewPacketsWithOldKeysIsAnError) {
  exchange(client_, server_, 0);
  update(client_);
  static_cast<void>(seal(client_, 1));
  ASSERT_TRUE(open(client_, seal(server_, 1)));  // still the old phase
  const auto acked = client_.on_acked(PathId{0}, PacketNumber{1}, false, now_);
  ASSERT_FALSE(acked);
  EXPECT_EQ(acked.error().code, error::kKeyUpdateError);
}

TEST_F(KeyRingPair, AForgedKeyPhaseBitChangesNothing) {
  exchange(client_, server_, 0);
  InFlight packet = seal(client_, 1);
  packet.key_phase = !packet.key_phase;
  EXPECT_TRUE(dropped(open(server_, packet), DropReason::decryption_failed));
  EXPECT_EQ(server_.update_count(), 0U);
  packet.key_phase = !packet.key_phase;
  EXPECT_TRUE(open(server_, packet));
}

TEST_F(KeyRingPair, PacketsOfAForgottenPathAreDropped) {
  exchange(client_, server_, 0, 4);
  const InFlight late = seal(client_, 1, 4);
  server_.forget_path(PathId{4});
  EXPECT_TRUE(dropped(open(server_, late), DropReason::path_abandoned));
  EXPECT_TRUE(open(server_, seal(client_, 0, 5)));
}

// --- RFC 9001 §6.6: limits count over all paths (draft-21 §7.3)

class LimitedKeyRings : public KeyRingPair {
 protected:
  LimitedKeyRings() : KeyRingPair({.update_after_packets = 0, .limits = AeadLimits{1000, 3}}) {}
};

TEST_F(LimitedKeyRings, HalfTheConfidentialityLimitStartsAnUpdate) {
  exchange(client_, server_, 0);
  for (std::uint64_t i = 1; i < 250; ++i) {
    static_cast<void>(seal(client_, i, 0));
    static_cast<void>(seal(client_, i, 1));
  }
  EXPECT_FALSE(client_.wants_update());
  static_cast<void>(seal(client_, 250, 1));
  EXPECT_TRUE(client_.wants_update());
  ASSERT_TRUE(client_.before_sending(now_));
  EXPECT_EQ(client_.update_count(), 1U);
  EXPECT_FALSE(client_.wants_update());
}

TEST_F(LimitedKeyRings, AtTheConfidentialityLimitNothingMoreIsSent) {
  for (std::uint64_t i = 0; i < 872; ++i) static_cast<void>(seal(client_, i));
  ASSERT_TRUE(client_.before_sending(now_));  // no acknowledgement, no update; a train still fits
  static_cast<void>(seal(client_, 872));
  const auto sending = client_.before_sending(now_);
  ASSERT_FALSE(sending);
  EXPECT_EQ(sending.error().code, error::kAeadLimitReached);
}

TEST_F(LimitedKeyRings, ForgeriesBeyondTheIntegrityLimitCloseTheConnection) {
  for (std::uint64_t i = 0; i < 4; ++i) {
    InFlight forged = seal(client_, i, static_cast<std::uint32_t>(i));
    forged.payload[0] ^= std::byte{1};
    const auto opened = open(server_, forged);
    if (i < 3) {
      EXPECT_TRUE(dropped(opened, DropReason::decryption_failed));
    } else {
      EXPECT_EQ(error_of(opened), error::kAeadLimitReached);
    }
  }
}

class FrequentUpdates : public KeyRingPair {
 protected:
  FrequentUpdates() : KeyRingPair({.update_after_packets = 10, .limits = {}}, CipherSuite::null) {}
};

TEST_F(FrequentUpdates, HappenAfterTheConfiguredNumberOfPackets) {
  std::uint64_t number = 0;
  for (int update = 1; update <= 3; ++update) {
    for (int i = 0; i < 10; ++i) exchange(client_, server_, number++);
    now_ += kInterval;
    ASSERT_TRUE(client_.before_sending(now_));
    EXPECT_EQ(client_.update_count(), static_cast<std::uint64_t>(update));
  }
}

/// Whether `memory` holds that secret.
bool contains(Bytes memory, Bytes secret) { return !std::ranges::search(memory, secret).empty(); }

// In its own memory a key ring has neither the secrets of a generation that is over, nor any once it is gone.
TEST(KeyRingMemory, HoldsNoSecretLongerThanNeeded) {
  constexpr auto kSuite = CipherSuite::aes_256_gcm_sha384;
  const TrafficSecret secret = secret_of(kSuite, 0x21);  // the client's, 1-RTT
  const std::array<std::function<void(KeyRing&)>, 3> ends = {
      [](KeyRing& keys) { std::destroy_at(&keys); },
      [](KeyRing& keys) {
        keys.discard(kOneRtt);
        std::destroy_at(&keys);
      },
      [&](KeyRing& keys) {
        keys.set_handshake_confirmed();
        keys.on_current_phase_acked(Instant{});
        keys.request_update();
        ASSERT_TRUE(keys.before_sending(Instant{}));
        ASSERT_EQ(keys.update_count(), 1U);
      },
  };
  for (const auto& end : ends) {
    alignas(KeyRing) std::array<std::byte, sizeof(KeyRing)> memory{};
    auto* keys = new (memory.data()) KeyRing;
    install_all(*keys, kSuite, Role::client);
    ASSERT_TRUE(contains(memory, secret.view()));
    end(*keys);
    EXPECT_FALSE(contains(memory, secret.view()));
    if (&end == &ends.back()) std::destroy_at(keys);
  }
}

// RFC 9001 appendix B.
TEST(AeadLimitsOfSuites, AreThoseOfTheRfc) {
  EXPECT_EQ(limits_of(CipherSuite::aes_128_gcm_sha256).confidentiality, 1ULL << 23);
  EXPECT_EQ(limits_of(CipherSuite::aes_256_gcm_sha384).integrity, 1ULL << 52);
  EXPECT_EQ(limits_of(CipherSuite::chacha20_poly1305_sha256).integrity, 1ULL << 36);
}

}  // namespace
}  // namespace mpquic
