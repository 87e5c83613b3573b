// OpenSSL handles with owners the size of a pointer.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace mpquic {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    static_cast<void>(Free(object));
  }
};
template <class T, auto Free>
using Handle = std::unique_ptr<T, Deleter<Free>>;

using CipherHandle = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherCtxHandle = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using KdfHandle = Handle<EVP_KDF, EVP_KDF_free>;
using KdfCtxHandle = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using PkeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using BioHandle = Handle<BIO, BIO_free>;
using BioMethodHandle = Handle<BIO_METHOD, BIO_meth_free>;
using X509Handle = Handle<X509, X509_free>;
using SslHandle = Handle<SSL, SSL_free>;
using SslCtxHandle = Handle<SSL_CTX, SSL_CTX_free>;
using SslSessionHandle = Handle<SSL_SESSION, SSL_SESSION_free>;
using LibCtxHandle = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
using ProviderHandle = Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload>;

}  // namespace mpquic
