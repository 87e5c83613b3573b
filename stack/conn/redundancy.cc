// What is sent more than once: copies on other paths (docs/adr/0011), and what a slow path holds at the end of a
// transfer (docs/adr/0007). Policies decide; delivery tokens say what to write again.
#include <algorithm>

#include "stack/conn/connection.h"

namespace mpquic {

Connection::CopyOrder Connection::order_copies(const Path& original, std::span<const PathView> views,
                                               const PacketContext& context) const {
  CopyOrder order;
  CopyCounts wanted = duplication_->copies(context);
  if (!peer_numbers_datagrams_) wanted.datagrams = 0;
  if (wanted.datagrams == 0 && wanted.streams == 0) return order;
  const std::size_t found = order.found = choose_copy_paths(views, original.id(), order.onto);
  order.counts = {.datagrams = static_cast<std::uint16_t>(std::min<std::size_t>(wanted.datagrams, found)),
                  .streams = static_cast<std::uint16_t>(std::min<std::size_t>(wanted.streams, found))};
  // Later than that, loss detection has given the original up: stream data is repeated anyway, datagrams are stale.
  order.give_up = context.now + original.pto();
  return order;
}

void Connection::queue_copies(const CopyOrder& order, PathId original) {
  for (DeliveryToken& token : std::span(tokens_.items).first(tokens_.count)) queue_copy(token, order, original);
}

void Connection::queue_copy(DeliveryToken& token, const CopyOrder& order, PathId original) {
  const auto* datagram = std::get_if<DatagramToken>(&token);
  auto* stream = std::get_if<StreamToken>(&token);
  std::size_t count = 0;
  std::size_t size = 0;
  if (datagram != nullptr && datagrams_.awaits_copy(*datagram)) {
    count = order.counts.datagrams;
    size = datagrams_.copy_size(*datagram);
  } else if (stream != nullptr) {
    count = order.counts.streams;
  }
  for (const PathId onto : std::span(order.onto).first(order.found)) {
    if (count == 0) return;
    if (size > datagram_room(onto, paths_.find(onto)->max_datagram_size())) continue;
    const Copy copy{token, original, order.give_up};
    const bool queued = copies_.push(onto, copy);
    if (!queued) drop_copy(copy);
    if (stream != nullptr) stream->copied |= queued;
    --count;
  }
  // Fewer paths than that take a datagram of this size.
  for (; count > 0; --count) drop_copy({token, original, order.give_up});
}

void Connection::drop_copy(const Copy& copy) {
  if (const auto* datagram = std::get_if<DatagramToken>(&copy.token)) datagrams_.drop_copy(*datagram);
}

void Connection::drop_copies(PathId onto) {
  while (copies_.front(onto) != nullptr) {
    const Copy copy = copies_.pop(onto);
    drop_copy(copy);
    // Reinjection has passed the original over for the sake of this copy.
    const auto* stream = std::get_if<StreamToken>(&copy.token);
    if (stream != nullptr && streams_.is_outstanding(*stream)) streams_.on_lost(*stream);
  }
}

void Connection::expire_copies(PathId onto, Instant now) {
  for (const Copy* copy = copies_.front(onto); copy != nullptr && now >= copy->give_up; copy = copies_.front(onto))
    drop_copy(copies_.pop(onto));
}

std::optional<Transmit> Connection::transmit_copies(MutableBytes out, Instant now) {
  if (copies_.empty()) return std::nullopt;
  for (const PathView& view : sendable_views(now)) {
    expire_copies(view.id, now);
    if (copies_.front(view.id) == nullptr) continue;
    pacing_wakeup_ = earlier(pacing_wakeup_, view.next_send);
    if (!view.validated || view.potentially_failed || !view.can_send()) continue;  // it was fit when they were queued
    if (auto sent = transmit_copies_on(*paths_.find(view.id), out, now)) return sent;
  }
  return std::nullopt;
}

std::optional<Transmit> Connection::transmit_copies_on(Path& path, MutableBytes out, Instant now) {
  const PacketTarget to = target(path, EncryptionLevel::one_rtt, *dcid_of(path), now);
  const std::size_t segment = path.max_datagram_size();
  const std::size_t budget = std::min<std::uint64_t>(path.send_budget(now).value(), out.size());
  DatagramWriter train(out);
  while (copies_.front(path.id()) != nullptr && (train.empty() || train.size() + segment <= budget) &&
         train.begin_datagram(segment)) {
    const PacketPlan plan = plan_packet(to);
    PacketBuilder builder(plan, keys_, train);
    FrameWriter frames(builder.room(), to.level, path.id(), tokens_);
    write_copies(frames, path, now, train.empty());
    if (!frames.ack_eliciting()) break;  // none was needed any more, or this train's datagrams are too short
    write_acks(frames, path, now);
    const bool fill = frames.remaining() <= kPadSlack && copies_.front(path.id()) != nullptr;
    seal_packet(builder, to, plan, frames, fill ? segment : 0);
  }
  return finish_train(train, to, path.active().addresses);
}

void Connection::write_copies(FrameWriter& writer, Path& path, Instant now, bool full_size) {
  const std::uint64_t before = datagrams_.stats().copy_bytes_sent + streams_.bytes_copied();
  while (Copy* copy = copies_.front(path.id())) {
    const std::size_t size = writer.size();
    bool done = write_copy(writer, *copy, now);
    if (!done && full_size && writer.size() == 0) {  // the path's packets became smaller than it is
      drop_copy(*copy);
      done = true;
    }
    if (writer.size() > size) emit(trace::Duplicated{copy->original, path.id(), writer.size() - size}, now);
    if (!done) break;
    static_cast<void>(copies_.pop(path.id()));
  }
  const std::uint64_t copied = datagrams_.stats().copy_bytes_sent + streams_.bytes_copied() - before;
  path.counters().bytes_duplicated += copied;
  path.counters().stream_bytes_sent += copied;
  if (copied > 0) on_data_moved(now);
}

bool Connection::write_copy(FrameWriter& writer, Copy& copy, Instant now) {
  if (now >= copy.give_up) {
    drop_copy(copy);
    return true;
  }
  if (auto* stream = std::get_if<StreamToken>(&copy.token)) {
    const std::size_t before = tokens_.count;
    const bool done = streams_.write_copy(writer, *stream);
    if (tokens_.count > before) std::get<StreamToken>(tokens_.items[before]).copied = true;
    return done;
  }
  const auto& datagram = std::get<DatagramToken>(copy.token);
  if (datagrams_.awaits_copy(datagram)) return datagrams_.write_copy(writer, datagram);
  drop_copy(copy);  // the peer has it
  return true;
}

bool Connection::is_reinjection_due(std::span<const PathView> views, bool at_end, Instant now) {
  // An application that has yet to hear that it may write is not at its end.
  bool due = at_end && !streams_.has_events();
  for (const PathView& view : views) {
    if (expired(view.overdue_at, now)) {
      due = true;
    } else {
      pacing_wakeup_ = earlier(pacing_wakeup_, view.overdue_at);
    }
  }
  return due;
}

std::optional<PathId> Connection::reinject(std::span<const PathView> views, bool at_end, Instant now) {
  if (!is_reinjection_due(views, at_end, now)) return std::nullopt;
  const auto fast = reinjection_->select_target(views, now);
  if (!fast) return std::nullopt;
  Reinjection onto{.target = *fast, .room = fast->window_room().value(), .now = now};
  for (const PathView& slow : views) {
    if (slow.id == fast->id) continue;
    Path& path = *paths_.find(slow.id);
    const auto overdue = [&](const SentPacket& packet) {
      return reinjection_->is_overdue(slow, packet.time_sent, *fast, now) ? Verdict::repeat : Verdict::stop;
    };
    const auto worth = [&](const SentPacket& packet) {
      return reinjection_->is_worth(slow, packet.time_sent, *fast, now) ? Verdict::repeat : Verdict::pass;
    };
    Path::ReinjectionMarks& marks = path.reinjection_marks();
    if (expired(slow.overdue_at, now)) reinject_from(path, marks.overdue, onto, overdue);
    if (at_end && !streams_.has_events()) reinject_from(path, marks.tail, onto, worth);
  }
  return onto.repeated && streams_.interest() != Interest::none ? std::optional(fast->id) : std::nullopt;
}

template <class Judge>
void Connection::reinject_from(Path& path, PacketNumber& mark, Reinjection& onto, const Judge& judge) {
  const PacketNumber end = path.space(SpaceId::application).next_number();
  if (mark == end) return;
  PacketNumber next = end;
  const auto consider = [&](const SentPacket& packet, DeliveryToken& token) {
    const Verdict verdict = judge(packet);
    auto* stream = std::get_if<StreamToken>(&token);
    const bool wanted =
        verdict == Verdict::repeat && stream != nullptr && !stream->copied && streams_.is_outstanding(*stream);
    if (verdict == Verdict::stop || (wanted && packet.bytes > onto.room)) {
      next = packet.number;
      return false;
    }
    if (!wanted) return true;
    onto.room -= packet.bytes;
    onto.repeated = true;
    emit(trace::Reinjected{path.id(), onto.target.id, packet.number, stream->id, stream->offset, stream->length},
         onto.now);
    streams_.on_lost(*stream);
    stream->copied = true;
    return true;
  };
  path.for_each_unacked(consider, mark);
  mark = next;
}

}  // namespace mpquic
