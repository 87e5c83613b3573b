// An application for one side of a test: sends patterned streams, checks what it receives, and remembers every event.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "stack/endpoint/transport.h"

namespace mpquic::interop {

class App {
 public:
  struct Outgoing {
    std::uint64_t size = 0;
    std::uint64_t written = 0;
    bool fin_written = false;
  };
  struct Incoming {
    std::uint64_t bytes = 0;
    bool finished = false;
    bool intact = true;  // every byte was the pattern's
  };

  /// `reply_bytes`: what this side sends back on each bidirectional stream of the peer once that has finished.
  App(Transport& transport, std::uint64_t reply_bytes) : transport_(transport), reply_bytes_(reply_bytes) {}

  void on_event(const Event& event);
  /// Opens a stream of `size` patterned bytes, or nothing where the peer's limit forbids it now.
  std::optional<StreamId> send(Directionality dir, std::uint64_t size);

  void adopt(ConnectionHandle handle) { connection_ = handle; }
  [[nodiscard]] ConnectionHandle connection() const { return *connection_; }
  [[nodiscard]] bool completed() const { return completed_.has_value(); }
  [[nodiscard]] bool confirmed() const { return confirmed_; }
  [[nodiscard]] const HandshakeCompleted& handshake() const { return *completed_; }
  [[nodiscard]] const std::optional<ConnectionClosed>& closed() const { return closed_; }
  [[nodiscard]] const std::map<StreamId, Incoming>& incoming() const { return incoming_; }
  [[nodiscard]] std::size_t finished_sends() const { return finished_sends_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] const std::vector<PathChanged>& path_changes() const { return path_changes_; }
  [[nodiscard]] const std::vector<std::vector<std::byte>>& datagrams() const { return datagrams_; }
  [[nodiscard]] std::optional<std::uint64_t> reset_error() const { return reset_error_; }
  [[nodiscard]] std::optional<std::uint64_t> stop_error() const { return stop_error_; }

  /// Streams that arrived whole and intact, each of `size` bytes.
  [[nodiscard]] std::size_t intact_streams(std::uint64_t size) const;

 private:
  void write_more(StreamId id);
  void read_all(StreamId id);
  void handle(const Event& event);

  Transport& transport_;
  std::uint64_t reply_bytes_;
  std::optional<ConnectionHandle> connection_;
  std::optional<HandshakeCompleted> completed_;
  std::optional<ConnectionClosed> closed_;
  bool confirmed_ = false;
  std::map<StreamId, Outgoing> outgoing_;
  std::map<StreamId, Incoming> incoming_;
  std::vector<PathChanged> path_changes_;
  std::vector<std::vector<std::byte>> datagrams_;
  std::optional<std::uint64_t> reset_error_;
  std::optional<std::uint64_t> stop_error_;
  std::size_t finished_sends_ = 0;
  std::size_t accepted_ = 0;
};

}  // namespace mpquic::interop
