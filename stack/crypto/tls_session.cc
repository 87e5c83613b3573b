#include "stack/crypto/tls_session.h"

#include <openssl/crypto.h>

namespace mpquic {

TrafficSecret::~TrafficSecret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

}  // namespace mpquic
