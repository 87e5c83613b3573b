#include "tunnel/perf/content.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "stack/base/check.h"
#include "stack/base/ids.h"
#include "stack/base/overloaded.h"
#include "stack/base/rng.h"

namespace mpquic::perf {
namespace {

constexpr std::size_t kPeriod = 65521;  // the largest prime below 2^16
constexpr std::uint64_t kContentSeed = 0x6d70717569632121;

using Block = std::array<std::byte, kPeriod>;

[[nodiscard]] const Block& content_block() {
  static const Block block = [] {
    Block bytes{};
    SeededRng(kContentSeed).fill(bytes);
    return bytes;
  }();
  return block;
}

[[nodiscard]] unsigned shift_of(char suffix) {
  switch (suffix) {
    case 'K':
    case 'k': return 10;
    case 'M':
    case 'm': return 20;
    case 'G':
    case 'g': return 30;
    default: return 0;
  }
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const unsigned shift = shift_of(text.back());
  if (shift != 0) text.remove_suffix(1);
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value > kMaxVarint >> shift) return std::nullopt;
  return value << shift;
}

void fill_content(std::uint64_t offset, MutableBytes out) {
  const Block& block = content_block();
  auto at = static_cast<std::size_t>(offset % kPeriod);
  while (!out.empty()) {
    const std::size_t n = std::min(out.size(), kPeriod - at);
    std::memcpy(out.data(), block.data() + at, n);
    out = out.subspan(n);
    at = 0;
  }
}

std::uint64_t Document::size() const {
  return std::visit(overloaded{[](const Synthetic& s) { return s.size; }, [](const io::File& f) { return f.size(); }},
                    source_);
}

io::Result<void> Document::read_at(std::uint64_t offset, MutableBytes out) const {
  if (const auto* file = std::get_if<io::File>(&source_)) return file->read_at(offset, out);
  fill_content(offset, out);
  return {};
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  MPQUIC_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(Bytes data) { MPQUIC_CHECK(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1); }

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  MPQUIC_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 0xf];
  }
  return hex;
}

}  // namespace mpquic::perf
