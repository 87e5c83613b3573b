// Trains: as many equal packets of one 4-tuple as ngtcp2's pacer lets go at once.
#include <algorithm>

#include "sim/peers/ngtcp2_connection.h"
#include "sim/peers/ngtcp2_convert.h"

namespace mpquic::peers {

std::optional<Transmit> Ngtcp2Connection::poll_transmit(MutableBytes out, Instant now) {
  now_ = now;
  if (auto pending = take_pending(out)) return pending;
  if (state_ == State::open) {
    if (auto train = write_train(out, now)) return train;
    if (auto closing = take_pending(out)) return closing;  // write_train() may have failed and ended the connection
  }
  may_send_ = false;
  return std::nullopt;
}

std::optional<Transmit> Ngtcp2Connection::take_pending(MutableBytes out) {
  if (!pending_ || out.size() < pending_->bytes.size()) return std::nullopt;
  std::copy(pending_->bytes.begin(), pending_->bytes.end(), out.begin());
  const Transmit transmit = pending_->transmit;
  pending_.reset();
  counters_.bytes_sent += transmit.size;
  ++counters_.packets_sent;
  return transmit;
}

std::optional<Transmit> Ngtcp2Connection::write_train(MutableBytes out, Instant now) {
  const std::size_t largest = ngtcp2_conn_get_max_tx_udp_payload_size(conn_);
  const std::size_t usual = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_);
  const std::size_t limit = std::max<std::size_t>(ngtcp2_conn_get_send_quantum(conn_) / largest, 1);
  ngtcp2_path_storage first;
  ngtcp2_path_storage current;
  ngtcp2_path_storage_zero(&first);
  ngtcp2_path_storage_zero(&current);
  Transmit train;
  for (std::size_t count = 0; count < limit && out.size() - train.size >= largest; ++count) {
    ngtcp2_pkt_info info{};
    const MutableBytes room = out.subspan(train.size, largest);
    const ngtcp2_ssize written = write_packet(room, &current.path, &info, now);
    if (written < 0) fail(static_cast<int>(written), now);
    if (written <= 0) break;
    const auto size = static_cast<std::size_t>(written);
    const auto ecn = static_cast<Ecn>(info.ecn);
    if (count == 0) {
      ngtcp2_path_copy(&first.path, &current.path);
      train.segment_size = size;
      train.ecn = ecn;
    } else if (size > train.segment_size || (train.segment_size > usual && size != train.segment_size) ||
               ecn != train.ecn || ngtcp2_path_eq(&first.path, &current.path) == 0) {
      pending_ = PendingPacket{{from_native(current.path), ecn, size, size}, {room.begin(), room.begin() + written}};
      break;
    }
    train.size += size;
    ++counters_.packets_sent;
    rotate_send_queue();
    if (size < train.segment_size) break;
  }
  if (state_ == State::open) ngtcp2_conn_update_pkt_tx_time(conn_, to_timestamp(now));
  if (train.size == 0) return std::nullopt;
  train.tuple = from_native(first.path);
  counters_.bytes_sent += train.size;
  return train;
}

/// RFC 9221 §5: datagrams go before streams. Nothing if the packet still has room, else what ngtcp2 said.
std::optional<ngtcp2_ssize> Ngtcp2Connection::write_datagrams(MutableBytes out, ngtcp2_path* path,
                                                              ngtcp2_pkt_info* info, Instant now) {
  while (!datagrams_out_.empty()) {
    OutgoingDatagram& datagram = datagrams_out_.front();
    int accepted = 0;
    ngtcp2_ssize written = NGTCP2_ERR_INVALID_ARGUMENT;
    if (!expired(datagram.deadline, now)) {
      const ngtcp2_vec vector{u8(MutableBytes(datagram.bytes)), datagram.bytes.size()};
      written = ngtcp2_conn_writev_datagram(conn_, path, info, u8(out), out.size(), &accepted,
                                            NGTCP2_WRITE_DATAGRAM_FLAG_MORE, datagram.sequence, &vector, 1,
                                            to_timestamp(now));
    }
    const bool unsendable = written == NGTCP2_ERR_INVALID_ARGUMENT || written == NGTCP2_ERR_INVALID_STATE;
    if (unsendable) emit(DatagramLost{datagram.sequence});
    if (accepted != 0) counters_.stream_bytes_sent += datagram.bytes.size();
    if (unsendable || accepted != 0) {
      datagram_bytes_out_ -= datagram.bytes.size();
      datagrams_out_.pop_front();
    }
    if (!unsendable && written != NGTCP2_ERR_WRITE_MORE) return written;
  }
  return std::nullopt;
}

ngtcp2_ssize Ngtcp2Connection::write_packet(MutableBytes out, ngtcp2_path* path, ngtcp2_pkt_info* info, Instant now) {
  if (const auto written = write_datagrams(out, path, info, now)) return *written;
  bool connection_blocked = false;
  while (true) {
    Ngtcp2Stream* stream = connection_blocked || send_queue_.empty() ? nullptr : send_queue_.front();
    std::array<ngtcp2_vec, 2> vectors{};
    std::size_t count = 0;
    std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    if (stream != nullptr) {
      std::uint64_t offset = stream->next_send;
      for (; count < vectors.size() && offset < stream->outgoing.end(); ++count) {
        const Bytes piece = stream->outgoing.at(offset);
        vectors[count] = {const_cast<std::uint8_t*>(u8(piece)), piece.size()};
        offset += piece.size();
      }
      flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
      if (stream->fin_wanted && offset == stream->outgoing.end()) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
    }
    ngtcp2_ssize taken = -1;
    const std::int64_t id = stream == nullptr ? -1 : static_cast<std::int64_t>(stream->id.value());
    const ngtcp2_ssize written = ngtcp2_conn_writev_stream(conn_, path, info, u8(out), out.size(), &taken, flags, id,
                                                           vectors.data(), count, to_timestamp(now));
    if (stream != nullptr && taken >= 0) {
      stream->next_send += static_cast<std::uint64_t>(taken);
      counters_.stream_bytes_sent += static_cast<std::uint64_t>(taken);
      if ((flags & NGTCP2_WRITE_STREAM_FLAG_FIN) != 0 && stream->next_send == stream->outgoing.end())
        stream->fin_taken = true;
      if (!stream->has_unsent()) dequeue(*stream);
    }
    switch (written) {
      case NGTCP2_ERR_WRITE_MORE: break;
      case NGTCP2_ERR_STREAM_DATA_BLOCKED:
        connection_blocked = ngtcp2_conn_get_max_data_left(conn_) == 0;
        if (!connection_blocked) dequeue(*stream);  // until MAX_STREAM_DATA
        break;
      case NGTCP2_ERR_STREAM_SHUT_WR:
      case NGTCP2_ERR_STREAM_NOT_FOUND:
        // STOP_SENDING arrived and ngtcp2 has answered it; it does not say with which error.
        stream->send_closed = true;
        dequeue(*stream);
        emit(StreamStopped{stream->id, 0});
        break;
      default: return written;
    }
  }
}

/// Streams take turns, a packet each.
void Ngtcp2Connection::rotate_send_queue() {
  if (send_queue_.size() < 2) return;
  send_queue_.push_back(send_queue_.front());
  send_queue_.pop_front();
}

}  // namespace mpquic::peers
