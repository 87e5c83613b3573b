// What is transferred: documents whose bytes follow from their position, and the hash that proves them.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "io/files.h"
#include "stack/base/bytes.h"

namespace mpquic::perf {

/// "1000", "64K", "10M", "2G" (powers of 1024); nothing for anything else or beyond 2^62 - 1.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// The bytes at [offset, offset + out.size()) of every synthetic document: pseudo-random, with a prime period that no
/// packet size divides, so that misplaced data changes the hash.
void fill_content(std::uint64_t offset, MutableBytes out);

/// Something to send: synthetic bytes or a file.
class Document {
 public:
  [[nodiscard]] static Document synthetic(std::uint64_t size) { return Document(Synthetic{size}); }
  [[nodiscard]] static Document file(io::File file) { return Document(std::move(file)); }
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] io::Result<void> read_at(std::uint64_t offset, MutableBytes out) const;

 private:
  struct Synthetic {
    std::uint64_t size = 0;
  };
  explicit Document(std::variant<Synthetic, io::File> source) : source_(std::move(source)) {}
  std::variant<Synthetic, io::File> source_;
};

class Sha256 {
 public:
  Sha256();
  void update(Bytes data);
  /// Lower-case hex of everything so far. Ends the hash.
  [[nodiscard]] std::string finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace mpquic::perf
