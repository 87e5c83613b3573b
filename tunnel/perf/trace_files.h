// qlog on disk: one file per connection.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include "stack/trace/sink.h"

namespace mpquic::perf {

/// Files `<original destination connection ID>-<client|server>.sqlog` in `directory`, which is created if it is
/// missing. A peer chooses that ID: nothing that exists is ever overwritten (a number is added), a server's file
/// appears only once its client has proved its address, and so many at most are open at one time.
inline constexpr std::size_t kMaxOpenTraces = 256;
[[nodiscard]] std::expected<std::unique_ptr<trace::SinkFactory>, std::string> make_qlog_files(
    const std::string& directory);

}  // namespace mpquic::perf
