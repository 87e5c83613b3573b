#include "stack/crypto/siphash.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

TEST(SipHash, AgreesWithItsPaper) {  // Appendix A: key 00..0f, message 00..0e
  std::array<std::byte, 15> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::byte>(i);
  EXPECT_EQ(SipHash({0x0706050403020100U, 0x0f0e0d0c0b0a0908U}).of(message), 0xa129ca6149be45e5U);
}

TEST(SipHash, DependsOnKeyLengthAndEveryByte) {
  const SipKey key{1, 2};
  std::array<std::byte, 16> message{};
  const std::uint64_t hash = SipHash(key).of(message);
  EXPECT_NE(SipHash({1, 3}).of(message), hash);
  EXPECT_NE(SipHash(key).of(Bytes(message).first(15)), hash);
  for (std::byte& byte : message) {
    byte = std::byte{1};
    EXPECT_NE(SipHash(key).of(message), hash);
    byte = std::byte{0};
  }
}

}  // namespace
}  // namespace mpquic
