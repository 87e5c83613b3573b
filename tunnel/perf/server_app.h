// The server's side of hq-interop and perf over any Transport. Nothing here does I/O but reading the served directory.
//
// Memory: of a request at most kMaxRequestLine bytes are kept; responses are produced chunk by chunk as the transport
// takes them; and what a connection's streams may hold in send buffers is limited by `connection_send_budget`:
// further responses wait until earlier ones are acknowledged.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/files.h"
#include "stack/endpoint/transport.h"
#include "tunnel/perf/content.h"
#include "tunnel/perf/protocol.h"

namespace mpquic::perf {

struct ServerAppOptions {
  std::optional<io::Directory> root{};          // nothing: synthetic documents only
  std::uint64_t stream_send_buffer = 4U << 20;  // as ConnectionConfig::send_buffer
  std::uint64_t connection_send_budget = 64U << 20;
};

/// What one connection did, kept until the report.
struct ConnectionRecord {
  ConnectionHandle handle;
  std::string alpn;
  bool multipath = false;
  bool resumed = false;
  Instant started{};
  Instant ended{};
  std::uint64_t requests = 0;
  std::uint64_t requests_failed = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::string last_upload_sha256;
  std::vector<PathStats> paths;
  std::optional<ConnectionClosed> closed;
  /// Its handshake was completed: without ALPN there is none (RFC 9001 §8.1).
  [[nodiscard]] bool served() const { return !alpn.empty(); }
};

class ServerApp {
 public:
  ServerApp(Transport& transport, ServerAppOptions options);

  void on_event(const Event& event, Instant now);
  /// Closes every connection without error.
  void shut_down(Instant now);

  [[nodiscard]] std::size_t open_connections() const { return connections_.size(); }
  /// Connections that ended since the last call.
  [[nodiscard]] std::vector<ConnectionRecord> take_finished();

 private:
  struct Exchange {
    std::string head;       // request line or perf header, until complete
    bool started = false;   // the request is complete, a document chosen
    bool admitted = false;  // counts against the send budget
    bool request_ended = false;
    bool response_ended = false;  // FIN written
    std::string file;  // of the served directory; opened when the response begins: who waits holds no descriptor
    std::uint64_t size = 0;
    std::uint64_t cost = 0;            // of the send budget, while admitted
    std::optional<Document> document;  // while the response goes out
    std::uint64_t offset = 0;
    std::uint64_t uploaded = 0;
    std::optional<Sha256> upload_hash;
  };
  struct Connection {
    Protocol protocol = Protocol::hq;
    std::map<StreamId, Exchange> exchanges;
    std::deque<StreamId> waiting;  // for the send budget, in order of arrival
    std::uint64_t committed = 0;
    ConnectionRecord record;
  };

  void on_handshake(Connection& connection, const HandshakeCompleted& handshake, Instant now);
  void on_closed(ConnectionHandle handle, const ConnectionClosed& closed, Instant now);
  void read(Connection& connection, StreamId id);
  /// Uses up what arrived. An error code if the request is malformed or asks for something that there is not.
  [[nodiscard]] std::optional<std::uint64_t> consume(Connection& connection, Exchange& exchange, Bytes data, bool fin);
  [[nodiscard]] std::optional<std::uint64_t> consume_hq(Exchange& exchange, Bytes data, bool fin);
  [[nodiscard]] std::optional<std::uint64_t> consume_perf(Connection& connection, Exchange& exchange, Bytes data,
                                                          bool fin);
  [[nodiscard]] std::optional<std::uint64_t> choose_document(Exchange& exchange, std::string_view path);
  void admit(Connection& connection, StreamId id);
  void write(Connection& connection, StreamId id);
  void refuse(Connection& connection, StreamId id, std::uint64_t error);
  void forget(Connection& connection, StreamId id);
  [[nodiscard]] bool begin_response(Connection& connection, Exchange& exchange);
  [[nodiscard]] ConnectionHandle handle_of(const Connection& connection) const { return connection.record.handle; }

  Transport& transport_;
  ServerAppOptions options_;
  std::map<ConnectionHandle, Connection> connections_;
  std::vector<ConnectionRecord> finished_;
  std::vector<std::byte> scratch_;
};

}  // namespace mpquic::perf
