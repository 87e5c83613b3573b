// Bounds-checked cursors over bytes. A read or write that does not fit changes nothing and says so.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/wire/varint.h"

namespace mpquic {

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }
  [[nodiscard]] bool empty() const { return position_ == bytes_.size(); }
  /// What has not been read yet; does not advance.
  [[nodiscard]] Bytes rest() const { return bytes_.subspan(position_); }
  /// All bytes between two positions of this reader.
  [[nodiscard]] Bytes between(std::size_t begin, std::size_t end) const { return bytes_.subspan(begin, end - begin); }

  [[nodiscard]] std::optional<std::uint8_t> read_u8() { return read_integer<std::uint8_t>(); }
  [[nodiscard]] std::optional<std::uint16_t> read_u16() { return read_integer<std::uint16_t>(); }
  [[nodiscard]] std::optional<std::uint32_t> read_u32() { return read_integer<std::uint32_t>(); }
  [[nodiscard]] std::optional<std::uint64_t> read_u64() { return read_integer<std::uint64_t>(); }

  [[nodiscard]] std::optional<std::uint64_t> read_varint() {
    const auto varint = mpquic::read_varint(rest());
    if (!varint) return std::nullopt;
    position_ += varint->size;
    return varint->value;
  }

  /// Takes `count` to be as wide as a varint: a length from the wire may be passed as it is.
  [[nodiscard]] std::optional<Bytes> read_bytes(std::uint64_t count) {
    if (count > remaining()) return std::nullopt;
    const Bytes taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }
  /// Bytes preceded by their count as a varint. Where the count is cut short or lies, nothing is read.
  [[nodiscard]] std::optional<Bytes> read_prefixed_bytes() {
    const auto count = mpquic::read_varint(rest());
    if (!count || count->value > remaining() - count->size) return std::nullopt;
    position_ += count->size;
    return read_bytes(count->value);
  }
  template <std::size_t N>
  [[nodiscard]] std::optional<std::array<std::byte, N>> read_array() {
    if (remaining() < N) return std::nullopt;
    std::array<std::byte, N> taken;
    std::memcpy(taken.data(), bytes_.data() + position_, N);
    position_ += N;
    return taken;
  }
  /// Reads all that is left.
  [[nodiscard]] Bytes read_rest() {
    const Bytes taken = rest();
    position_ = bytes_.size();
    return taken;
  }

 private:
  template <class T>
  [[nodiscard]] std::optional<T> read_integer() {
    if (remaining() < sizeof(T)) return std::nullopt;
    const T value = load_big_endian<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  Bytes bytes_;
  std::size_t position_ = 0;
};

/// Every write is all or nothing. `mark = size()` and `truncate(mark)` make a sequence of writes so too.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes out) : out_(out) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t remaining() const { return out_.size() - size_; }
  [[nodiscard]] MutableBytes written() const { return out_.first(size_); }
  /// Forgets what was written after the first `size` bytes.
  void truncate(std::size_t size) {
    MPQUIC_DCHECK(size <= size_);
    size_ = size;
  }

  [[nodiscard]] bool write_u8(std::uint8_t value) { return write_integer(value); }
  [[nodiscard]] bool write_u16(std::uint16_t value) { return write_integer(value); }
  [[nodiscard]] bool write_u32(std::uint32_t value) { return write_integer(value); }
  [[nodiscard]] bool write_u64(std::uint64_t value) { return write_integer(value); }

  /// The shortest encoding. Requires value <= kMaxVarint.
  [[nodiscard]] bool write_varint(std::uint64_t value) { return write_varint_sized(value, varint_size(value)); }
  /// In exactly 2 or 4 bytes: length fields that are patched once the length is known.
  [[nodiscard]] bool write_varint2(std::uint64_t value) { return write_varint_sized(value, 2); }
  [[nodiscard]] bool write_varint4(std::uint64_t value) { return write_varint_sized(value, 4); }
  /// Overwrites a 2-byte varint written earlier at `position`.
  void patch_varint2(std::size_t position, std::uint64_t value) {
    MPQUIC_DCHECK(position + 2 <= size_);
    mpquic::write_varint_sized(out_.data() + position, value, 2);
  }

  [[nodiscard]] bool write_bytes(Bytes bytes) {
    if (bytes.size() > remaining()) return false;
    std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
    return true;
  }
  [[nodiscard]] bool write_prefixed_bytes(Bytes bytes) {
    if (varint_size(bytes.size()) + bytes.size() > remaining()) return false;
    return write_varint(bytes.size()) && write_bytes(bytes);
  }
  [[nodiscard]] bool write_zeros(std::size_t count) {
    if (count > remaining()) return false;
    std::fill_n(out_.begin() + static_cast<std::ptrdiff_t>(size_), count, std::byte{0});
    size_ += count;
    return true;
  }
  /// Leaves `count` bytes for the caller to fill.
  [[nodiscard]] std::optional<MutableBytes> reserve(std::size_t count) {
    if (count > remaining()) return std::nullopt;
    const MutableBytes reserved = out_.subspan(size_, count);
    size_ += count;
    return reserved;
  }

 private:
  template <class T>
  [[nodiscard]] bool write_integer(T value) {
    if (sizeof(T) > remaining()) return false;
    store_big_endian(out_.data() + size_, value);
    size_ += sizeof(T);
    return true;
  }
  [[nodiscard]] bool write_varint_sized(std::uint64_t value, std::size_t size) {
    if (size > remaining()) return false;
    mpquic::write_varint_sized(out_.data() + size_, value, size);
    size_ += size;
    return true;
  }

  MutableBytes out_;
  std::size_t size_ = 0;
};

}  // namespace mpquic
