// One ngtcp2 connection with its TLS session, its streams and their buffers.
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sim/peers/byte_queue.h"
#include "sim/peers/ngtcp2_endpoint.h"
#include "sim/peers/ngtcp2_tls.h"
#include "stack/base/connection_id.h"
#include "stack/base/ring_buffer.h"

namespace mpquic::peers {

inline constexpr std::size_t kCidLength = 8;

/// What the connections of one endpoint share.
struct Ngtcp2Shared {
  Ngtcp2Shared(Ngtcp2Config config_in, Rng& rng_in)
      : config(std::move(config_in)),
        rng(&rng_in),
        tls(config.certificate_pem, config.private_key_pem, config.ca_pem) {}
  [[nodiscard]] ngtcp2_cid random_cid() const;

  Ngtcp2Config config;
  Rng* rng;
  TlsCredentials tls;
  RingBuffer<Event> events;
  std::map<ConnectionId, ConnectionHandle> by_cid;
};

/// What a server knows once it accepts an Initial.
struct AcceptedInitial {
  ngtcp2_pkt_hd header{};
  std::optional<ngtcp2_cid> original_dcid;  // the first Initial's, if a Retry came between
};

struct Ngtcp2Stream {
  Ngtcp2Stream(StreamId id_in, ChunkStore& store) : id(id_in), outgoing(store), incoming(store) {}

  [[nodiscard]] bool has_unsent() const {
    return !send_closed && (next_send < outgoing.end() || (fin_wanted && !fin_taken));
  }
  [[nodiscard]] bool all_read() const { return receive_closed || fin_read; }

  StreamId id;
  ByteQueue outgoing;           // unacknowledged and unsent
  ByteQueue incoming;           // not yet read by the application
  std::uint64_t next_send = 0;  // the first byte that ngtcp2 has not taken
  bool fin_wanted = false;
  bool fin_taken = false;
  bool finish_reported = false;
  bool send_closed = false;  // reset by us, or stopped by the peer
  bool fin_received = false;
  bool fin_read = false;        // and the application knows
  bool receive_closed = false;  // reset by the peer, or stopped by us
  bool queued = false;          // in the send queue
  bool writer_waits = false;    // write() took less than it was given
  bool readable_reported = false;
  bool gone = false;  // ngtcp2 has closed it
};

class Ngtcp2Connection {
 public:
  [[nodiscard]] static std::unique_ptr<Ngtcp2Connection> connect(Ngtcp2Shared& shared, ConnectionHandle handle,
                                                                 const Ngtcp2ConnectOptions& options, Instant now);
  [[nodiscard]] static std::unique_ptr<Ngtcp2Connection> accept(Ngtcp2Shared& shared, ConnectionHandle handle,
                                                                const AcceptedInitial& initial, const FourTuple& tuple,
                                                                Instant now);
  ~Ngtcp2Connection();
  Ngtcp2Connection(const Ngtcp2Connection&) = delete;
  Ngtcp2Connection& operator=(const Ngtcp2Connection&) = delete;

  [[nodiscard]] bool gone() const { return state_ == State::gone; }
  /// Something may be waiting to be sent.
  [[nodiscard]] bool may_send() const { return may_send_; }
  [[nodiscard]] FourTuple tuple() const;

  void receive(const ngtcp2_path& path, Ecn ecn, MutableBytes packet, Instant now);
  [[nodiscard]] std::optional<Transmit> poll_transmit(MutableBytes out, Instant now);
  [[nodiscard]] Deadline next_deadline() const;
  void on_deadline(Instant now);

  [[nodiscard]] std::expected<StreamId, StreamError> open_stream(Directionality dir);
  [[nodiscard]] std::expected<std::size_t, StreamError> write(StreamId id, Bytes data, bool fin);
  [[nodiscard]] std::expected<StreamPiece, StreamError> peek(StreamId id);
  void consume(StreamId id, std::size_t bytes);
  void reset_stream(StreamId id, std::uint64_t error);
  void stop_sending(StreamId id, std::uint64_t error);
  [[nodiscard]] std::optional<std::uint64_t> send_datagram(Bytes data, Deadline deadline);
  [[nodiscard]] std::optional<std::size_t> receive_datagram(MutableBytes out);
  [[nodiscard]] std::size_t max_datagram_payload() const;
  void close(std::uint64_t application_error, std::string_view reason, Instant now);
  [[nodiscard]] bool migrate(const SocketAddress& local, Instant now);
  [[nodiscard]] bool initiate_key_update(Instant now);
  [[nodiscard]] ConnectionStats stats() const;
  [[nodiscard]] PathStats path_stats() const;

