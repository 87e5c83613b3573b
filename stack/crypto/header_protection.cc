#include "stack/crypto/header_protection.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "stack/base/check.h"
#include "stack/crypto/hkdf.h"
#include "stack/wire/header.h"

namespace mpquic {
namespace {

constexpr std::size_t kMaskSize = std::tuple_size_v<HeaderMask>;

const char* mask_cipher_name(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256: return "AES-128-ECB";
    case CipherSuite::aes_256_gcm_sha384: return "AES-256-ECB";
    case CipherSuite::chacha20_poly1305_sha256: return "ChaCha20";
    case CipherSuite::null: break;
  }
  return nullptr;
}

// RFC 9001 §5.4.1: four bits of a long header's first byte are protected, five of a short one's.
std::uint8_t protected_bits(std::byte first) {
  return (std::to_integer<std::uint8_t>(first) & first_byte::kLongForm) != 0 ? 0x0f : 0x1f;
}

std::size_t number_length(std::byte first) {
  return (std::to_integer<std::size_t>(first) & first_byte::kPacketNumberLength) + 1;
}

void mask_number(const HeaderMask& mask, MutableBytes number) {
  for (std::size_t i = 0; i < number.size(); ++i) number[i] ^= std::byte{mask[1 + i]};
}

}  // namespace

HeaderProtection::HeaderProtection(CipherSuite suite, Bytes secret)
    : chacha_(suite == CipherSuite::chacha20_poly1305_sha256), null_(suite == CipherSuite::null) {
  if (null_) return;
  std::array<std::byte, kMaxAeadKeySize> key;
  const MutableBytes used_key = MutableBytes(key).first(key_size_of(suite));
  hkdf_expand_label(hash_of(suite), secret, "quic hp", used_key);
  const CipherHandle cipher(EVP_CIPHER_fetch(nullptr, mask_cipher_name(suite), nullptr));
  context_.reset(EVP_CIPHER_CTX_new());
  MPQUIC_CHECK(cipher != nullptr && context_ != nullptr);
  MPQUIC_CHECK(EVP_EncryptInit_ex2(context_.get(), cipher.get(), u8(used_key), nullptr, nullptr) == 1);
  // Whole blocks in, whole blocks out, at once.
  MPQUIC_CHECK(EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1);
  OPENSSL_cleanse(key.data(), key.size());
}

HeaderMask HeaderProtection::mask(Bytes sample) {
  HeaderSample copy;
  std::memcpy(copy.data(), sample.data(), copy.size());
  HeaderMask out{};
  masks(std::span(&copy, 1), std::span(&out, 1));
  return out;
}

void HeaderProtection::masks(std::span<const HeaderSample> samples, std::span<HeaderMask> out) {
  MPQUIC_CHECK(samples.size() == out.size() && samples.size() <= kMaxMaskBatch);
  if (samples.empty()) return;
  if (null_) {
    std::ranges::fill(out, HeaderMask{});
    return;
  }
  if (chacha_) {
    for (std::size_t i = 0; i < samples.size(); ++i) chacha_mask(samples[i].data(), out[i]);
    return;
  }
  // RFC 9001 §5.4.3: AES-ECB of the sample, and the samples lie side by side.
  std::array<HeaderSample, kMaxMaskBatch> encrypted;
  int written = 0;
  const auto size = static_cast<int>(samples.size_bytes());
  MPQUIC_CHECK(EVP_EncryptUpdate(context_.get(), encrypted[0].data(), &written, samples[0].data(), size) == 1);
  MPQUIC_CHECK(written == size);
  for (std::size_t i = 0; i < out.size(); ++i) std::memcpy(out[i].data(), encrypted[i].data(), kMaskSize);
}

// RFC 9001 §5.4.4: the sample is block counter and nonce, just as OpenSSL lays out its 16-byte IV.
void HeaderProtection::chacha_mask(const std::uint8_t* sample, HeaderMask& out) {
  static constexpr HeaderMask kZeros{};
  int written = 0;
  MPQUIC_CHECK(EVP_EncryptInit_ex(context_.get(), nullptr, nullptr, nullptr, sample) == 1);
  MPQUIC_CHECK(EVP_EncryptUpdate(context_.get(), out.data(), &written, kZeros.data(), kMaskSize) == 1);
}

std::size_t apply_header_mask(const HeaderMask& mask, MutableBytes packet, std::size_t packet_number_offset) {
  const std::size_t length = number_length(packet[0]);
  packet[0] ^= std::byte{mask[0]} & std::byte{protected_bits(packet[0])};
  mask_number(mask, packet.subspan(packet_number_offset, length));
  return length;
}

std::size_t remove_header_mask(const HeaderMask& mask, MutableBytes packet, std::size_t packet_number_offset) {
  packet[0] ^= std::byte{mask[0]} & std::byte{protected_bits(packet[0])};
  const std::size_t length = number_length(packet[0]);
  mask_number(mask, packet.subspan(packet_number_offset, length));
  return length;
}

}  // namespace mpquic
