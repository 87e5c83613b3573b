#include "sim/peers/ngtcp2_callbacks.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include "sim/peers/ngtcp2_connection.h"
#include "sim/peers/ngtcp2_convert.h"

namespace mpquic::peers {
namespace {

constexpr int kContinue = 0;

Ngtcp2Connection& self(void* user_data) { return *static_cast<Ngtcp2Connection*>(user_data); }
StreamId stream_id(std::int64_t id) { return StreamId{static_cast<std::uint64_t>(id)}; }

}  // namespace

struct Ngtcp2Callbacks {
  static void random(std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx* context) {
    static_cast<Rng*>(context->native_handle)->fill(MutableBytes(reinterpret_cast<std::byte*>(out), size));
  }

  static int path_challenge(ngtcp2_conn*, std::uint8_t* data, void* user) {
    self(user).shared_.rng->fill(MutableBytes(reinterpret_cast<std::byte*>(data), NGTCP2_PATH_CHALLENGE_DATALEN));
    return kContinue;
  }

  static int new_connection_id(ngtcp2_conn*, ngtcp2_cid* cid, std::uint8_t* token, std::size_t, void* user) {
    auto& connection = self(user);
    *cid = connection.shared_.random_cid();
    const auto& key = connection.shared_.config.static_key;
    if (ngtcp2_crypto_generate_stateless_reset_token(token, u8(Bytes(key)), key.size(), cid) != 0) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    connection.register_cid(*cid);
    return kContinue;
  }

  static int remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* cid, void* user) {
    self(user).shared_.by_cid.erase(ConnectionId(std::as_bytes(std::span(cid->data, cid->datalen))));
    return kContinue;
  }

  static int handshake_completed(ngtcp2_conn*, void* user) {
    auto& connection = self(user);
    connection.counters_.validated = true;
    connection.emit(HandshakeCompleted{.alpn = selected_alpn(connection.tls_.get()),
                                       .resumed = gnutls_session_is_resumed(connection.tls_.get()) != 0});
    // RFC 9001 §4.1.2: the server's handshake is confirmed once it is complete.
    if (connection.role_ == Role::server) connection.emit(HandshakeConfirmed{});
    return kContinue;
  }

  static int handshake_confirmed(ngtcp2_conn*, void* user) {
    self(user).emit(HandshakeConfirmed{});
    return kContinue;
  }

  static int version_negotiation(ngtcp2_conn*, const ngtcp2_pkt_hd*, const std::uint32_t* offered, std::size_t count,
                                 void* user) {
    for (std::size_t i = 0; i < count; ++i) {
      if (ngtcp2_is_supported_version(offered[i]) != 0) self(user).negotiated_version_ = NGTCP2_PROTO_VER_V1;
    }
    return kContinue;
  }

