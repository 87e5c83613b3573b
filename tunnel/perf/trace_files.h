// qlog on disk: one file per connection.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "stack/trace/sink.h"

namespace mpquic::perf {

/// Files `<original destination connection ID>-<client|server>.sqlog` in `directory`, which is created if it is
/// missing.
[[nodiscard]] std::expected<std::unique_ptr<trace::SinkFactory>, std::string> make_qlog_files(
    const std::string& directory);

}  // namespace mpquic::perf
