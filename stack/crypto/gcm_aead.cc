#include "stack/crypto/gcm_aead.h"

#include "stack/base/check.h"

#ifdef MPQUIC_HAVE_IPSEC_MB
#define NO_COMPAT_IMB_API_053  // old names of its, some of which are functions of OpenSSL
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <array>
#include <cstdint>

namespace mpquic {
namespace {

struct Functions {
  aes_gcm_pre_t expand = nullptr;
  aes_gcm_enc_dec_t seal = nullptr;
  aes_gcm_enc_dec_t open = nullptr;
};
struct Library {
  Functions aes128;
  Functions aes256;
};

/// The library looks at the processor only, not at whether the operating system keeps the registers.
bool may_run(IMB_ARCH architecture) {
  switch (architecture) {
    case IMB_ARCH_SSE: return true;
    case IMB_ARCH_AVX: return __builtin_cpu_supports("avx") != 0;
    case IMB_ARCH_AVX2: return __builtin_cpu_supports("avx2") != 0;
    case IMB_ARCH_AVX512: return __builtin_cpu_supports("avx512f") != 0;
    default: return false;  // without AES instructions it may emulate them by tables, whose timing tells about the key
  }
}

/// What is best on this processor, or nothing. The library found at run time has to be the one that the header
/// describes: gcm_key_data grows between versions that share a soname.
Library load() {
  Library library;
  if (imb_get_version() != IMB_VERSION_NUM) return library;
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return library;
  IMB_ARCH architecture = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager, &architecture);  // tests itself
  if (imb_get_errno(manager) == 0 && may_run(architecture))
    library = {.aes128 = {manager->gcm128_pre, manager->gcm128_enc, manager->gcm128_dec},
               .aes256 = {manager->gcm256_pre, manager->gcm256_enc, manager->gcm256_dec}};
  free_mb_mgr(manager);
  return library;
}

const Functions& functions_of(CipherSuite suite) {
  static const Library library = load();
  static const Functions none;
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256: return library.aes128;
    case CipherSuite::aes_256_gcm_sha384: return library.aes256;
    case CipherSuite::chacha20_poly1305_sha256:
    case CipherSuite::null: break;
  }
  return none;
}

}  // namespace

struct GcmAead::Key {
  alignas(64) gcm_key_data schedule;
  aes_gcm_enc_dec_t seal = nullptr;
  aes_gcm_enc_dec_t open = nullptr;
};

void GcmAead::Erase::operator()(Key* key) const noexcept {
  OPENSSL_cleanse(&key->schedule, sizeof(key->schedule));
  delete key;
}

std::optional<GcmAead> GcmAead::make(CipherSuite suite, Bytes key) {
  const Functions& functions = functions_of(suite);
  if (functions.expand == nullptr) return std::nullopt;
  MPQUIC_CHECK(key.size() == key_size_of(suite));
  std::unique_ptr<Key, Erase> expanded(new Key);
  expanded->seal = functions.seal;
  expanded->open = functions.open;
  functions.expand(key.data(), &expanded->schedule);
  return GcmAead(std::move(expanded));
}

void GcmAead::seal(const AeadNonce& nonce, Bytes header, MutableBytes plain, MutableBytes tag) const {
  gcm_context_data context;
  // The library would refuse these without a word, and the packet would leave as it is.
  MPQUIC_CHECK(plain.data() != nullptr && (header.data() != nullptr || header.empty()) && tag.size() == kAeadTagSize);
  key_->seal(&key_->schedule, &context, u8(plain), u8(plain), plain.size(), nonce.data(), u8(header), header.size(),
             u8(tag), tag.size());
}

bool GcmAead::open(const AeadNonce& nonce, Bytes header, MutableBytes sealed, Bytes tag) const {
  gcm_context_data context;
  std::array<std::uint8_t, kAeadTagSize> expected;
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = ~u8(tag)[i];  // no match, should the library refuse
  key_->open(&key_->schedule, &context, u8(sealed), u8(sealed), sealed.size(), nonce.data(), u8(header), header.size(),
             expected.data(), expected.size());
  return CRYPTO_memcmp(expected.data(), tag.data(), expected.size()) == 0;
}

}  // namespace mpquic

#else

namespace mpquic {

struct GcmAead::Key {};
void GcmAead::Erase::operator()(Key* key) const noexcept { delete key; }
std::optional<GcmAead> GcmAead::make(CipherSuite /*suite*/, Bytes /*key*/) { return std::nullopt; }
void GcmAead::seal(const AeadNonce&, Bytes, MutableBytes, MutableBytes) const { MPQUIC_CHECK(false); }
bool GcmAead::open(const AeadNonce&, Bytes, MutableBytes, Bytes) const { return false; }

}  // namespace mpquic
#endif
