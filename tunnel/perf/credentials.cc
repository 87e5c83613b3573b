#include "tunnel/perf/credentials.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "io/files.h"
#include "stack/crypto/certificate.h"

namespace mpquic::perf {
namespace {

constexpr std::string_view kResumptionMagic = "mpquic-resumption-1\n";

[[nodiscard]] std::expected<void, std::string> load(const std::string& path, std::string& out) {
  if (path.empty()) return {};
  auto text = io::read_file(path);
  if (!text) return std::unexpected(text.error().message);
  out = std::move(*text);
  return {};
}

[[nodiscard]] std::expected<void, std::string> load_identity(const CommonOptions& options, Credentials& out) {
  if (auto loaded = load(options.certificate_file, out.certificate_pem); !loaded) return loaded;
  return load(options.key_file, out.key_pem);
}

[[nodiscard]] std::expected<SpkiFingerprint, std::string> parse_pin(std::string_view hex) {
  SpkiFingerprint pin{};
  const auto bad = [&] { return std::unexpected(fmt::format("--pin {}: not a SHA-256 in hex (64 digits)", hex)); };
  if (hex.size() != 2 * pin.size()) return bad();
  for (std::size_t i = 0; i < pin.size(); ++i) {
    unsigned value = 0;
    const char* digits = hex.data() + 2 * i;
    const auto [end, code] = std::from_chars(digits, digits + 2, value, 16);
    if (code != std::errc{} || end != digits + 2) return bad();
    pin[i] = static_cast<std::byte>(value);
  }
  return pin;
}

void append_field(std::string& out, Bytes field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(size >> shift);
  out += as_text(field);
}

[[nodiscard]] bool take_field(std::string_view& in, std::vector<std::byte>& out) {
  if (in.size() < 4) return false;
  std::size_t size = 0;
  for (const char c : in.substr(0, 4)) size = size << 8 | static_cast<unsigned char>(c);
  in.remove_prefix(4);
  if (in.size() < size) return false;
  const Bytes field = as_bytes(in.substr(0, size));
  out.assign(field.begin(), field.end());
  in.remove_prefix(size);
  return true;
}

}  // namespace

std::expected<Credentials, std::string> load_credentials(const ClientOptions& options) {
  Credentials credentials;
  if (auto loaded = load_identity(options.common, credentials); !loaded) return std::unexpected(loaded.error());
  if (auto loaded = load(options.ca_file, credentials.ca_pem); !loaded) return std::unexpected(loaded.error());
  for (const std::string& text : options.pins) {
    const auto pin = parse_pin(text);
    if (!pin) return std::unexpected(pin.error());
    credentials.pins.push_back(*pin);
  }
  return credentials;
}

std::expected<Credentials, std::string> load_credentials(const ServerOptions& options, Rng& rng, std::string& pin) {
  Credentials credentials;
  if (auto loaded = load(options.client_ca_file, credentials.ca_pem); !loaded) return std::unexpected(loaded.error());
  if (!options.self_signed) {
    if (auto loaded = load_identity(options.common, credentials); !loaded) return std::unexpected(loaded.error());
    return credentials;
  }
  auto identity = make_self_signed({.common_name = "mpquic-perf"}, rng);
  if (!identity) return std::unexpected(identity.error());
  credentials.certificate_pem = std::move(identity->certificate_pem);
  credentials.key_pem = std::move(identity->private_key_pem);
  pin.clear();
  for (const std::byte b : identity->fingerprint) pin += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return credentials;
}

std::expected<Resumption, std::string> load_resumption(const std::string& path) {
  auto text = io::read_file(path);
  if (!text && text.error().code == ENOENT) return Resumption{};
  if (!text) return std::unexpected(text.error().message);
  std::string_view rest = *text;
  Resumption resumption;
  const bool ours = rest.starts_with(kResumptionMagic);
  if (ours) rest.remove_prefix(kResumptionMagic.size());
  std::vector<std::byte> address;
  const bool read = ours && take_field(rest, resumption.ticket) && take_field(rest, resumption.token) &&
                    (rest.empty() || take_field(rest, address));  // older files do not say where the token came to
  if (!read || !rest.empty()) return std::unexpected(fmt::format("{} is no ticket file", path));
  resumption.token_address = as_text(address);
  return resumption;
}

std::expected<void, std::string> save_resumption(const std::string& path, const Resumption& resumption) {
  std::string text(kResumptionMagic);
  append_field(text, resumption.ticket);
  append_field(text, resumption.token);
  append_field(text, as_bytes(resumption.token_address));
  const auto written = io::write_file_atomically(path, text, true);
  if (!written) return std::unexpected(written.error().message);
  return {};
}

}  // namespace mpquic::perf
