#include "sim/trace/event_record.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "sim/network/world.h"

namespace mpquic::sim {
namespace {

static_assert(std::endian::native == std::endian::little, "integers are written as they are in memory");

constexpr std::size_t kHeadBytes = 48;  // of a datagram: enough for the header of its first packet

template <class T>
void append(std::vector<std::byte>& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(value));
  std::memcpy(out.data() + at, &value, sizeof(value));
}
void put_varint(std::vector<std::byte>& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}
void append(std::vector<std::byte>& out, const SocketAddress& address) {
  const bool v6 = address.ip.family() == IpAddress::Family::v6;
  out.push_back(static_cast<std::byte>(v6 ? 6 : 4));
  const auto octets = std::as_bytes(std::span(address.ip.octets())).first(v6 ? 16 : 4);
  out.insert(out.end(), octets.begin(), octets.end());
  append(out, address.port);
}

}  // namespace

EventRecorder::EventRecorder(OutputFile file, const Scenario& scenario, std::uint64_t seed) : file_(std::move(file)) {
  nlohmann::json header = {{"scenario", scenario.name}, {"seed", seed}, {"paths", nlohmann::json::array()}};
  for (const PathSpec& path : scenario.paths) header["paths"].push_back(path.config.name);
  const std::string text = header.dump();
  file_.write(kRecordingMagic);
  std::vector<std::byte> length;
  append(length, static_cast<std::uint32_t>(text.size()));
  file_.write(Bytes(length));
  file_.write(text);
}

void EventRecorder::begin(RecordedEvent::Kind kind, Instant at, std::uint32_t link) {
  if (events_ == 0) first_ = last_ = at;
  block_.push_back(static_cast<std::byte>(kind));
  put_varint(block_, static_cast<std::uint64_t>((at - last_).count()));
  put_varint(block_, link);
  last_ = at;
}

void EventRecorder::end() {
  if (++events_ == kEventsPerBlock) flush();
}

void EventRecorder::flush() {
  if (events_ == 0) return;
  const std::int64_t first = first_.time_since_epoch().count();
  hash_.add(static_cast<std::uint64_t>(first));
  hash_.add(Bytes(block_));
  std::vector<std::byte> header;
  append(header, static_cast<std::uint32_t>(block_.size()));
  append(header, events_);
  append(header, first);
  append(header, hash_.value());
  file_.write(Bytes(header));
  file_.write(Bytes(block_));
  block_.clear();
  events_ = 0;
}

void EventRecorder::on_sent(const Sighting& seen, const FourTuple& /*sender*/) {
  begin(RecordedEvent::Kind::sent, seen.at, seen.link);
  put_varint(block_, seen.packet.serial);
  put_varint(block_, seen.bytes.size());
  block_.push_back(static_cast<std::byte>(seen.packet.ecn));
  append(block_, seen.packet.tuple.local);
  append(block_, seen.packet.tuple.remote);
  TraceHash payload;
  payload.add(seen.bytes);
  append(block_, payload.value());
  const Bytes head = seen.bytes.first(std::min(seen.bytes.size(), kHeadBytes));
  block_.push_back(static_cast<std::byte>(head.size()));
  block_.insert(block_.end(), head.begin(), head.end());
  end();
}

void EventRecorder::on_delivered(const Sighting& seen) {
  begin(RecordedEvent::Kind::delivered, seen.at, seen.link);
  put_varint(block_, seen.packet.serial);
  end();
}

void EventRecorder::on_dropped(const Sighting& seen, LinkDrop reason) {
  begin(RecordedEvent::Kind::dropped, seen.at, seen.link);
  put_varint(block_, seen.packet.serial);
  block_.push_back(static_cast<std::byte>(reason));
  end();
}

void EventRecorder::on_unroutable(Instant at, std::size_t size) {
  begin(RecordedEvent::Kind::unroutable, at, 0);
  put_varint(block_, size);
  end();
}

void EventRecorder::on_script(const World& world, const ScriptedEvent& event) {
  const std::size_t subject = is_about_host(event.action) ? static_cast<std::size_t>(event.side) : event.path * 2;
  begin(RecordedEvent::Kind::script, world.now(), static_cast<std::uint32_t>(subject));
  block_.push_back(static_cast<std::byte>(event.action));
  end();
}

std::expected<void, std::string> EventRecorder::close() {
  flush();
  return file_.close();
}

}  // namespace mpquic::sim
