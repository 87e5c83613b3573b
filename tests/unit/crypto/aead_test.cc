#include "stack/crypto/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "stack/crypto/evp_aead.h"
#include "stack/crypto/gcm_aead.h"
#include "stack/crypto/hkdf.h"
#include "stack/crypto/nonce.h"
#include "tests/unit/crypto/crypto_testing.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

template <std::size_t N = 12>
std::array<std::uint8_t, N> iv_of(std::string_view hex) {
  std::array<std::uint8_t, N> iv{};
  std::ranges::transform(from_hex(hex), iv.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return iv;
}

// draft-ietf-quic-multipath-21 §2.4, and the limits of its fields.
TEST(Nonce, CarriesThePathIdAboveThePacketNumber) {
  const auto iv = iv_of("6b26114b9cba2b63a9e8dd4f");
  EXPECT_EQ(to_hex(make_nonce(iv, PathId{3}, PacketNumber{54321})), "6b2611489cba2b63a9e8097e");
  EXPECT_EQ(to_hex(make_nonce(iv, PathId{0}, PacketNumber{54321})), "6b26114b9cba2b63a9e8097e");
  EXPECT_EQ(to_hex(make_nonce(iv, PathId{0xffffffff}, PacketNumber{kMaxVarint})), "94d9eeb4a345d49c561722b0");
}

// §2.4: longer IVs see zeros on the left.
TEST(Nonce, PadsOnTheLeftForLongerIvs) {
  const auto iv = iv_of<16>("000000006b26114b9cba2b63a9e8dd4f");
  EXPECT_EQ(to_hex(make_nonce(iv, PathId{3}, PacketNumber{54321})), "000000006b2611489cba2b63a9e8097e");
}

// RFC 9001 A.5.
TEST(Hkdf, DerivesTheChaChaKeysOfTheRfc) {
  const Buffer secret = from_hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
  Buffer key(32);
  Buffer iv(12);
  hkdf_expand_label(HashAlgorithm::sha256, secret, "quic key", key);
  hkdf_expand_label(HashAlgorithm::sha256, secret, "quic iv", iv);
  EXPECT_EQ(to_hex(key), "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8");
  EXPECT_EQ(to_hex(iv), "e0459b3474bdd0e44a41c144");
  EXPECT_EQ(to_hex(hkdf_expand_secret(HashAlgorithm::sha256, secret, "quic ku").view()),
            "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9");
}

// RFC 9001 A.5: the smallest packet that there can be.
TEST(Aead, SealsTheChaChaPacketOfTheRfc) {
  const Buffer secret = from_hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
  Aead aead(CipherSuite::chacha20_poly1305_sha256, AeadDirection::seal, secret);
  Buffer payload = from_hex("01");
  payload.resize(17);
  aead.seal(kInitialPath, PacketNumber{654360564}, from_hex("4200bff4"), payload);
  EXPECT_EQ(to_hex(payload), "655e5cd55c41f69080575d7999c25a5bfb");
}

class AeadOfSuite : public testing::TestWithParam<CipherSuite> {
 protected:
  Aead sealer_{GetParam(), AeadDirection::seal, secret_of(GetParam(), 9).view()};
  Aead opener_{GetParam(), AeadDirection::open, secret_of(GetParam(), 9).view()};
  Buffer header_ = sequence(21);
  Buffer plain_ = sequence(1200);

  Buffer sealed(PathId path, PacketNumber number, Bytes plain) {
    Buffer out(plain.begin(), plain.end());
    out.resize(plain.size() + kAeadTagSize);
    sealer_.seal(path, number, header_, out);
    return out;
  }
  bool opens(PathId path, PacketNumber number, Buffer packet) { return opener_.open(path, number, header_, packet); }
};

TEST_P(AeadOfSuite, RoundTripsAnySizeInAnyOrder) {
  for (const std::size_t size : {std::size_t{1200}, std::size_t{1}, std::size_t{0}, std::size_t{31}, std::size_t{32}}) {
    const PacketNumber number{1'000'000 - size};
    Buffer packet = sealed(PathId{2}, number, Bytes(plain_).first(size));
    ASSERT_TRUE(opener_.open(PathId{2}, number, header_, packet)) << size;
    EXPECT_TRUE(std::ranges::equal(Bytes(packet).first(size), Bytes(plain_).first(size))) << size;
  }
}

TEST_P(AeadOfSuite, EveryByteOfPacketAndHeaderIsAuthenticated) {
  const Buffer packet = sealed(PathId{0}, PacketNumber{7}, Bytes(plain_).first(70));
  for (std::size_t i = 0; i < packet.size(); ++i) {
    Buffer forged = packet;
    forged[i] ^= std::byte{0x10};
    EXPECT_FALSE(opens(PathId{0}, PacketNumber{7}, forged)) << i;
  }
  for (std::byte& byte : header_) {
    byte ^= std::byte{1};
    EXPECT_FALSE(opens(PathId{0}, PacketNumber{7}, packet));
    byte ^= std::byte{1};
  }
  EXPECT_TRUE(opens(PathId{0}, PacketNumber{7}, packet));
}

// draft-21 §2.4: the path ID is in the nonce, so a packet opens on its own path only.
TEST_P(AeadOfSuite, RefusesOtherPathsNumbersAndKeys) {
  const Buffer packet = sealed(PathId{3}, PacketNumber{7}, plain_);
  EXPECT_FALSE(opens(PathId{0}, PacketNumber{7}, packet));
  EXPECT_FALSE(opens(PathId{3}, PacketNumber{8}, packet));
  Aead other(GetParam(), AeadDirection::open, secret_of(GetParam(), 10).view());
  Buffer copy = packet;
  EXPECT_FALSE(other.open(PathId{3}, PacketNumber{7}, header_, copy));
}

TEST_P(AeadOfSuite, AnythingShorterThanATagFails) {
  Buffer packet = sequence(kAeadTagSize - 1);
  EXPECT_FALSE(opener_.open(PathId{0}, PacketNumber{0}, header_, packet));
  EXPECT_FALSE(opener_.open(PathId{0}, PacketNumber{0}, header_, {}));
}

TEST_P(AeadOfSuite, FailureDoesNotSpoilTheNextPacket) {
  const Buffer packet = sealed(PathId{0}, PacketNumber{1}, plain_);
  Buffer forged = packet;
  forged[0] ^= std::byte{1};
  EXPECT_FALSE(opens(PathId{0}, PacketNumber{1}, forged));
  EXPECT_TRUE(opens(PathId{0}, PacketNumber{1}, packet));
}

INSTANTIATE_TEST_SUITE_P(Suites, AeadOfSuite, testing::ValuesIn(kAllSuites));

class GcmOfSuite : public testing::TestWithParam<CipherSuite> {
 protected:
  Buffer key_ = sequence(key_size_of(GetParam()));
  AeadNonce nonce_ = iv_of("6b26114b9cba2b63a9e8dd4f");
  std::optional<GcmAead> gcm_ = GcmAead::make(GetParam(), key_);
  EvpAead sealer_{GetParam(), AeadDirection::seal, key_};
  EvpAead opener_{GetParam(), AeadDirection::open, key_};

  void SetUp() override {
    if (!gcm_) GTEST_SKIP() << "no libipsec-mb, or no AES instructions";
  }
};

// Two implementations; every length that packets have, each at another alignment and with another header.
TEST_P(GcmOfSuite, SealsWhatOpenSslSealsAndOpensIt) {
  for (std::size_t size = 0; size < 1600; ++size) {
    const Buffer header = sequence(size % 64);
    const std::size_t start = size % 17;
    Buffer packet = sequence(start + size + kAeadTagSize);
    Buffer twin = packet;
    const auto text = [&](Buffer& buffer) { return MutableBytes(buffer).subspan(start, size); };
    gcm_->seal(nonce_, header, text(packet), MutableBytes(packet).last(kAeadTagSize));
    sealer_.seal(nonce_, header, text(twin), MutableBytes(twin).last(kAeadTagSize));
    ASSERT_EQ(to_hex(packet), to_hex(twin)) << size;
    ASSERT_TRUE(opener_.open(nonce_, header, text(packet), MutableBytes(packet).last(kAeadTagSize))) << size;
    ASSERT_TRUE(gcm_->open(nonce_, header, text(twin), MutableBytes(twin).last(kAeadTagSize))) << size;
    ASSERT_TRUE(std::ranges::equal(text(packet), Bytes(sequence(start + size)).subspan(start))) << size;
    ASSERT_EQ(to_hex(packet), to_hex(twin)) << size;
  }
}

TEST_P(GcmOfSuite, BothRefuseWhatHasOneBitOfHeaderTextOrTagFlipped) {
  Buffer header = sequence(21);
  Buffer packet = sequence(100 + kAeadTagSize);
  const auto text = [](Buffer& buffer) { return MutableBytes(buffer).first(100); };
  const auto tag = [](Buffer& buffer) { return MutableBytes(buffer).last(kAeadTagSize); };
  gcm_->seal(nonce_, header, text(packet), tag(packet));
  const auto opens = [&] {
    Buffer copy = packet;
    Buffer twin = packet;
    const bool opened = gcm_->open(nonce_, header, text(copy), tag(copy));
    EXPECT_EQ(opener_.open(nonce_, header, text(twin), tag(twin)), opened);
    return opened;
  };
  for (Buffer* part : {&header, &packet})
    for (std::size_t bit = 0; bit < part->size() * 8; ++bit) {
      std::byte& byte = (*part)[bit / 8];
      byte ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_FALSE(opens()) << bit;
      byte ^= static_cast<std::byte>(1U << (bit % 8));
    }
  EXPECT_TRUE(opens());
}

INSTANTIATE_TEST_SUITE_P(Suites, GcmOfSuite,
                         testing::Values(CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384));

TEST(Aead, TheOtherSuitesAreNotForGcm) {
  EXPECT_FALSE(GcmAead::make(CipherSuite::chacha20_poly1305_sha256, sequence(32)));
  EXPECT_FALSE(GcmAead::make(CipherSuite::null, sequence(16)));
}

TEST(Aead, OnlyTheNullSuiteLeavesTheTextReadable) {
  for (const CipherSuite suite : kAllSuites) {
    Aead aead(suite, AeadDirection::seal, secret_of(suite, 1).view());
    Buffer packet = sequence(64 + kAeadTagSize);
    aead.seal(PathId{0}, PacketNumber{0}, {}, packet);
    EXPECT_EQ(std::ranges::equal(Bytes(packet).first(64), sequence(64)), suite == CipherSuite::null);
  }
}

TEST(Aead, TheNullSuiteSeesSwappedAndFlippedWords) {
  const auto key = secret_of(CipherSuite::null, 1);
  Aead sealer(CipherSuite::null, AeadDirection::seal, key.view());
  Aead opener(CipherSuite::null, AeadDirection::open, key.view());
  Buffer packet = sequence(1400 + kAeadTagSize);
  sealer.seal(PathId{0}, PacketNumber{0}, {}, packet);
  for (std::size_t i = 0; i + 64 < 1400; i += 8) {
    Buffer swapped = packet;  // words of one lane change places
    std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(i),
                     swapped.begin() + static_cast<std::ptrdiff_t>(i + 8),
                     swapped.begin() + static_cast<std::ptrdiff_t>(i + 64));
    const bool same = std::ranges::equal(swapped, packet);  // sequence() repeats after 256 bytes, lanes after 64
    EXPECT_EQ(opener.open(PathId{0}, PacketNumber{0}, {}, swapped), same) << i;
    Buffer flipped = packet;
    flipped[i] ^= std::byte{0x80};
    EXPECT_FALSE(opener.open(PathId{0}, PacketNumber{0}, {}, flipped)) << i;
  }
}

TEST(Aead, AMovedFromKeyIsAbsent) {
  for (const CipherSuite suite : kAllSuites) {
    Aead key(suite, AeadDirection::seal, secret_of(suite, 1).view());
    const Aead moved = std::move(key);
    EXPECT_TRUE(static_cast<bool>(moved));
    EXPECT_FALSE(static_cast<bool>(key));  // NOLINT(bugprone-use-after-move): that is the question
  }
  EXPECT_FALSE(static_cast<bool>(Aead()));
}

}  // namespace
}  // namespace mpquic
