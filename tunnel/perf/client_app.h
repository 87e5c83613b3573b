// The client's side of hq-interop and perf over one connection of any Transport: runs jobs on concurrent streams.
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

/// One request on one stream.
struct Job {
  std::string path{};          // hq: the document
  std::uint64_t download = 0;  // perf: the bytes wanted
  std::uint64_t upload = 0;    // perf: synthetic bytes to send, unless `upload_file` is set
  std::string upload_file{};
  std::string output{};  // file that receives the whole response or none of it; empty: hashed and forgotten
};

struct JobResult {
  std::string name;
  std::uint64_t downloaded = 0;
  std::uint64_t uploaded = 0;
  std::string sha256;         // of the response; empty without ClientAppOptions::digest
  std::string upload_sha256;  // likewise, and if nothing was uploaded
  Instant started{};
  Instant ended{};
};

struct ClientAppOptions {
  std::vector<Job> jobs{};
  std::size_t concurrency = 1;
  /// SHA-256 of everything, which costs a client more CPU time than the transport does.
  bool digest = true;
  /// Repeat the jobs until then, counting from the end of the handshake; what is unfinished at that time counts.
  std::optional<Duration> duration{};
};

class ClientApp {
 public:
  ClientApp(Transport& transport, ClientAppOptions options);

  /// The connection to use, before any of its events.
  void set_connection(ConnectionHandle connection) { connection_ = connection; }

  void on_event(const Event& event, Instant now);
  /// To be called once per turn: ends a run that is limited by time.
  void on_turn(Instant now);
  [[nodiscard]] Deadline next_deadline() const { return state_ == State::running ? end_ : std::nullopt; }

  [[nodiscard]] bool done() const { return state_ == State::done || state_ == State::failed; }
  /// Why the transfer failed, in one line; nothing while it runs or if it succeeded.
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
  [[nodiscard]] const std::vector<JobResult>& results() const { return results_; }
  [[nodiscard]] const std::optional<HandshakeCompleted>& handshake() const { return handshake_; }
  [[nodiscard]] std::uint64_t bytes_downloaded() const { return downloaded_; }
  [[nodiscard]] std::uint64_t bytes_uploaded() const { return uploaded_; }
  [[nodiscard]] Instant established() const { return established_; }  // the handshake's end
  [[nodiscard]] Instant ended() const { return ended_; }
  /// Kept when the connection ends by itself; path_stats() has nothing afterwards.
  [[nodiscard]] const std::vector<PathStats>& final_paths() const { return final_paths_; }

 private:
  enum class State : std::uint8_t { connecting, running, done, failed };
  struct Exchange {
    const Job* job = nullptr;
    JobResult result;
    std::string head;  // request still to be sent, from `head_sent` on
    std::size_t head_sent = 0;
    std::optional<Document> upload;
    std::uint64_t upload_offset = 0;
    bool request_ended = false;
    std::optional<io::NewFile> output;
    std::optional<Sha256> hash;  // absent: nobody wants it
    std::optional<Sha256> upload_hash;
  };

  void start_jobs(Instant now);
  [[nodiscard]] bool start_job(const Job& job, Instant now);
  [[nodiscard]] io::Result<Exchange> prepare(const Job& job) const;
  void write(StreamId id, Instant now);
  void read(StreamId id, Instant now);
  void finish(StreamId id, Instant now);
  void finish_early(Instant now);
  void fail(std::string reason, Instant now);
  void keep(Exchange& exchange, Instant now);

  Transport& transport_;
  ConnectionHandle connection_;
  ClientAppOptions options_;
  State state_ = State::connecting;
  Protocol protocol_ = Protocol::hq;
  std::size_t next_job_ = 0;
  std::map<StreamId, Exchange> exchanges_;
  std::vector<JobResult> results_;
  std::optional<HandshakeCompleted> handshake_;
  std::optional<std::string> failure_;
  std::uint64_t downloaded_ = 0;
  std::uint64_t uploaded_ = 0;
  Instant established_{};
  Instant ended_{};
  Deadline end_;
  std::vector<PathStats> final_paths_;
  std::vector<std::byte> scratch_;
};

}  // namespace mpquic::perf
