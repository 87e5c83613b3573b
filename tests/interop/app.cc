#include "tests/interop/app.h"

#include <algorithm>
#include <array>

#include "stack/base/overloaded.h"

namespace mpquic::interop {
namespace {

/// Differs by stream and repeats with a period that no buffer size divides.
std::byte pattern(StreamId id, std::uint64_t offset) {
  return static_cast<std::byte>((offset % 251 * 7 + id.value() * 13 + offset / 65'537) & 0xff);
}

}  // namespace

std::optional<StreamId> App::send(Directionality dir, std::uint64_t size) {
  const auto id = transport_.open_stream(connection(), dir);
  if (!id) return std::nullopt;
  outgoing_[*id] = {.size = size};
  write_more(*id);
  return *id;
}

void App::write_more(StreamId id) {
  const auto found = outgoing_.find(id);
  if (found == outgoing_.end()) return;
  Outgoing& stream = found->second;
  std::array<std::byte, 16 * 1024> buffer;
  while (!stream.fin_written) {
    const auto amount = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), stream.size - stream.written));
    for (std::size_t i = 0; i < amount; ++i) buffer[i] = pattern(id, stream.written + i);
    const bool last = stream.written + amount == stream.size;
    const auto taken = transport_.write(connection(), id, Bytes(buffer).first(amount), last);
    if (!taken) return;
    stream.written += *taken;
    if (*taken < amount) return;
    stream.fin_written = last;
  }
}

void App::read_all(StreamId id) {
  Incoming& stream = incoming_[id];
  while (true) {
    const auto piece = transport_.peek(connection(), id);
    if (!piece || (piece->data.empty() && !piece->fin)) return;
    for (const std::byte byte : piece->data) stream.intact &= byte == pattern(id, stream.bytes++);
    transport_.consume(connection(), id, piece->data.size());
    if (piece->fin && !stream.finished) {
      stream.finished = true;
      if (reply_bytes_ > 0 && directionality_of(id) == Directionality::bidirectional && !outgoing_.contains(id)) {
        outgoing_[id] = {.size = reply_bytes_};
        write_more(id);
      }
      return;
    }
  }
}

void App::on_event(const Event& event) {
  if (!connection_) connection_ = event.connection;
  if (event.connection == *connection_) handle(event);
}

void App::handle(const Event& event) {
  std::visit(overloaded{
                 [this](const Accepted&) { ++accepted_; },
                 [this](const HandshakeCompleted& what) { completed_ = what; },
                 [this](const HandshakeConfirmed&) { confirmed_ = true; },
                 [](const StreamOpened&) {},
                 [this](const StreamReadable& what) { read_all(what.id); },
                 [this](const StreamWritable& what) { write_more(what.id); },
                 [this](const StreamReset& what) { reset_error_ = what.error; },
                 [this](const StreamStopped& what) { stop_error_ = what.error; },
                 [this](const StreamFinished&) { ++finished_sends_; },
                 [](const StreamsAvailable&) {},
                 [this](const DatagramReceived&) {
                   std::array<std::byte, 2048> buffer;
                   while (const auto size = transport_.receive_datagram(connection(), buffer)) {
                     datagrams_.emplace_back(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size));
                   }
                 },
                 [](const DatagramLost&) {},
                 [this](const PathChanged& what) { path_changes_.push_back(what); },
                 [this](const ConnectionClosed& what) { closed_ = what; },
             },
             event.what);
}

std::size_t App::intact_streams(std::uint64_t size) const {
  return static_cast<std::size_t>(std::ranges::count_if(incoming_, [size](const auto& entry) {
    return entry.second.finished && entry.second.intact && entry.second.bytes == size;
  }));
}

}  // namespace mpquic::interop
