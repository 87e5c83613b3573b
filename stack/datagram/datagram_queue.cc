#include "stack/datagram/datagram_queue.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "stack/base/check.h"

namespace mpquic {

std::optional<std::uint64_t> DatagramQueue::push(Bytes data, Deadline deadline, Instant now) {
  expire(now);
  const std::size_t charge = queued_.bytes.size() + large_.bytes.size() + (send_queue_count() + 1) * kDatagramOverhead;
  if (max_payload_ == 0 || data.size() > max_payload_ || charge > limits_.send_queue_bytes ||
      data.size() > limits_.send_queue_bytes - charge) {
    ++stats_.refused;
    return std::nullopt;
  }
  queued_.bytes.push(data);
  queued_.items.push_back({next_sequence_, data.size(), deadline});
  ++stats_.accepted;
  return next_sequence_++;
}

void DatagramQueue::expire(Instant now) {
  expire_front(large_, now);
  expire_front(queued_, now);
}

void DatagramQueue::expire_front(Lane& lane, Instant now) {
  while (!lane.items.empty()) {
    const Outgoing& front = lane.items.front();
    if (expired(front.deadline, now)) {
      ++stats_.expired;
    } else if (max_payload_ > 0 && front.length > max_payload_) {
      ++stats_.too_large;
      report_lost(front.sequence);
    } else {
      return;
    }
    drop_front_outgoing(lane);
  }
}

std::size_t DatagramQueue::front_size() const {
  if (!large_.items.empty()) return large_.items.front().length;
  return queued_.items.empty() ? 0 : queued_.items.front().length;
}

DatagramQueue::Lane* DatagramQueue::next_lane(std::size_t path_limit) {
  if (!large_.items.empty() && large_.items.front().length <= path_limit) return &large_;
  while (!queued_.items.empty() && queued_.items.front().length > path_limit) {
    moving_.resize(queued_.items.front().length);
    queued_.bytes.peek(moving_);
    large_.bytes.push(moving_);
    large_.items.push_back(queued_.items.front());
    drop_front_outgoing(queued_);
  }
  return queued_.items.empty() ? nullptr : &queued_;
}

void DatagramQueue::write_frames(FrameWriter& writer, Instant now, std::uint16_t copies, std::size_t path_limit) {
  expire(now);
  for (Lane* lane = next_lane(path_limit); lane != nullptr; lane = next_lane(path_limit)) {
    const Outgoing& front = lane->items.front();
    const bool numbered = copies > 0 && kept_.has_room(front.length);
    const auto out = writer.write_datagram(front.length, DatagramToken{front.sequence, numbered});
    if (!out) return;  // this packet has no room; the next may
    lane->bytes.peek(*out);
    if (numbered) kept_.add(front.sequence, *out, copies);
    if (copies > 0 && !numbered) ++stats_.uncopied;
    ++stats_.sent;
    stats_.bytes_sent += front.length;
    drop_front_outgoing(*lane);
    expire(now);
  }
}

bool DatagramQueue::write_copy(FrameWriter& writer, const DatagramToken& token) {
  const KeptPayloads::Entry* entry = kept_.awaited(token.sequence);
  MPQUIC_CHECK(entry != nullptr);
  const auto out = writer.write_datagram(entry->length, token);
  if (!out) return false;
  kept_.copy_payload(*entry, *out);
  kept_.on_copy_sent(token.sequence);
  ++stats_.copies_sent;
  stats_.copy_bytes_sent += out->size();
  return true;
}

void DatagramQueue::drop_copy(const DatagramToken& token) {
  if (awaits_copy(token)) ++stats_.copies_dropped;
  if (kept_.on_copy_dropped(token.sequence) == KeptPayloads::Fate::settled) report_lost(token.sequence);
}

void DatagramQueue::on_acked(const DatagramToken& token) {
  if (!token.numbered || kept_.on_acked(token.sequence) == KeptPayloads::Fate::settled) ++stats_.acked;
}

void DatagramQueue::on_lost(const DatagramToken& token) {
  if (!token.numbered || kept_.on_lost(token.sequence) == KeptPayloads::Fate::settled) report_lost(token.sequence);
}

void DatagramQueue::report_lost(std::uint64_t sequence) {
  ++stats_.lost;
  if (lost_.size() == kMaxLostReports) {
    static_cast<void>(lost_.pop_front());
    ++stats_.lost_unreported;
  }
  lost_.push_back(sequence);
}

void DatagramQueue::on_acked(const DeliveryToken& token) {
  if (const auto* datagram = std::get_if<DatagramToken>(&token)) on_acked(*datagram);
}

void DatagramQueue::on_lost(const DeliveryToken& token) {
  if (const auto* datagram = std::get_if<DatagramToken>(&token)) on_lost(*datagram);
}

std::optional<std::uint64_t> DatagramQueue::poll_lost() {
  if (lost_.empty()) return std::nullopt;
  return lost_.pop_front();
}

Result<void> DatagramQueue::on_frame(const DatagramFrame& frame) {
  // RFC 9221 §3: the limit includes the frame's type, and its length where it has one. One byte is the least there was.
  if (limits_.max_frame_size == 0)
    return fail(error::kProtocolViolation, "DATAGRAM was not negotiated", frame_type::kDatagram);
  if (frame.data.size() + 1 > limits_.max_frame_size)
    return fail(error::kProtocolViolation, "DATAGRAM larger than our limit", frame_type::kDatagram);
  if (frame.number) {
    if (numbers_.classify(*frame.number) != ReplayWindow::Arrival::fresh) {
      ++stats_.duplicates;
      return {};
    }
    numbers_.insert(*frame.number);
  }
  ++stats_.received;
  stats_.bytes_received += frame.data.size();
  if (frame.data.size() + kDatagramOverhead > limits_.receive_queue_bytes) {
    ++stats_.receive_dropped;
    return {};
  }
  const std::size_t room = limits_.receive_queue_bytes - frame.data.size() - kDatagramOverhead;
  while (incoming_bytes_.size() + incoming_.size() * kDatagramOverhead > room) {
    drop_front_incoming();
    ++stats_.receive_dropped;
  }
  incoming_bytes_.push(frame.data);
  incoming_.push_back(frame.data.size());
  readable_ = true;
  return {};
}

void DatagramQueue::drop_front_incoming() { incoming_bytes_.drop(incoming_.pop_front()); }

bool DatagramQueue::poll_readable() { return std::exchange(readable_, false); }

std::optional<std::size_t> DatagramQueue::pop(MutableBytes out) {
  if (incoming_.empty()) return std::nullopt;
  const std::size_t count = std::min(incoming_.front(), out.size());
  incoming_bytes_.peek(out.first(count));
  drop_front_incoming();
  return count;
}

void DatagramQueue::trim() {
  queued_.bytes.trim();
  large_.bytes.trim();
  kept_.trim();
  incoming_bytes_.trim();
}

}  // namespace mpquic
