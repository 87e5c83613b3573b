#include "stack/crypto/early_secret.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/crypto/provider_dispatch.h"

namespace mpquic {
namespace {

constexpr const char* kProviderName = "mpquic-early-secret";
constexpr const char* kKdfName = "TLS13-KDF";
constexpr const char* kOwnKdfProperties = "provider=default";
// RFC 8446 §7.1.
constexpr std::string_view kServerLabel = "s hs traffic";
constexpr std::string_view kClientLabel = "c hs traffic";

// libssl calls the KDF from within SSL_do_handshake(), with nothing that says for which SSL object. TLS providers may
// serve several threads.
thread_local TrafficSecret* captured_secret = nullptr;  // tidy: allow(thread) the caller's, while it is in OpenSSL

// The context of our KDF is one of OpenSSL's.
EVP_KDF_CTX* kdf_of(void* context) { return static_cast<EVP_KDF_CTX*>(context); }

void* new_kdf(void* library) {
  const KdfHandle own(EVP_KDF_fetch(static_cast<OSSL_LIB_CTX*>(library), kKdfName, kOwnKdfProperties));
  return own == nullptr ? nullptr : EVP_KDF_CTX_new(own.get());
}

void free_kdf(void* context) { EVP_KDF_CTX_free(kdf_of(context)); }

void reset_kdf(void* context) { EVP_KDF_CTX_reset(kdf_of(context)); }

bool is_server_label(const OSSL_PARAM& param) {
  return std::string_view(param.key) == OSSL_KDF_PARAM_LABEL && param.data_type == OSSL_PARAM_OCTET_STRING &&
         std::string_view(static_cast<const char*>(param.data), param.data_size) == kServerLabel;
}

/// What the server's secret was derived from, with the client's label. Empty where `params` are for something else.
std::vector<OSSL_PARAM> client_params(const OSSL_PARAM* params) {
  std::vector<OSSL_PARAM> out;
  bool found = false;
  for (; params != nullptr && params->key != nullptr; ++params) {
    out.push_back(*params);
    if (!is_server_label(*params)) continue;
    found = true;
    out.back() = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, const_cast<char*>(kClientLabel.data()),
                                                   kClientLabel.size());
  }
  if (!found) return {};
  out.push_back(OSSL_PARAM_construct_end());
  return out;
}

int derive_kdf(void* context, unsigned char* out, std::size_t size, const OSSL_PARAM params[]) {
  if (EVP_KDF_derive(kdf_of(context), out, size, params) != 1) return 0;
  if (captured_secret == nullptr || size > captured_secret->bytes.size()) return 1;
  const std::vector<OSSL_PARAM> for_client = client_params(params);
  if (for_client.empty()) return 1;
  if (EVP_KDF_derive(kdf_of(context), u8(MutableBytes(captured_secret->bytes)), size, for_client.data()) != 1) return 0;
  captured_secret->size = size;
  return 1;
}

int set_kdf_params(void* context, const OSSL_PARAM params[]) { return EVP_KDF_CTX_set_params(kdf_of(context), params); }

const OSSL_PARAM* settable_kdf_params(void* context, void*) {
  return context == nullptr ? nullptr : EVP_KDF_CTX_settable_params(kdf_of(context));
}

const OSSL_ALGORITHM* query_kdf(void*, int operation, int* no_cache) {
  static const std::array<OSSL_DISPATCH, 7> functions = {
      dispatch_entry(OSSL_FUNC_KDF_NEWCTX, new_kdf),
      dispatch_entry(OSSL_FUNC_KDF_FREECTX, free_kdf),
      dispatch_entry(OSSL_FUNC_KDF_RESET, reset_kdf),
      dispatch_entry(OSSL_FUNC_KDF_DERIVE, derive_kdf),
      dispatch_entry(OSSL_FUNC_KDF_SET_CTX_PARAMS, set_kdf_params),
      dispatch_entry(OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, settable_kdf_params),
      OSSL_DISPATCH{},
  };
  static const std::array<OSSL_ALGORITHM, 2> algorithms = {
      OSSL_ALGORITHM{kKdfName, "provider=mpquic-early-secret", functions.data(), "OpenSSL's, watched"},
      OSSL_ALGORITHM{},
  };
  *no_cache = 0;
  return operation == OSSL_OP_KDF ? algorithms.data() : nullptr;
}

// The provider's context is its library's, which core_get_libctx gives to providers that are built in.
int init_early_secret(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** out,
                      void** context) {
  static const std::array<OSSL_DISPATCH, 2> functions = {dispatch_entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_kdf),
                                                         OSSL_DISPATCH{}};
  for (; core->function_id != 0; ++core) {
    if (core->function_id != OSSL_FUNC_CORE_GET_LIBCTX) continue;
    *context = OSSL_FUNC_core_get_libctx(core)(handle);
    *out = functions.data();
    return *context != nullptr ? 1 : 0;
  }
  return 0;
}

}  // namespace

ProviderHandle load_early_secret_provider(OSSL_LIB_CTX& library) {
  if (OSSL_PROVIDER_add_builtin(&library, kProviderName, init_early_secret) != 1) return nullptr;
  return ProviderHandle(OSSL_PROVIDER_load(&library, kProviderName));
}

EarlySecretCapture::EarlySecretCapture(TrafficSecret& secret) : before_(std::exchange(captured_secret, &secret)) {}

EarlySecretCapture::~EarlySecretCapture() { captured_secret = before_; }

}  // namespace mpquic