  static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
    self(user).stateless_reset_ = true;
    return kContinue;
  }

  static int update_key(ngtcp2_conn* conn, std::uint8_t* rx_secret, std::uint8_t* tx_secret,
                        ngtcp2_crypto_aead_ctx* rx_context, std::uint8_t* rx_iv, ngtcp2_crypto_aead_ctx* tx_context,
                        std::uint8_t* tx_iv, const std::uint8_t* rx_now, const std::uint8_t* tx_now, std::size_t size,
                        void* user) {  // tidy: allow(parameters) ngtcp2's signature
    ++self(user).keys_derived_;
    return ngtcp2_crypto_update_key_cb(conn, rx_secret, tx_secret, rx_context, rx_iv, tx_context, tx_iv, rx_now, tx_now,
                                       size, user);
  }

  static int path_validation(ngtcp2_conn*, std::uint32_t, const ngtcp2_path* path, ngtcp2_path_validation_result result,
                             void* user) {
    auto& connection = self(user);
    if (result == NGTCP2_PATH_VALIDATION_RESULT_ABORTED) return kContinue;
    const bool success = result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS;
    connection.emit_path_change(success ? PathChange::migrated : PathChange::failed, from_native(*path));
    return kContinue;
  }

  // --- Streams

  static int stream_open(ngtcp2_conn* conn, std::int64_t id, void* user) {
    auto& connection = self(user);
    Ngtcp2Stream& stream = connection.add_stream(stream_id(id));
    ngtcp2_conn_set_stream_user_data(conn, id, &stream);
    connection.emit(StreamOpened{stream.id});
    return kContinue;
  }

  static int stream_data(ngtcp2_conn*, std::uint32_t flags, std::int64_t, std::uint64_t, const std::uint8_t* data,
                         std::size_t size, void* user,
                         void* stream_user) {  // tidy: allow(parameters) ngtcp2's signature
    auto& connection = self(user);
    auto& stream = *static_cast<Ngtcp2Stream*>(stream_user);
    stream.incoming.append(std::as_bytes(std::span(data, size)));
    connection.counters_.stream_bytes_received += size;
    if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0) stream.fin_received = true;
    if (!stream.readable_reported) {
      stream.readable_reported = true;
      connection.emit(StreamReadable{stream.id});
    }
    return kContinue;
  }

  static void report_finished(Ngtcp2Connection& connection, Ngtcp2Stream& stream) {
    if (stream.finish_reported || !stream.fin_taken || stream.send_closed) return;
    stream.finish_reported = true;
    connection.emit(StreamFinished{stream.id});
  }

  static int stream_acked(ngtcp2_conn*, std::int64_t, std::uint64_t offset, std::uint64_t size, void* user,
                          void* stream_user) {  // tidy: allow(parameters) ngtcp2's signature
    auto& connection = self(user);
    auto& stream = *static_cast<Ngtcp2Stream*>(stream_user);
    stream.outgoing.release(offset + size);
    if (stream.fin_taken && stream.outgoing.size() == 0) report_finished(connection, stream);
    if (stream.writer_waits) {
      stream.writer_waits = false;
      connection.emit(StreamWritable{stream.id});
    }
    return kContinue;
  }

  static int stream_close(ngtcp2_conn* conn, std::uint32_t, std::int64_t id, std::uint64_t, void* user,
                          void* stream_user) {  // tidy: allow(parameters) ngtcp2's signature
    auto& connection = self(user);
    connection.lost_in_closed_streams_ += static_cast<std::uint64_t>(ngtcp2_conn_get_stream_loss_count(conn, id));
    if (ngtcp2_conn_is_local_stream(conn, id) == 0) {
      if (ngtcp2_is_bidi_stream(id) != 0) {
        ngtcp2_conn_extend_max_streams_bidi(conn, 1);
      } else {
        ngtcp2_conn_extend_max_streams_uni(conn, 1);
      }
    }
    if (stream_user == nullptr) return kContinue;
    auto& stream = *static_cast<Ngtcp2Stream*>(stream_user);
    report_finished(connection, stream);
    stream.gone = true;
    connection.dequeue(stream);
    connection.erase_if_done(stream);
    return kContinue;
  }

  static int stream_reset(ngtcp2_conn*, std::int64_t id, std::uint64_t, std::uint64_t error, void* user,
                          void* stream_user) {  // tidy: allow(parameters) ngtcp2's signature
    // Of a stream of which nothing else has arrived ngtcp2 keeps nothing.
    if (stream_user != nullptr) static_cast<Ngtcp2Stream*>(stream_user)->receive_closed = true;
    self(user).emit(StreamReset{StreamId(static_cast<std::uint64_t>(id)), error});
    return kContinue;
  }

  static int stream_credit(ngtcp2_conn*, std::int64_t, std::uint64_t, void* user, void* stream_user) {
    if (stream_user != nullptr) self(user).enqueue(*static_cast<Ngtcp2Stream*>(stream_user));
    return kContinue;
  }

  template <Directionality dir>
  static int streams_available(ngtcp2_conn*, std::uint64_t, void* user) {
    auto& connection = self(user);
    bool& wanted = connection.stream_wanted_[static_cast<std::size_t>(dir)];
    if (wanted) connection.emit(StreamsAvailable{dir});
    wanted = false;
    return kContinue;
  }

  // --- Datagrams

  static int datagram_received(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data, std::size_t size, void* user) {
    auto& connection = self(user);
    if (connection.datagram_bytes_in_ + size > connection.shared_.config.connection.datagram_receive_queue_bytes)
      return kContinue;
    const Bytes bytes = std::as_bytes(std::span(data, size));
    connection.datagrams_in_.emplace_back(bytes.begin(), bytes.end());
    connection.datagram_bytes_in_ += size;
    connection.counters_.stream_bytes_received += size;
    connection.emit(DatagramReceived{});
    return kContinue;
  }

  static int datagram_lost(ngtcp2_conn*, std::uint64_t sequence, void* user) {
    self(user).emit(DatagramLost{sequence});
    return kContinue;
  }

  static ngtcp2_callbacks table() {
    ngtcp2_callbacks callbacks{};
    callbacks.client_initial = ngtcp2_crypto_client_initial_cb;
    callbacks.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    callbacks.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    callbacks.encrypt = ngtcp2_crypto_encrypt_cb;
    callbacks.decrypt = ngtcp2_crypto_decrypt_cb;
    callbacks.hp_mask = ngtcp2_crypto_hp_mask_cb;
    callbacks.recv_retry = ngtcp2_crypto_recv_retry_cb;
    callbacks.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    callbacks.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    callbacks.update_key = update_key;
    callbacks.rand = random;
    callbacks.get_path_challenge_data = path_challenge;
    callbacks.get_new_connection_id = new_connection_id;
    callbacks.remove_connection_id = remove_connection_id;
    callbacks.handshake_completed = handshake_completed;
    callbacks.handshake_confirmed = handshake_confirmed;
    callbacks.recv_version_negotiation = version_negotiation;
    callbacks.recv_stateless_reset = stateless_reset;
    callbacks.path_validation = path_validation;
    callbacks.stream_open = stream_open;
    callbacks.recv_stream_data = stream_data;
    callbacks.acked_stream_data_offset = stream_acked;
    callbacks.stream_close = stream_close;
    callbacks.stream_reset = stream_reset;
    callbacks.extend_max_stream_data = stream_credit;
    callbacks.extend_max_local_streams_bidi = streams_available<Directionality::bidirectional>;
    callbacks.extend_max_local_streams_uni = streams_available<Directionality::unidirectional>;
    callbacks.recv_datagram = datagram_received;
    callbacks.lost_datagram = datagram_lost;
    return callbacks;
  }
};

const ngtcp2_callbacks& connection_callbacks() {
  static const ngtcp2_callbacks callbacks = Ngtcp2Callbacks::table();
  return callbacks;
}

}  // namespace mpquic::peers
