#include "tunnel/perf/server_app.h"

#include <algorithm>
#include <utility>

#include "stack/base/overloaded.h"

namespace mpquic::perf {
namespace {

constexpr std::size_t kChunk = 64U << 10;

}  // namespace

ServerApp::ServerApp(Transport& transport, ServerAppOptions options)
    : transport_(transport), options_(std::move(options)), scratch_(kChunk) {}

void ServerApp::on_event(const Event& event, Instant now) {
  const ConnectionHandle handle = event.connection;
  if (std::holds_alternative<Accepted>(event.what)) {
    Connection& connection = connections_[handle];
    connection.record.handle = handle;
    connection.record.started = now;
    return;
  }
  const auto found = connections_.find(handle);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  std::visit(overloaded{
                 [&](const HandshakeCompleted& handshake) { on_handshake(connection, handshake, now); },
                 [&](const StreamOpened& opened) { read(connection, opened.id); },
                 [&](const StreamReadable& readable) { read(connection, readable.id); },
                 [&](const StreamWritable& writable) { write(connection, writable.id); },
                 [&](const StreamReset& reset) { refuse(connection, reset.id, kCancelled); },
                 [&](const StreamStopped& stopped) { refuse(connection, stopped.id, kCancelled); },
                 [&](const StreamFinished& finished) { forget(connection, finished.id); },
                 [&](const ConnectionClosed& closed) { on_closed(handle, closed, now); },
                 [](const Accepted&) {},
                 [](const HandshakeConfirmed&) {},
                 [](const StreamsAvailable&) {},
                 [](const DatagramReceived&) {},
                 [](const DatagramLost&) {},
                 [](const PathChanged&) {},
             },
             event.what);
}

void ServerApp::shut_down(Instant now) {
  for (const auto& [handle, connection] : connections_) transport_.close(handle, kNoError, "server shutting down", now);
}

std::vector<ConnectionRecord> ServerApp::take_finished() { return std::exchange(finished_, {}); }

void ServerApp::on_handshake(Connection& connection, const HandshakeCompleted& handshake, Instant now) {
  connection.record.alpn = handshake.alpn;
  connection.record.multipath = handshake.multipath;
  connection.record.resumed = handshake.resumed;
  if (const auto protocol = protocol_of(handshake.alpn)) {
    connection.protocol = *protocol;
  } else {
    transport_.close(handle_of(connection), kInternalError, "no such application protocol", now);
  }
}

void ServerApp::on_closed(ConnectionHandle handle, const ConnectionClosed& closed, Instant now) {
  const auto found = connections_.find(handle);
  ConnectionRecord record = std::move(found->second.record);
  record.ended = now;
  record.closed = closed;
  transport_.path_stats(handle, record.paths);
  finished_.push_back(std::move(record));
  connections_.erase(found);
}

void ServerApp::read(Connection& connection, StreamId id) {
  if (directionality_of(id) != Directionality::bidirectional || initiator_of(id) != Role::client) {
    transport_.stop_sending(handle_of(connection), id, kMalformedRequest);  // neither protocol uses others
    return;
  }
  auto found = connection.exchanges.find(id);
  if (found == connection.exchanges.end()) found = connection.exchanges.try_emplace(id).first;
  Exchange& exchange = found->second;
  while (!exchange.request_ended) {
    const auto piece = transport_.peek(handle_of(connection), id);
    if (!piece) return refuse(connection, id, kCancelled);
    if (piece->data.empty() && !piece->fin) break;
    exchange.request_ended = piece->fin;
    const bool was_started = exchange.started;
    if (const auto error = consume(connection, exchange, piece->data, piece->fin))
      return refuse(connection, id, *error);
    transport_.consume(handle_of(connection), id, piece->data.size());
    if (exchange.started && !was_started) {
      ++connection.record.requests;
      connection.waiting.push_back(id);
    }
  }
  if (exchange.response_ended && !exchange.admitted && exchange.request_ended) return forget(connection, id);
  admit(connection, id);
}

std::optional<std::uint64_t> ServerApp::consume(Connection& connection, Exchange& exchange, Bytes data, bool fin) {
  connection.record.bytes_received += data.size();
  return connection.protocol == Protocol::hq ? consume_hq(exchange, data, fin)
                                             : consume_perf(connection, exchange, data, fin);
}

std::optional<std::uint64_t> ServerApp::consume_hq(Exchange& exchange, Bytes data, bool fin) {
  if (exchange.started) return data.empty() ? std::nullopt : std::optional(kMalformedRequest);
  if (exchange.head.size() + data.size() > kMaxRequestLine) return kMalformedRequest;
  exchange.head += as_text(data);
  // Clients are known that end the request with CRLF, with LF, or only with FIN.
  const auto end = exchange.head.find('\n');
  if (end == std::string::npos && !fin) return std::nullopt;
  if (end != std::string::npos && end + 1 != exchange.head.size()) return kMalformedRequest;
  std::string_view line = std::string_view(exchange.head).substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto path = parse_hq_request(line);
  if (!path) return kMalformedRequest;
  return choose_document(exchange, *path);
}

std::optional<std::uint64_t> ServerApp::consume_perf(Connection& connection, Exchange& exchange, Bytes data, bool fin) {
  if (!exchange.started) {
    const std::size_t n = std::min(kPerfHeader - exchange.head.size(), data.size());
    exchange.head += as_text(data.first(n));
    data = data.subspan(n);
    if (exchange.head.size() == kPerfHeader) {
      const std::uint64_t size = parse_perf_request(as_bytes(exchange.head));
      if (size > kMaxVarint) return kMalformedRequest;
      exchange.size = size;
      exchange.started = true;
    } else if (fin) {
      return kMalformedRequest;
    }
  }
  if (!data.empty()) {
    if (!exchange.upload_hash) exchange.upload_hash.emplace();
    exchange.upload_hash->update(data);
    exchange.uploaded += data.size();
  }
  if (fin && exchange.upload_hash) connection.record.last_upload_sha256 = exchange.upload_hash->finish();
  return std::nullopt;
}

std::optional<std::uint64_t> ServerApp::choose_document(Exchange& exchange, std::string_view path) {
  path.remove_prefix(1);
  const auto file = options_.root ? options_.root->open_file(path) : io::failure("nothing is served");
  if (file) {
    exchange.file = path;
    exchange.size = file->size();
  } else {
    const auto size = parse_size(path);
    if (!size) return kNotFound;
    exchange.size = *size;
  }
  exchange.started = true;
  return std::nullopt;
}

/// False: the file has gone since it was asked for.
bool ServerApp::begin_response(Connection& connection, Exchange& exchange) {
  if (exchange.file.empty()) {
    exchange.document = Document::synthetic(exchange.size);
  } else {
    auto file = options_.root->open_file(exchange.file);
    if (!file) return false;
    exchange.document = Document::file(std::move(*file));
  }
  exchange.admitted = true;
  exchange.cost = std::min(exchange.document->size(), options_.stream_send_buffer);
  connection.committed += exchange.cost;
  return true;
}

/// Starts the responses that the budget has room for, and goes on with that of `id` if it has begun.
void ServerApp::admit(Connection& connection, StreamId id) {
  while (!connection.waiting.empty()) {
    const StreamId next = connection.waiting.front();
    const auto found = connection.exchanges.find(next);
    bool begun = true;
    if (found != connection.exchanges.end()) {
      const std::uint64_t cost = std::min(found->second.size, options_.stream_send_buffer);
      if (connection.committed > 0 && connection.committed + cost > options_.connection_send_budget) break;
      begun = begin_response(connection, found->second);
    }
    connection.waiting.pop_front();
    if (!begun) {
      refuse(connection, next, kNotFound);  // which admits what else there is room for
    } else if (next != id) {
      write(connection, next);
    }
  }
  write(connection, id);
}

void ServerApp::write(Connection& connection, StreamId id) {
  const auto found = connection.exchanges.find(id);
  if (found == connection.exchanges.end() || !found->second.document) return;
  Exchange& exchange = found->second;
  const std::uint64_t size = exchange.document->size();
  const bool may_end = connection.protocol == Protocol::hq || exchange.request_ended;
  while (!exchange.response_ended) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - exchange.offset));
    const bool fin = may_end && exchange.offset + n == size;
    if (n == 0 && !fin) return;  // the upload goes on
    const MutableBytes chunk = MutableBytes(scratch_).first(n);
    if (const auto got = exchange.document->read_at(exchange.offset, chunk); !got)
      return refuse(connection, id, kInternalError);
    const auto taken = transport_.write(handle_of(connection), id, chunk, fin);
    if (!taken) return refuse(connection, id, kCancelled);
    exchange.offset += *taken;
    connection.record.bytes_sent += *taken;
    if (*taken < n) return;  // StreamWritable follows
    exchange.response_ended = fin;
  }
  exchange.document.reset();
}

void ServerApp::refuse(Connection& connection, StreamId id, std::uint64_t error) {
  const auto found = connection.exchanges.find(id);
  if (found == connection.exchanges.end()) return;
  ++connection.record.requests_failed;
  transport_.reset_stream(handle_of(connection), id, error);
  if (!found->second.request_ended) transport_.stop_sending(handle_of(connection), id, error);
  forget(connection, id);
}

void ServerApp::forget(Connection& connection, StreamId id) {
  const auto found = connection.exchanges.find(id);
  if (found == connection.exchanges.end()) return;
  const bool request_goes_on = found->second.response_ended && !found->second.request_ended;
  if (found->second.admitted) connection.committed -= found->second.cost;
  found->second.document.reset();
  found->second.admitted = false;
  // A client may acknowledge the response before it ends its request: the stream then lives on, only to be read.
  if (!request_goes_on) connection.exchanges.erase(found);
  admit(connection, id);
}

}  // namespace mpquic::perf
