#include "stack/crypto/tls_random.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <array>
#include <new>

#include "stack/crypto/provider_dispatch.h"

// A provider with one algorithm, OSSL_OP_RAND "MPQUIC-RNG" (provider-rand(7)). OpenSSL makes a primary generator of it
// and per-thread children of the primary; the primary is told which Rng to ask, the children inherit it.
namespace mpquic {
namespace {

constexpr const char* kProviderName = "mpquic-rng";
constexpr const char* kGeneratorName = "MPQUIC-RNG";
constexpr const char* kRngParam = "mpquic-rng-pointer";
constexpr std::size_t kMaxRequest = 1U << 16;
constexpr unsigned kStrengthBits = 256;

struct Generator {
  Rng* rng = nullptr;
  int state = EVP_RAND_STATE_UNINITIALISED;
};

const OSSL_DISPATCH* generator_functions();

void* new_generator(void*, void* parent, const OSSL_DISPATCH* parent_functions) {
  auto* generator = new (std::nothrow) Generator;
  // The primary's parent is OpenSSL's seed source, which is none of ours.
  if (generator != nullptr && parent_functions == generator_functions())
    generator->rng = static_cast<Generator*>(parent)->rng;
  return generator;
}

void free_generator(void* generator) { delete static_cast<Generator*>(generator); }

int instantiate(void* generator,  // tidy: allow(parameters) OpenSSL's signature
                unsigned, int, const unsigned char*, std::size_t, const OSSL_PARAM*) {
  static_cast<Generator*>(generator)->state = EVP_RAND_STATE_READY;
  return 1;
}

int uninstantiate(void* generator) {
  static_cast<Generator*>(generator)->state = EVP_RAND_STATE_UNINITIALISED;
  return 1;
}

int generate(void* generator,  // tidy: allow(parameters) OpenSSL's signature
             unsigned char* out, std::size_t size, unsigned, int, const unsigned char*, std::size_t) {
  Rng* rng = static_cast<Generator*>(generator)->rng;
  if (rng == nullptr) return 0;
  rng->fill(std::as_writable_bytes(std::span(out, size)));
  return 1;
}

int reseed(void*,  // tidy: allow(parameters) OpenSSL's signature
           int, const unsigned char*, std::size_t, const unsigned char*, std::size_t) {
  return 1;
}

// One thread per context: nothing to lock.
int enable_locking(void*) { return 1; }
int lock(void*) { return 1; }
void unlock(void*) {}

int get_params(void* generator, OSSL_PARAM params[]) {
  if (auto* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
      p != nullptr && OSSL_PARAM_set_int(p, static_cast<Generator*>(generator)->state) == 0)
    return 0;
  if (auto* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
      p != nullptr && OSSL_PARAM_set_uint(p, kStrengthBits) == 0)
    return 0;
  if (auto* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
      p != nullptr && OSSL_PARAM_set_size_t(p, kMaxRequest) == 0)
    return 0;
  return 1;
}

int set_params(void* generator, const OSSL_PARAM params[]) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, kRngParam);
  if (param == nullptr) return 1;
  const void* rng = nullptr;
  std::size_t size = 0;
  if (OSSL_PARAM_get_octet_ptr(param, &rng, &size) != 1) return 0;
  static_cast<Generator*>(generator)->rng = static_cast<Rng*>(const_cast<void*>(rng));
  return 1;
}

const OSSL_PARAM* settable_params(void*, void*) {
  static const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM{kRngParam, OSSL_PARAM_OCTET_PTR, nullptr, 0, OSSL_PARAM_UNMODIFIED}, OSSL_PARAM{}};
  return params.data();
}

const OSSL_DISPATCH* generator_functions() {
  static const std::array<OSSL_DISPATCH, 13> functions = {
      dispatch_entry(OSSL_FUNC_RAND_NEWCTX, new_generator),
      dispatch_entry(OSSL_FUNC_RAND_FREECTX, free_generator),
      dispatch_entry(OSSL_FUNC_RAND_INSTANTIATE, instantiate),
      dispatch_entry(OSSL_FUNC_RAND_UNINSTANTIATE, uninstantiate),
      dispatch_entry(OSSL_FUNC_RAND_GENERATE, generate),
      dispatch_entry(OSSL_FUNC_RAND_RESEED, reseed),
      dispatch_entry(OSSL_FUNC_RAND_ENABLE_LOCKING, enable_locking),
      dispatch_entry(OSSL_FUNC_RAND_LOCK, lock),
      dispatch_entry(OSSL_FUNC_RAND_UNLOCK, unlock),
      dispatch_entry(OSSL_FUNC_RAND_GET_CTX_PARAMS, get_params),
      dispatch_entry(OSSL_FUNC_RAND_SET_CTX_PARAMS, set_params),
      dispatch_entry(OSSL_FUNC_RAND_SETTABLE_CTX_PARAMS, settable_params),
      OSSL_DISPATCH{},
  };
  return functions.data();
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  static const std::array<OSSL_ALGORITHM, 2> algorithms = {
      OSSL_ALGORITHM{kGeneratorName, "provider=mpquic-rng", generator_functions(), "the Rng of the host"},
      OSSL_ALGORITHM{},
  };
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? algorithms.data() : nullptr;
}

int init_provider(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context) {
  static const std::array<OSSL_DISPATCH, 2> functions = {dispatch_entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                                         OSSL_DISPATCH{}};
  *out = functions.data();
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);  // there is no state, and null would mean failure
  return 1;
}

}  // namespace

ProviderHandle load_seeded_generator(OSSL_LIB_CTX& library, Rng& rng) {
  if (OSSL_PROVIDER_add_builtin(&library, kProviderName, init_provider) != 1) return nullptr;
  ProviderHandle generator(OSSL_PROVIDER_load(&library, kProviderName));
  if (generator == nullptr || RAND_set_DRBG_type(&library, kGeneratorName, nullptr, nullptr, nullptr) != 1)
    return nullptr;
  EVP_RAND_CTX* primary = RAND_get0_primary(&library);
  void* pointer = &rng;
  const std::array<OSSL_PARAM, 2> params = {OSSL_PARAM_construct_octet_ptr(kRngParam, &pointer, sizeof(pointer)),
                                            OSSL_PARAM_construct_end()};
  if (primary == nullptr || EVP_RAND_CTX_set_params(primary, params.data()) != 1) return nullptr;
  return generator;
}

}  // namespace mpquic
