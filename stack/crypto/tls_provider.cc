#include "stack/crypto/tls_provider.h"

#include <utility>

#include "stack/crypto/openssl_session.h"
#include "stack/crypto/tls_context.h"

namespace mpquic {
namespace {

class OpenSslProvider final : public TlsProvider {
 public:
  explicit OpenSslProvider(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}

  [[nodiscard]] Result<std::unique_ptr<TlsSession>> make_session(const TlsSessionOptions& options) override {
    auto ssl = context_->make_ssl(options);
    if (!ssl) return std::unexpected(ssl.error());
    std::unique_ptr<TlsSession> session = make_openssl_session(context_, *std::move(ssl), options);
    if (session == nullptr) return fail(error::kInternalError, "OpenSSL gives no TLS session");
    return session;
  }

 private:
  std::shared_ptr<const TlsContext> context_;
};

}  // namespace

std::expected<std::shared_ptr<TlsProvider>, std::string> make_tls_provider(const TlsConfig& config) {
  auto context = TlsContext::make(config);
  if (!context) return std::unexpected(context.error());
  return std::make_shared<OpenSslProvider>(*std::move(context));
}

}  // namespace mpquic
