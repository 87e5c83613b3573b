#include "stack/crypto/header_protection.h"

#include <gtest/gtest.h>

#include "stack/crypto/initial.h"
#include "tests/unit/crypto/crypto_testing.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

const ConnectionId kClientDcid(from_hex("8394c8f03e515708"));

// RFC 9001 A.2 and A.3.
TEST(HeaderProtection, GivesTheAesMasksOfTheRfc) {
  const InitialSecrets secrets = derive_initial_secrets(kClientDcid);
  HeaderProtection client(CipherSuite::aes_128_gcm_sha256, secrets.client.view());
  HeaderProtection server(CipherSuite::aes_128_gcm_sha256, secrets.server.view());
  EXPECT_EQ(to_hex(client.mask(from_hex("d1b1c98dd7689fb8ec11d242b123dc9b"))), "437b9aec36");
  EXPECT_EQ(to_hex(server.mask(from_hex("2cd0991cd25b0aac406a5816b6394100"))), "2ec0d8356a");
}

// RFC 9001 A.5.
TEST(HeaderProtection, GivesTheChaChaMaskOfTheRfc) {
  const Buffer secret = from_hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
  HeaderProtection protection(CipherSuite::chacha20_poly1305_sha256, secret);
  EXPECT_EQ(to_hex(protection.mask(from_hex("5e5cd55c41f69080575d7999c25a5bfb"))), "aefefe7d03");
}

TEST(HeaderProtection, BatchesGiveTheMasksOfSingleSamples) {
  for (const CipherSuite suite : kAllSuites) {
    HeaderProtection protection(suite, secret_of(suite, 5).view());
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{63}, kMaxMaskBatch}) {
      std::vector<HeaderSample> samples(count);
      for (std::size_t i = 0; i < count; ++i) samples[i].fill(static_cast<std::uint8_t>(i * 3 + 1));
      std::vector<HeaderMask> masks(count);
      protection.masks(samples, masks);
      for (std::size_t i = 0; i < count; ++i)
        EXPECT_EQ(masks[i], protection.mask(std::as_bytes(std::span(samples[i])))) << i << " of " << count;
    }
  }
}

TEST(HeaderProtection, TheNullSuiteProtectsNothing) {
  HeaderProtection protection(CipherSuite::null, secret_of(CipherSuite::null, 1).view());
  EXPECT_TRUE(static_cast<bool>(protection));
  EXPECT_EQ(protection.mask(sequence(16)), HeaderMask{});
}

// RFC 9001 §5.4.1: four bits in long headers, five in short ones, and the packet number.
TEST(HeaderProtection, TouchesOnlyTheProtectedFields) {
  HeaderMask all_ones;
  all_ones.fill(0xff);
  for (const unsigned first : {0xc0U, 0xc3U, 0x40U, 0x43U, 0x7fU, 0xffU}) {
    Buffer packet(12, std::byte{0x55});
    packet[0] = static_cast<std::byte>(first);
    const Buffer plain = packet;
    const std::size_t length = (first & 3) + 1;
    EXPECT_EQ(apply_header_mask(all_ones, packet, 5), length);
    EXPECT_EQ(packet[0], plain[0] ^ ((first & 0x80) != 0 ? std::byte{0x0f} : std::byte{0x1f}));
    for (std::size_t i = 1; i < packet.size(); ++i) {
      const bool in_number = i >= 5 && i < 5 + length;
      EXPECT_EQ(packet[i], in_number ? std::byte{0xaa} : std::byte{0x55}) << i;
    }
    EXPECT_EQ(remove_header_mask(all_ones, packet, 5), length);
    EXPECT_EQ(packet, plain);
  }
}

}  // namespace
}  // namespace mpquic
