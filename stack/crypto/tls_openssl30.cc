// TLS for QUIC on an OpenSSL without a QUIC interface (before 3.5). OpenSSL believes to speak TLS over a byte stream:
//
//   in:   CRYPTO bytes -> TLS records, encrypted under the peer's traffic secret as TLS would have it -> SSL object
//   out:  the message callback sees every handshake message and alert in the clear; the records go nowhere
//   keys: the key log callback sees every traffic secret; a client's Handshake secret comes before, by early_secret.h
#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER < 0x30500000L

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "stack/crypto/aead.h"
#include "stack/crypto/early_secret.h"
#include "stack/crypto/hkdf.h"
#include "stack/crypto/openssl_session.h"

namespace mpquic {
namespace {

constexpr unsigned kExtensionMessages = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS;

// TLS records (RFC 8446 §5).
constexpr std::byte kHandshakeRecord{22};
constexpr std::byte kProtectedRecord{23};
constexpr std::byte kLegacyVersion{3};
constexpr std::size_t kRecordHeaderSize = 5;
constexpr std::size_t kMaxRecordContent = 1024;
constexpr std::size_t kMaxRecord = kRecordHeaderSize + kMaxRecordContent + 1 + kAeadTagSize;

struct SecretName {
  std::string_view name;
  EncryptionLevel level;
  Role writer;
};
constexpr std::array<SecretName, 4> kSecretNames = {{
    {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", EncryptionLevel::handshake, Role::client},
    {"SERVER_HANDSHAKE_TRAFFIC_SECRET", EncryptionLevel::handshake, Role::server},
    {"CLIENT_TRAFFIC_SECRET_0", EncryptionLevel::one_rtt, Role::client},
    {"SERVER_TRAFFIC_SECRET_0", EncryptionLevel::one_rtt, Role::server},
}};

class RecordSession final : public OpenSslSession {
 public:
  RecordSession(std::shared_ptr<const TlsContext> context, SslHandle ssl, const TlsSessionOptions& options, BIO* input)
      : OpenSslSession(std::move(context), std::move(ssl), options), input_(input) {}

  static int add_parameters(SSL* ssl, unsigned, unsigned, const unsigned char** out, std::size_t* out_size, X509*,
                            std::size_t, int*, void*);
  static int parse_parameters(SSL* ssl, unsigned, unsigned, const unsigned char* data, std::size_t size, X509*,
                              std::size_t, int*, void*);

 private:
  [[nodiscard]] Result<void> feed(Bytes data) override;
  void on_read_secret(const TrafficSecret& secret) override;
  void on_key_log(std::string_view line) override;
  void on_own_message(int content_type, Bytes message) override;
  [[nodiscard]] bool write_record(Bytes content);

  BIO* input_;       // the SSL object's
  Aead record_key_;  // absent while records are plaintext
  std::uint64_t record_sequence_ = 0;
  TrafficSecret early_secret_;  // client: its Handshake secret, until the key log gives it as well
};

RecordSession& session_of(SSL* ssl) { return static_cast<RecordSession&>(*OpenSslSession::of(ssl)); }

Result<void> RecordSession::feed(Bytes data) {
  const EarlySecretCapture capture(early_secret_);
  while (!data.empty()) {
    const Bytes content = data.first(std::min(data.size(), kMaxRecordContent));
    data = data.subspan(content.size());
    if (!write_record(content)) on_alert(alert::kInternalError);
    MPQUIC_TRY(advance());
  }
  return {};
}

bool RecordSession::write_record(Bytes content) {
  std::array<std::byte, kMaxRecord> record;
  const std::size_t added = record_key_ ? 1 + kAeadTagSize : 0;  // content type and tag (RFC 8446 §5.2)
  const std::size_t size = content.size() + added;
  const MutableBytes header = MutableBytes(record).first(kRecordHeaderSize);
  header[0] = record_key_ ? kProtectedRecord : kHandshakeRecord;
  header[1] = header[2] = kLegacyVersion;
  header[3] = static_cast<std::byte>(size >> 8);
  header[4] = static_cast<std::byte>(size & 0xff);
  const MutableBytes body = MutableBytes(record).subspan(kRecordHeaderSize, size);
  std::ranges::copy(content, body.begin());
  if (record_key_) {
    body[content.size()] = kHandshakeRecord;
    // TLS's nonce is IV xor sequence number: path 0's.
    record_key_.seal(kInitialPath, PacketNumber{record_sequence_++}, header, body);
  }
  const auto total = static_cast<int>(header.size() + body.size());
  return BIO_write(input_, record.data(), total) == total;
}

void RecordSession::on_read_secret(const TrafficSecret& secret) {
  std::array<std::byte, kMaxAeadKeySize> key;
  std::array<std::byte, kAeadIvSize> iv;
  const MutableBytes used_key = MutableBytes(key).first(key_size_of(suite()));
  hkdf_expand_label(hash_of(suite()), secret.view(), "key", used_key);
  hkdf_expand_label(hash_of(suite()), secret.view(), "iv", iv);
  record_key_ = Aead(suite(), AeadDirection::seal, used_key, iv);
  record_sequence_ = 0;
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(iv.data(), iv.size());
}

// "LABEL <client random> <secret>", in hexadecimal.
void RecordSession::on_key_log(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(' '));
  const auto known = std::ranges::find(kSecretNames, name, &SecretName::name);
  if (known == kSecretNames.end()) return;
  const std::string_view hex = line.substr(line.rfind(' ') + 1);
  TrafficSecret secret;
  secret.size = std::min(hex.size() / 2, secret.bytes.size());
  for (std::size_t i = 0; i < secret.size; ++i) {
    std::uint8_t value = 0;
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, value, 16);
    secret.bytes[i] = std::byte{value};
  }
  const bool write = known->writer == role();
  const bool handshake = known->level == EncryptionLevel::handshake;
  if (write && handshake && early_secret_.size > 0) {  // given already
    if (!std::ranges::equal(early_secret_.view(), secret.view())) on_alert(alert::kInternalError);
    early_secret_ = TrafficSecret{};
    return;
  }
  on_secret(known->level, write, secret.view());
  // The one that comes early came with this one.
  if (!write && handshake && early_secret_.size > 0) on_secret(known->level, true, early_secret_.view());
}

void RecordSession::on_own_message(int content_type, Bytes message) {
  if (content_type == SSL3_RT_HANDSHAKE && !message.empty())
    on_handshake_bytes(message);
  else if (content_type == SSL3_RT_ALERT && message.size() == 2)
    on_alert(std::to_integer<std::uint8_t>(message[1]));
}

int RecordSession::add_parameters(SSL* ssl,  // tidy: allow(parameters) OpenSSL's signature
                                  unsigned, unsigned, const unsigned char** out, std::size_t* out_size, X509*,
                                  std::size_t, int*, void*) {
  const std::vector<std::byte>& parameters = session_of(ssl).parameters();
  *out = u8(Bytes(parameters));
  *out_size = parameters.size();
  return 1;
}

int RecordSession::parse_parameters(SSL* ssl,  // tidy: allow(parameters) OpenSSL's signature
                                    unsigned, unsigned, const unsigned char* data, std::size_t size, X509*, std::size_t,
                                    int*, void*) {
  session_of(ssl).on_peer_parameters(std::as_bytes(std::span(data, size)));
  return 1;
}

}  // namespace

bool install_backend(SSL_CTX& context) {
  return SSL_CTX_add_custom_ext(&context, kTransportParametersExtension, kExtensionMessages,
                                RecordSession::add_parameters, nullptr, nullptr, RecordSession::parse_parameters,
                                nullptr) == 1;
}

std::unique_ptr<OpenSslSession> make_openssl_session(std::shared_ptr<const TlsContext> context, SslHandle ssl,
                                                     const TlsSessionOptions& options) {
  BioHandle input(BIO_new(BIO_s_mem()));
  BioHandle output(BIO_new(BIO_s_null()));
  if (input == nullptr || output == nullptr) return nullptr;
  BIO_set_mem_eof_return(input.get(), -1);  // empty means: more later
  BIO* records = input.get();
  SSL_set_bio(ssl.get(), input.release(), output.release());
  return std::make_unique<RecordSession>(std::move(context), std::move(ssl), options, records);
}

}  // namespace mpquic

#endif
