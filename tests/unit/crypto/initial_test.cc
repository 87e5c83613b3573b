#include "stack/crypto/initial.h"

#include <gtest/gtest.h>

#include "stack/crypto/aead.h"
#include "stack/crypto/header_protection.h"
#include "stack/crypto/hkdf.h"
#include "tests/unit/crypto/crypto_testing.h"
#include "tests/vectors/rfc9001.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

const ConnectionId kDcid(from_hex(rfc9001::kClientDestinationId));

struct Keys {
  std::string key;
  std::string iv;
  std::string hp;
  bool operator==(const Keys&) const = default;
};
Keys keys_of(const TrafficSecret& secret) {
  Buffer key(16);
  Buffer iv(12);
  Buffer hp(16);
  hkdf_expand_label(HashAlgorithm::sha256, secret.view(), "quic key", key);
  hkdf_expand_label(HashAlgorithm::sha256, secret.view(), "quic iv", iv);
  hkdf_expand_label(HashAlgorithm::sha256, secret.view(), "quic hp", hp);
  return {to_hex(key), to_hex(iv), to_hex(hp)};
}

// RFC 9001 A.1.
TEST(InitialSecrets, AreThoseOfTheRfc) {
  const InitialSecrets secrets = derive_initial_secrets(kDcid);
  EXPECT_EQ(to_hex(secrets.client.view()), "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
  EXPECT_EQ(to_hex(secrets.server.view()), "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b");
  EXPECT_EQ(keys_of(secrets.client),
            (Keys{"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"}));
  EXPECT_EQ(keys_of(secrets.server),
            (Keys{"cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314"}));
}

// RFC 9001 A.2: the ClientHello of the vector, padded to a datagram of 1,200 bytes.
TEST(InitialPacket, OfTheClientIsThatOfTheRfc) {
  Buffer packet = from_hex(rfc9001::kClientInitialHeader);
  const std::size_t header = packet.size();
  const Buffer crypto = from_hex(
      "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c"
      "00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006"
      "001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa4"
      "7fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e040305"
      "0306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ff"
      "ff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff");
  packet.insert(packet.end(), crypto.begin(), crypto.end());
  packet.resize(1200);
  const InitialSecrets secrets = derive_initial_secrets(kDcid);
  Aead aead(CipherSuite::aes_128_gcm_sha256, AeadDirection::seal, secrets.client.view());
  aead.seal(kInitialPath, PacketNumber{2}, Bytes(packet).first(header), MutableBytes(packet).subspan(header));
  HeaderProtection protection(CipherSuite::aes_128_gcm_sha256, secrets.client.view());
  apply_header_mask(protection.mask(Bytes(packet).subspan(header, 16)), packet, header - 4);

  EXPECT_EQ(to_hex(Bytes(packet).first(header)), rfc9001::kClientInitialProtectedHeader);
  EXPECT_EQ(to_hex(Bytes(packet).subspan(header, 32)),
            "d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d");
  EXPECT_EQ(to_hex(Bytes(packet).last(16)), "e221af44860018ab0856972e194cd934");
}

// RFC 9001 A.3, there and back.
TEST(InitialPacket, OfTheServerIsThatOfTheRfc) {
  constexpr std::string_view kProtected =
      "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf7"
      "3c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f"
      "58891850abbdca3d20398c276456cbc42158407dd074ee";
  Buffer packet = from_hex(rfc9001::kServerInitialHeader);
  const std::size_t header = packet.size();
  const Buffer payload = from_hex(rfc9001::kServerInitialPayload);
  packet.insert(packet.end(), payload.begin(), payload.end());
  packet.resize(packet.size() + kAeadTagSize);
  const InitialSecrets secrets = derive_initial_secrets(kDcid);
  Aead sealer(CipherSuite::aes_128_gcm_sha256, AeadDirection::seal, secrets.server.view());
  sealer.seal(kInitialPath, PacketNumber{1}, Bytes(packet).first(header), MutableBytes(packet).subspan(header));
  HeaderProtection protection(CipherSuite::aes_128_gcm_sha256, secrets.server.view());
  // The sample starts four bytes after the packet number, which has two.
  apply_header_mask(protection.mask(Bytes(packet).subspan(header + 2, 16)), packet, header - 2);
  EXPECT_EQ(to_hex(packet), kProtected);

  EXPECT_EQ(remove_header_mask(protection.mask(Bytes(packet).subspan(header + 2, 16)), packet, header - 2), 2U);
  Aead opener(CipherSuite::aes_128_gcm_sha256, AeadDirection::open, secrets.server.view());
  ASSERT_TRUE(
      opener.open(kInitialPath, PacketNumber{1}, Bytes(packet).first(header), MutableBytes(packet).subspan(header)));
  EXPECT_EQ(to_hex(Bytes(packet).subspan(header, payload.size())), rfc9001::kServerInitialPayload);
}

// RFC 9001 A.4.
TEST(RetryIntegrity, IsThatOfTheRfc) {
  const Buffer retry = from_hex(rfc9001::kRetry);
  const RetryIntegrityTag tag = retry_integrity_tag(kDcid, Bytes(retry).first(retry.size() - 16));
  EXPECT_EQ(to_hex(Bytes(tag)), rfc9001::kRetryTag);
  EXPECT_TRUE(verify_retry(kDcid, retry));
}

TEST(RetryIntegrity, RefusesEveryChange) {
  const Buffer retry = from_hex(rfc9001::kRetry);
  for (std::size_t i = 0; i < retry.size(); ++i) {
    Buffer forged = retry;
    forged[i] ^= std::byte{1};
    EXPECT_FALSE(verify_retry(kDcid, forged)) << i;
  }
  EXPECT_FALSE(verify_retry(ConnectionId(from_hex("8394c8f03e515709")), retry));
  EXPECT_FALSE(verify_retry(ConnectionId(), retry));
  EXPECT_FALSE(verify_retry(kDcid, Bytes(retry).first(15)));
  EXPECT_FALSE(verify_retry(kDcid, {}));
}

}  // namespace
}  // namespace mpquic
