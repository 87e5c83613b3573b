#include "stack/crypto/aead.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "stack/base/check.h"
#include "stack/crypto/hkdf.h"
#include "stack/crypto/nonce.h"

namespace mpquic {
namespace {

const char* cipher_name(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256: return "AES-128-GCM";
    case CipherSuite::aes_256_gcm_sha384: return "AES-256-GCM";
    case CipherSuite::chacha20_poly1305_sha256: return "ChaCha20-Poly1305";
    case CipherSuite::null: break;
  }
  return nullptr;
}

std::array<OSSL_PARAM, 2> tag_param(MutableBytes tag) {
  return {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
          OSSL_PARAM_construct_end()};
}

// The check value of the null suite: finds corruption and mix-ups, resists nobody.
constexpr std::uint64_t kCheckMultiplier = 0x9fb21c651e98df25U;

std::uint64_t load_u64(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

std::uint64_t mix(std::uint64_t state, std::uint64_t word) { return std::rotl((state ^ word) * kCheckMultiplier, 29); }

/// Two words that are added at once; GCC spills whatever is wider than SSE2.
using WordPair [[gnu::vector_size(2 * sizeof(std::uint64_t))]] = std::uint64_t;
static_assert(std::endian::native == std::endian::little, "pairs are loaded as they are");

/// Fletcher's sums over words, one pair of sums per lane: additions alone. The second sums make the order count; the
/// factors and mix() spread what the lanes found.
std::uint64_t check_of(std::uint64_t state, Bytes bytes) {
  constexpr std::size_t kLanes = 8;
  using Lanes = std::array<WordPair, kLanes / 2>;
  state = mix(state, bytes.size());
  if (bytes.size() >= sizeof(Lanes)) {
    Lanes sums{};
    Lanes sums_of_sums{};
    for (; bytes.size() >= sizeof(Lanes); bytes = bytes.subspan(sizeof(Lanes))) {
      for (std::size_t i = 0; i < sums.size(); ++i) {
        WordPair words;
        std::memcpy(&words, bytes.data() + sizeof(words) * i, sizeof(words));
        sums[i] += words;
        sums_of_sums[i] += sums[i];
      }
    }
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    for (std::size_t i = 0; i < kLanes; ++i) {  // by odd factors: no change of one lane is lost
      const std::uint64_t factor = kCheckMultiplier * (2 * i + 1);
      first += sums[i / 2][i % 2] * factor;
      second += sums_of_sums[i / 2][i % 2] * factor;
    }
    state = mix(mix(state, first), second);
  }
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t)))
    state = mix(state, load_u64(bytes.data()));
  std::array<std::byte, sizeof(std::uint64_t)> tail{};
  std::ranges::copy(bytes, tail.begin());
  return mix(state, load_u64(tail.data()));
}

using NullTag = std::array<std::byte, kAeadTagSize>;
NullTag null_tag(std::uint64_t seed, const std::array<std::uint8_t, kAeadIvSize>& nonce, Bytes header, Bytes payload) {
  const std::uint64_t bound = check_of(check_of(seed, std::as_bytes(std::span(nonce))), header);
  const std::uint64_t check = check_of(bound, payload);
  NullTag tag;
  for (std::size_t i = 0; i < 8; ++i) {
    tag[i] = static_cast<std::byte>(check >> (8 * i));
    tag[8 + i] = static_cast<std::byte>(mix(check, seed) >> (8 * i));  // samples of header protection want variety
  }
  return tag;
}

}  // namespace

Aead::Aead(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv) { set_key(suite, direction, key, iv); }

Aead::Aead(CipherSuite suite, AeadDirection direction, Bytes secret) {
  std::array<std::byte, kMaxAeadKeySize> key;
  std::array<std::byte, kAeadIvSize> iv;
  const MutableBytes used_key = MutableBytes(key).first(key_size_of(suite));
  hkdf_expand_label(hash_of(suite), secret, "quic key", used_key);
  hkdf_expand_label(hash_of(suite), secret, "quic iv", iv);
  set_key(suite, direction, used_key, iv);
  OPENSSL_cleanse(key.data(), key.size());
}

void Aead::set_key(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv) {
  MPQUIC_CHECK(key.size() == key_size_of(suite) && iv.size() == iv_.size());
  std::memcpy(iv_.data(), iv.data(), iv_.size());
  if (suite == CipherSuite::null) {
    null_seed_ = load_u64(key.data());
    return;
  }
  // Fetched once per key: afterwards a packet only changes the IV.
  const CipherHandle cipher(EVP_CIPHER_fetch(nullptr, cipher_name(suite), nullptr));
  context_.reset(EVP_CIPHER_CTX_new());
  MPQUIC_CHECK(cipher != nullptr && context_ != nullptr);
  const int encrypt = direction == AeadDirection::seal ? 1 : 0;
  MPQUIC_CHECK(EVP_CipherInit_ex2(context_.get(), cipher.get(), u8(key), iv_.data(), encrypt, nullptr) == 1);
}

void Aead::seal(PathId path, PacketNumber number, Bytes header, MutableBytes payload) {
  MPQUIC_CHECK(*this && payload.size() >= kAeadTagSize);
  const AeadNonce nonce = make_nonce(iv_, path, number);
  last_nonce_ = nonce;
  const MutableBytes plain = payload.first(payload.size() - kAeadTagSize);
  const MutableBytes tag = payload.last(kAeadTagSize);
  if (null_seed_) {
    const NullTag check = null_tag(*null_seed_, nonce, header, plain);
    std::memcpy(tag.data(), check.data(), check.size());
    return;
  }
  EVP_CIPHER_CTX* context = context_.get();
  auto params = tag_param(tag);
  int written = 0;
  const bool sealed = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
                      EVP_EncryptUpdate(context, nullptr, &written, u8(header), static_cast<int>(header.size())) == 1 &&
                      EVP_EncryptUpdate(context, u8(plain), &written, u8(plain), static_cast<int>(plain.size())) == 1 &&
                      EVP_EncryptFinal_ex(context, u8(tag), &written) == 1 &&
                      EVP_CIPHER_CTX_get_params(context, params.data()) == 1;
  MPQUIC_CHECK(sealed);
}

bool Aead::open(PathId path, PacketNumber number, Bytes header, MutableBytes payload) {
  MPQUIC_CHECK(*this);
  if (payload.size() < kAeadTagSize) return false;
  const auto nonce = make_nonce(iv_, path, number);
  const MutableBytes sealed = payload.first(payload.size() - kAeadTagSize);
  const MutableBytes tag = payload.last(kAeadTagSize);
  if (null_seed_) {
    const NullTag check = null_tag(*null_seed_, nonce, header, sealed);
    return std::memcmp(tag.data(), check.data(), check.size()) == 0;
  }
  EVP_CIPHER_CTX* context = context_.get();
  auto params = tag_param(tag);
  int written = 0;
  return EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
         EVP_CIPHER_CTX_set_params(context, params.data()) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &written, u8(header), static_cast<int>(header.size())) == 1 &&
         EVP_DecryptUpdate(context, u8(sealed), &written, u8(sealed), static_cast<int>(sealed.size())) == 1 &&
         EVP_DecryptFinal_ex(context, u8(tag), &written) == 1;
}

}  // namespace mpquic
