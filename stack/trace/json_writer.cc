#include "stack/trace/json_writer.h"

#include <array>

namespace mpquic::trace {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
/// RFC 8259 §6: what every reader keeps exactly. qlog writes larger integers as strings.
constexpr std::uint64_t kMaxExactInteger = (std::uint64_t{1} << 53) - 1;

}  // namespace

void JsonWriter::append_digits(std::uint64_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out_.append(digits.data(), end);
}

void JsonWriter::append(std::uint64_t number) { append_integer(false, number); }

void JsonWriter::append_signed(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  append_integer(number < 0, number < 0 ? -bits : bits);
}

void JsonWriter::append_integer(bool negative, std::uint64_t magnitude) {
  const bool exact = magnitude <= kMaxExactInteger;
  if (!exact) out_ += '"';
  if (negative) out_ += '-';
  append_digits(magnitude);
  if (!exact) out_ += '"';
}

void JsonWriter::milliseconds(std::string_view key, Duration time) {
  constexpr std::uint64_t kPerMillisecond = 1'000'000;
  name(key);
  if (time.count() < 0) out_ += '-';
  const auto count = static_cast<std::uint64_t>(time.count());
  const std::uint64_t nanoseconds = time.count() < 0 ? -count : count;
  append_digits(nanoseconds / kPerMillisecond);
  std::uint64_t fraction = nanoseconds % kPerMillisecond;
  if (fraction == 0) return;
  out_ += '.';
  for (std::uint64_t unit = kPerMillisecond / 10; fraction > 0; unit /= 10) {
    out_ += kHexDigits[fraction / unit];
    fraction %= unit;
  }
}

void JsonWriter::append_hex(Bytes bytes) {
  out_ += '"';
  for (const std::byte byte : bytes) {
    out_ += kHexDigits[std::to_integer<std::size_t>(byte >> 4)];
    out_ += kHexDigits[std::to_integer<std::size_t>(byte & std::byte{0xf})];
  }
  out_ += '"';
}

void JsonWriter::append_quoted(std::string_view text) {
  out_ += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (code < 0x20 || code >= 0x7f) {
      // Text from a peer need not be UTF-8 (a reason phrase ought to be): bytes are escaped one by one, so that the
      // record stays valid whatever they are.
      out_ += "\\u00";
      out_ += kHexDigits[code >> 4];
      out_ += kHexDigits[code & 0xf];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

}  // namespace mpquic::trace
