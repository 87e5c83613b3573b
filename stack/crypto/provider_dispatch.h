// What the providers that we add to OpenSSL have in common.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

namespace mpquic {

/// An entry of a dispatch table: OpenSSL stores functions of all types as one.
template <class Function>
[[nodiscard]] OSSL_DISPATCH dispatch_entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace mpquic
