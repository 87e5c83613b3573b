#include "tunnel/perf/trace_files.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "io/files.h"
#include "stack/trace/qlog.h"

namespace mpquic::perf {
namespace {

constexpr std::size_t kBuffer = 256U << 10;

/// Collects records: a system call per event would change what is being observed.
class TraceFile {
 public:
  explicit TraceFile(io::File file) : file_(std::move(file)) { buffer_.reserve(kBuffer); }
  TraceFile(TraceFile&&) = default;
  TraceFile& operator=(TraceFile&&) = delete;
  ~TraceFile() { flush(); }

  void operator()(std::string_view record) {
    if (buffer_.size() + record.size() > kBuffer) flush();
    buffer_ += record;
  }

 private:
  void flush() {
    if (buffer_.empty() || broken_) return;
    const auto written = file_.append(as_bytes(buffer_));
    buffer_.clear();
    if (written) return;
    broken_ = true;  // a full disk ends the trace, not the connection
    spdlog::warn("{}", written.error().message);
  }

  io::File file_;
  std::string buffer_;
  bool broken_ = false;
};

[[nodiscard]] std::string hex_of(const ConnectionId& id) {
  std::string hex;
  for (const std::byte b : id.bytes()) hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return hex;
}

}  // namespace

std::expected<std::unique_ptr<trace::SinkFactory>, std::string> make_qlog_files(const std::string& directory) {
  if (auto made = io::make_directories(directory); !made) return std::unexpected(made.error().message);
  return std::make_unique<trace::QlogSinkFactory>([directory](Role role, const ConnectionId& id) -> trace::QlogWriter {
    const std::string_view side = role == Role::client ? "client" : "server";
    auto file = io::File::create(fmt::format("{}/{}-{}.sqlog", directory, hex_of(id), side));
    if (file) return TraceFile(std::move(*file));
    spdlog::warn("{}", file.error().message);
    return {};
  });
}

}  // namespace mpquic::perf