 private:
  friend struct Ngtcp2Callbacks;
  enum class State : std::uint8_t { open, closing, draining, gone };
  struct OutgoingDatagram {
    std::uint64_t sequence = 0;
    std::vector<std::byte> bytes;
    Deadline deadline;
  };
  struct PendingPacket {
    Transmit transmit;
    std::vector<std::byte> bytes;
  };

  Ngtcp2Connection(Ngtcp2Shared& shared, ConnectionHandle handle, Role role);
  [[nodiscard]] bool start_client(std::uint32_t version, std::uint32_t original_version, Instant now);
  [[nodiscard]] bool start_server(const AcceptedInitial& initial, const FourTuple& tuple, Instant now);
  [[nodiscard]] bool bind_tls(const std::string& server_name);
  [[nodiscard]] ngtcp2_settings make_settings(Instant now) const;
  [[nodiscard]] ngtcp2_transport_params make_params() const;
  void forget_cids();
  void register_cid(const ngtcp2_cid& cid);

  void emit(decltype(Event::what) what);
  void emit_path_change(PathChange change, const FourTuple& tuple);
  [[nodiscard]] Ngtcp2Stream* find(StreamId id);
  Ngtcp2Stream& add_stream(StreamId id);
  void erase_if_done(Ngtcp2Stream& stream);
  void enqueue(Ngtcp2Stream& stream);
  void dequeue(Ngtcp2Stream& stream);

  // Sending (ngtcp2_send.cc)
  [[nodiscard]] std::optional<Transmit> write_train(MutableBytes out, Instant now);
  [[nodiscard]] ngtcp2_ssize write_packet(MutableBytes out, ngtcp2_path* path, ngtcp2_pkt_info* info, Instant now);
  [[nodiscard]] std::optional<ngtcp2_ssize> write_datagrams(MutableBytes out, ngtcp2_path* path, ngtcp2_pkt_info* info,
                                                            Instant now);
  [[nodiscard]] std::optional<Transmit> take_pending(MutableBytes out);
  void rotate_send_queue();

  // Ending
  void fail(int error, Instant now);
  void enter_closing(ngtcp2_connection_close_error& error, Instant now);
  void enter_draining(Instant now);

  Ngtcp2Shared& shared_;
  ConnectionHandle handle_;
  Role role_;
  State state_ = State::open;
  SessionReference reference_;
  TlsHandle tls_;
  ngtcp2_conn* conn_ = nullptr;
  Ngtcp2ConnectOptions options_;  // client
  std::uint32_t negotiated_version_ = 0;
  Instant now_{};  // of the call in progress, for callbacks

  ChunkStore chunks_;
  std::unordered_map<StreamId, std::unique_ptr<Ngtcp2Stream>> streams_;
  std::deque<Ngtcp2Stream*> send_queue_;
  std::deque<OutgoingDatagram> datagrams_out_;
  std::deque<std::vector<std::byte>> datagrams_in_;
  std::size_t datagram_bytes_out_ = 0;
  std::size_t datagram_bytes_in_ = 0;
  std::uint64_t next_datagram_ = 0;
  std::array<bool, 2> stream_wanted_{};  // by Directionality: open_stream() was refused

  std::optional<PendingPacket> pending_;  // a packet that did not fit into its train
  std::optional<PendingPacket> close_packet_;
  Deadline end_deadline_;
  std::uint64_t packets_since_close_ = 0;
  bool may_send_ = true;
  bool stateless_reset_ = false;

  std::uint64_t keys_derived_ = 0;
  std::uint64_t lost_in_closed_streams_ = 0;
  PathStats counters_;
};

}  // namespace mpquic::peers
