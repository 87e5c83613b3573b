// Reading what EventRecorder wrote. A file may be damaged or no recording at all: everything is checked.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "sim/network/link_end.h"
#include "sim/trace/event_record.h"

namespace mpquic::sim {
namespace {

constexpr std::uint32_t kMaxHeader = 1U << 20;
constexpr std::size_t kMaxEventBytes = 256;

/// Fails once, and then gives zeros.
class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return left_.empty(); }
  [[nodiscard]] Bytes take(std::size_t size) {
    if (size > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const Bytes taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  [[nodiscard]] std::uint8_t byte() {
    const Bytes taken = take(1);
    return taken.empty() ? 0 : std::to_integer<std::uint8_t>(taken[0]);
  }
  template <class T>
  [[nodiscard]] T fixed() {
    T value{};
    if (const Bytes taken = take(sizeof(T)); !taken.empty()) std::memcpy(&value, taken.data(), sizeof(T));
    return value;
  }
  [[nodiscard]] std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fU} << shift;
      if (next < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  [[nodiscard]] SocketAddress address() {
    SocketAddress address;
    if (byte() == 6) {
      std::array<std::uint8_t, 16> octets{};
      if (const Bytes taken = take(16); !taken.empty()) std::memcpy(octets.data(), taken.data(), 16);
      address.ip = IpAddress::v6(octets);
    } else {
      std::array<std::uint8_t, 4> octets{};
      if (const Bytes taken = take(4); !taken.empty()) std::memcpy(octets.data(), taken.data(), 4);
      address.ip = IpAddress::v4(octets);
    }
    address.port = fixed<std::uint16_t>();
    return address;
  }

 private:
  Bytes left_;
  bool ok_ = true;
};

[[nodiscard]] RecordedEvent read_event(Reader& reader, Instant& last) {
  RecordedEvent event;
  event.kind = static_cast<RecordedEvent::Kind>(reader.byte());
  last += Duration(static_cast<std::int64_t>(reader.varint()));
  event.at = last;
  event.link = static_cast<std::uint32_t>(reader.varint());
  switch (event.kind) {
    case RecordedEvent::Kind::sent: {
      event.serial = reader.varint();
      event.size = reader.varint();
      event.detail = reader.byte();
      event.tuple.local = reader.address();
      event.tuple.remote = reader.address();
      event.payload = reader.fixed<std::uint64_t>();
      const Bytes head = reader.take(reader.byte());
      event.head.assign(head.begin(), head.end());
      break;
    }
    case RecordedEvent::Kind::delivered: event.serial = reader.varint(); break;
    case RecordedEvent::Kind::dropped:
      event.serial = reader.varint();
      event.detail = reader.byte();
      break;
    case RecordedEvent::Kind::unroutable: event.size = reader.varint(); break;
    case RecordedEvent::Kind::script: event.detail = reader.byte(); break;
    case RecordedEvent::Kind::count_: break;
  }
  return event;
}

}  // namespace

std::unexpected<std::string> EventFile::broken(const char* what) const {
  return std::unexpected(fmt::format("{}: {}", path_, what));
}

std::expected<EventFile, std::string> EventFile::open(const std::string& path) {
  std::FILE* handle = std::fopen(path.c_str(), "rb");
  if (handle == nullptr) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  EventFile file(handle, path);
  if (auto read = file.read_header(); !read) return std::unexpected(std::move(read).error());
  return file;
}

std::expected<void, std::string> EventFile::read_header() {
  char magic[kRecordingMagic.size()] = {};
  std::uint32_t length = 0;
  if (std::fread(magic, 1, sizeof(magic), file_.get()) != sizeof(magic) ||
      std::string_view(magic, sizeof(magic)) != kRecordingMagic ||
      std::fread(&length, sizeof(length), 1, file_.get()) != 1 || length > kMaxHeader)
    return broken("not a recording of mpquic-sim run --record");
  std::string text(length, '\0');
  if (std::fread(text.data(), 1, length, file_.get()) != length) return broken("the recording ends in its header");
  const nlohmann::json header = nlohmann::json::parse(text, nullptr, false);
  if (!header.is_object()) return broken("the recording's header is damaged");
  scenario_ = header.value("scenario", "");
  seed_ = header.value("seed", std::uint64_t{0});
  if (const auto paths = header.find("paths"); paths != header.end() && paths->is_array())
    for (const auto& name : *paths)
      if (name.is_string()) path_names_.push_back(name.get<std::string>());
  start_ = next_ = std::ftell(file_.get());
  if (std::fseek(file_.get(), 0, SEEK_END) != 0) return broken("cannot be read");
  size_ = std::ftell(file_.get());
  return {};
}

std::string EventFile::link_name(std::uint32_t link) const {
  const auto [path, direction] = LinkEnd::of(link);
  const std::string name = path < path_names_.size() ? path_names_[path] : fmt::format("path {}", path);
  return fmt::format("{} {}", name, direction == Direction::up ? "up" : "down");
}

void EventFile::rewind() { next_ = start_; }

std::expected<std::optional<BlockHeader>, std::string> EventFile::next_block() {
  std::byte bytes[BlockHeader::kSize];
  if (std::fseek(file_.get(), next_, SEEK_SET) != 0) return broken("cannot be read");
  const std::size_t got = std::fread(bytes, 1, sizeof(bytes), file_.get());
  at_ = next_;
  if (got == 0) return std::nullopt;
  if (got < sizeof(bytes)) return broken("the recording is cut off: was the run killed?");
  Reader reader{Bytes(bytes)};
  current_.bytes = reader.fixed<std::uint32_t>();
  current_.events = reader.fixed<std::uint32_t>();
  current_.first = reader.fixed<std::int64_t>();
  current_.hash = reader.fixed<std::uint64_t>();
  if (current_.events == 0 || current_.events > kEventsPerBlock || current_.bytes > kEventsPerBlock * kMaxEventBytes)
    return broken("the recording is damaged");
  next_ += static_cast<long>(BlockHeader::kSize + current_.bytes);
  if (next_ > size_) return broken("the recording is cut off: was the run killed?");
  return current_;
}

std::expected<std::vector<RecordedEvent>, std::string> EventFile::read_block() { return read_events(at_, current_); }

std::expected<std::vector<RecordedEvent>, std::string> EventFile::read_block_before(const BlockHeader& header) {
  return read_events(at_ - static_cast<long>(BlockHeader::kSize + header.bytes), header);
}

std::expected<std::vector<RecordedEvent>, std::string> EventFile::read_events(long at, const BlockHeader& header) {
  std::vector<std::byte> bytes(header.bytes);
  if (std::fseek(file_.get(), at + static_cast<long>(BlockHeader::kSize), SEEK_SET) != 0 ||
      std::fread(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
    return broken("the recording is cut off: was the run killed?");
  Reader reader{Bytes(bytes)};
  Instant last = Instant{} + Duration(header.first);
  std::vector<RecordedEvent> events;
  events.reserve(header.events);
  while (reader.ok() && !reader.done()) events.push_back(read_event(reader, last));
  const bool kinds_known =
      std::ranges::all_of(events, [](const RecordedEvent& event) { return event.kind < RecordedEvent::Kind::count_; });
  if (!reader.ok() || !kinds_known || events.size() != header.events) return broken("the recording is damaged");
  return events;
}

}  // namespace mpquic::sim
