// TLS 1.3 by GnuTLS for the ngtcp2 engine.
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/ids.h"

namespace mpquic::peers {

struct SessionDeleter {
  void operator()(gnutls_session_t session) const noexcept { gnutls_deinit(session); }
};
using TlsHandle = std::unique_ptr<gnutls_session_int, SessionDeleter>;

/// Takes the lines of an NSS key log.
using KeyLog = std::function<void(std::string_view)>;

/// What a session knows of its connection. ngtcp2's part comes first: it takes the address for that of its own part.
struct SessionReference {
  ngtcp2_crypto_conn_ref native{};
  const KeyLog* keylog = nullptr;
};

class TlsCredentials {
 public:
  /// Server credentials if a certificate is given; client credentials in any case.
  TlsCredentials(const std::string& certificate_pem, const std::string& key_pem, const std::string& ca_pem);
  ~TlsCredentials();
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] bool can_serve() const { return ready_ && has_certificate_; }

  /// A session bound to `reference`; nullptr where GnuTLS refuses. `server_name` matters to clients.
  [[nodiscard]] TlsHandle make_session(Role role, std::span<const std::string> alpn, const std::string& server_name,
                                       SessionReference* reference) const;

 private:
  gnutls_certificate_credentials_t credentials_ = nullptr;
  bool ready_ = false;
  bool has_certificate_ = false;
  bool verify_peer_ = false;
};

[[nodiscard]] std::string selected_alpn(gnutls_session_t session);

}  // namespace mpquic::peers
