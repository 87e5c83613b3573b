#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/time.h"

namespace mpquic::trace {

/// Appends JSON to a string, which keeps its capacity from one record to the next. Commas are seen to; that objects
/// and arrays are closed again is for the caller.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { separate(), out_ += '{'; }
  void begin_object(std::string_view key) { name(key), out_ += '{'; }
  void end_object() { out_ += '}'; }
  void begin_array() { separate(), out_ += '['; }
  void begin_array(std::string_view key) { name(key), out_ += '['; }
  void end_array() { out_ += ']'; }

  void value(std::uint64_t number) { separate(), append(number); }
  void value(std::string_view text) { separate(), append_quoted(text); }
  void field(std::string_view key, std::string_view text) { name(key), append_quoted(text); }
  void field(std::string_view key, const char* text) { field(key, std::string_view(text)); }
  void field(std::string_view key, std::uint64_t number) { name(key), append(number); }
  void signed_field(std::string_view key, std::int64_t number) { name(key), append_signed(number); }
  void flag(std::string_view key, bool value) { name(key), out_ += value ? "true" : "false"; }
  /// In milliseconds, to the nanosecond, without floating point.
  void milliseconds(std::string_view key, Duration time);
  /// As a string of hexadecimal digits.
  void hex(std::string_view key, Bytes bytes) { name(key), append_hex(bytes); }
  void hex_value(Bytes bytes) { separate(), append_hex(bytes); }

 private:
  void separate() {
    if (!out_.empty() && out_.back() != '{' && out_.back() != '[' && out_.back() != ':' && out_.back() != kRecordStart)
      out_ += ',';
  }
  void name(std::string_view key) {
    separate();
    append_quoted(key);
    out_ += ':';
  }
  void append(std::uint64_t number);
  void append_signed(std::int64_t number);
  void append_integer(bool negative, std::uint64_t magnitude);
  void append_hex(Bytes bytes);
  void append_digits(std::uint64_t number);
  void append_quoted(std::string_view text);

  static constexpr char kRecordStart = '\x1e';  // RFC 7464

  std::string& out_;
};

}  // namespace mpquic::trace
