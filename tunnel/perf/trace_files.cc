#include "tunnel/perf/trace_files.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "io/files.h"
#include "stack/trace/qlog.h"

namespace mpquic::perf {
namespace {

constexpr std::size_t kBuffer = 256U << 10;
/// Of a connection whose file may not exist yet: more than the flights of a handshake.
constexpr std::size_t kMaxPending = 64U << 10;
/// Connections whose file may not exist yet.
constexpr std::size_t kMaxPendingTraces = 512;
constexpr int kMaxNumber = 99;  // of files with one name

/// Collects records: a system call per event would change what is being observed.
class TraceFile {
 public:
  explicit TraceFile(std::string name) : name_(std::move(name)) {}
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  ~TraceFile() { flush(); }

  void append(std::string_view record) {
    const std::size_t most = file_ ? kBuffer : kMaxPending;
    if (buffer_.size() + record.size() > most) flush();
    if (buffer_.size() + record.size() <= most) buffer_ += record;
  }
  void open() {
    for (int number = 0; number <= kMaxNumber; ++number) {
      const std::string suffix = number == 0 ? "" : fmt::format("-{}", number);
      auto file = io::File::create_new(fmt::format("{}{}.sqlog", name_, suffix));
      if (file) {
        file_ = std::move(*file);
        return;
      }
      if (file.error().code == EEXIST && number < kMaxNumber) continue;
      return give_up(file.error().message);
    }
  }

 private:
  void flush() {
    if (!file_ || buffer_.empty() || broken_) return;
    const auto written = file_->append(as_bytes(buffer_));
    buffer_.clear();
    if (!written) give_up(written.error().message);
  }
  void give_up(std::string_view why) {
    broken_ = true;  // a full disk ends the trace, not the connection
    spdlog::warn("{}", why);
  }

  std::string name_;
  std::optional<io::File> file_;
  std::string buffer_;
  bool broken_ = false;
};

[[nodiscard]] std::string hex_of(const ConnectionId& id) {
  std::string hex;
  for (const std::byte b : id.bytes()) hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return hex;
}

/// How many connections have a file, and how many may still get one. Sinks outlive their factory now and then.
struct TraceCounts {
  std::size_t open = 0;
  std::size_t pending = 0;
};

/// A connection's qlog, in memory until the connection is worth a file.
class ConnectionTrace final : public trace::Sink {
 public:
  ConnectionTrace(Role role, const ConnectionId& id, std::string name, std::shared_ptr<TraceCounts> counts)
      : counts_(std::move(counts)),
        file_(std::move(name)),
        qlog_(role, id, [this](std::string_view record) { file_.append(record); }) {
    ++counts_->pending;
    if (role == Role::client) open();  // our own idea, under a name of our own
  }
  ~ConnectionTrace() override { --(pending_ ? counts_->pending : counts_->open); }

  void on_event(const trace::Event& event, Instant now) override {
    qlog_.on_event(event, now);
    if (!pending_) return;
    // RFC 9000 §8.1: a packet that the Handshake keys protect proves the address, and so does every one after it.
    const auto* received = trace::event_if<trace::PacketReceived>(event);
    if (received != nullptr && received->level != EncryptionLevel::initial) open();
  }

 private:
  void open() {
    if (counts_->open >= kMaxOpenTraces) return;  // it may have room later
    pending_ = false;
    --counts_->pending;
    ++counts_->open;
    file_.open();
  }

  bool pending_ = true;
  std::shared_ptr<TraceCounts> counts_;
  TraceFile file_;
  trace::QlogSink qlog_;
};

class TraceFiles final : public trace::SinkFactory {
 public:
  explicit TraceFiles(std::string directory) : directory_(std::move(directory)) {}
  std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId& id) override {
    if (counts_->pending >= kMaxPendingTraces) return nullptr;
    const std::string_view side = role == Role::client ? "client" : "server";
    return std::make_unique<ConnectionTrace>(role, id, fmt::format("{}/{}-{}", directory_, hex_of(id), side), counts_);
  }

 private:
  std::string directory_;
  std::shared_ptr<TraceCounts> counts_ = std::make_shared<TraceCounts>();
};

}  // namespace

std::expected<std::unique_ptr<trace::SinkFactory>, std::string> make_qlog_files(const std::string& directory) {
  if (auto made = io::make_directories(directory); !made) return std::unexpected(made.error().message);
  return std::make_unique<TraceFiles>(directory);
}

}  // namespace mpquic::perf
