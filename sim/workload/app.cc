#include "sim/workload/app.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/base/overloaded.h"

namespace mpquic::sim {
namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;  // the largest datagram fits
/// Datagrams that are still missing this long after the last one was sent will not come.
constexpr Duration kDatagramGrace = std::chrono::seconds(1);
constexpr std::uint64_t kAbandoned = 0x52;   // the application error of streams that are given up
constexpr std::size_t kDatagramHeader = 24;  // workload, sequence number, time of sending

}  // namespace

App::App(Role role, const Parts& parts)
    : role_(role),
      parts_(parts),
      sending_(parts.ledger.size()),
      buffer_(kReadBuffer),
      inner_tcp_({.ledger = parts.ledger,
                  .content = parts.content,
                  .violations = parts.violations,
                  .events = parts.events,
                  .role = role,
                  .send = [this](Bytes bytes) {
                    return parts_.transport.send_datagram(*connection_, bytes, std::nullopt).has_value();
                  }}) {}

void App::on_event(const Event& event, Instant now) {
  if (connection_ && event.connection != *connection_ && !replaces_ours(event)) return;
  std::visit(overloaded{
                 [&](const Accepted&) { connection_ = event.connection; },
                 [&](const HandshakeCompleted&) {
                   connection_ = event.connection;
                   established_ = true;
                   start_workloads(now);
                 },
                 [&](const StreamReadable& e) { read_stream(e.id, now); },
                 [&](const StreamWritable& e) { write_stream(e.id); },
                 [&](const StreamsAvailable&) {
                   for (std::size_t i = 0; i < sending_.size(); ++i)
                     if (parts_.ledger.progress(i).started_at) open_streams(i, now);
                 },
                 [&](const StreamReset& e) { on_reset(e.id, now); },
                 [&](const StreamStopped& e) { on_stopped(e.id, now); },
                 [&](const DatagramReceived&) { receive_datagrams(now); },
                 [&](const ConnectionClosed& e) { on_closed(e, now); },
                 [&](const PathChanged& e) { on_path_changed(e, now); },
                 [&](const HandshakeConfirmed&) { confirmed_ = true; },
                 [](const StreamOpened&) {},
                 [](const DatagramLost&) {},
                 [&](const StreamFinished& e) { flow_of(e.id).out.settled = true; },
             },
             event.what);
}

/// A client whose address changes before the first answer begins with two connections, as the server sees it (RFC 9000
/// §9: addresses are to stay while the handshake lasts), and goes on with one of them. The other one is left over.
bool App::replaces_ours(const Event& event) const {
  return role_ == Role::server && !established_ && std::holds_alternative<HandshakeCompleted>(event.what);
}

void App::on_path_changed(const PathChanged& change, Instant now) {
  if (change.change == PathChange::validated) validated_paths_.push_back(change);
  if (change.change == PathChange::refused && !refusals_expected_)
    parts_.violations.add(now,
                          fmt::format("a path from {} was refused: {}", change.tuple.local.to_string(), change.reason));
}

void App::on_closed(const ConnectionClosed& closed, Instant now) {
  closed_ = closed;
  if (close_expected_) return;
  parts_.violations.add(
      now, fmt::format("{}: connection closed by {}: {} error {:#x} '{}'", role_ == Role::client ? "client" : "server",
                       name_of(closed.source), closed.application ? "application" : "transport", closed.error,
                       closed.reason));
}

void App::start_workloads(Instant now) {
  for (std::size_t i = 0; i < parts_.ledger.size(); ++i) {
    if (parts_.ledger.spec(i).sender() != role_) continue;
    const Instant start = Instant{} + parts_.ledger.spec(i).start;
    if (start <= now)
      on_timer(i, now);
    else
      parts_.events.post(start, {EventKind::app_timer, static_cast<std::uint32_t>(role_), i});
  }
}

void App::on_timer(std::size_t workload, Instant now) {
  if (closed_ || !connection_) return;  // without a connection: the host was restarted
  if (!parts_.ledger.progress(workload).started_at) {
    parts_.ledger.started(workload, now);
    sending_[workload].next_datagram = now;
    if (parts_.ledger.spec(workload).kind == WorkloadKind::inner_tcp) return inner_tcp_.start(workload, now);
  }
  if (parts_.ledger.spec(workload).kind == WorkloadKind::inner_tcp) return inner_tcp_.on_timer(workload, now);
  if (parts_.ledger.spec(workload).paced())
    send_datagrams(workload, now);
  else
    open_streams(workload, now);
}

void App::open_streams(std::size_t workload, Instant now) {
  const WorkloadSpec& spec = parts_.ledger.spec(workload);
  if (spec.sender() != role_) return;
  Sending& sending = sending_[workload];
  const bool requests = spec.asks();
  while (sending.opened < spec.stream_count()) {
    if (requests && sending.opened - sending.finished >= spec.concurrency) return;
    if (now < sending.next_request) return;  // a timer is under way
    const auto id = parts_.transport.open_stream(
        *connection_, requests ? Directionality::bidirectional : Directionality::unidirectional);
    if (!id) return;  // StreamsAvailable will come
    const std::uint64_t ordinal = sending.opened++;
    const FlowHeader header{.workload = workload, .flow = ordinal, .body = spec.forward_bytes(ordinal)};
    if (requests) {
      flow_of(*id).in = {.known = true,
                         .reply = true,
                         .finished = false,
                         .header = header,
                         .raw = {},
                         .length = spec.reply_bytes(),
                         .offset = 0};
    }
    begin_sending(*id, header, false, FlowHeader::kSize + header.body, now);
    write_stream(*id);
  }
}

void App::begin_sending(StreamId id, const FlowHeader& header, bool reply, std::uint64_t length, Instant now) {
  flow_of(id).out = {.active = true,
                     .settled = false,
                     .reply = reply,
                     .header = header,
                     .length = length,
                     .offset = 0,
                     .opened_at = now};
  parts_.ledger.began_sending(header, reply);
}

Bytes App::outgoing_bytes(const Outgoing& out, std::array<std::byte, FlowHeader::kSize>& header) const {
  const std::size_t prefix = out.reply ? 0 : FlowHeader::kSize;
  if (out.offset < prefix) {
    header = out.header.encode();
    return Bytes(header).subspan(out.offset);
  }
  return parts_.content.at(content_key(out.header, out.reply), out.offset - prefix, out.length - out.offset);
}

void App::write_stream(StreamId id) {
  Outgoing& out = flow_of(id).out;
  while (out.active) {
    std::array<std::byte, FlowHeader::kSize> header;
    const Bytes data = outgoing_bytes(out, header);
    const bool fin = out.offset + data.size() == out.length;
    const auto taken = parts_.transport.write(*connection_, id, data, fin);
    if (!taken) {
      out.active = false;
      // The peer may have closed, or want no more: the next event says so.
      if (taken.error() != StreamError::closed && parts_.ledger.abandoned(role_, peer_of(role_), id) == nullptr)
        violation(id, parts_.events.now(), "refuses our data");
      return;
    }
    out.offset += *taken;
    if (*taken < data.size()) return;  // StreamWritable will come
    out.active = !fin;
  }
}

void App::read_stream(StreamId id, Instant now) {
  Flow& flow = flow_of(id);
  while (true) {
    const auto piece = parts_.transport.peek(*connection_, id);
    if (!piece && piece.error() == StreamError::reset) return on_reset(id, now);
    if (!piece || (piece->data.empty() && !piece->fin)) return;
    if (!piece->data.empty() && !accept_bytes(id, flow, piece->data, now)) return;
    parts_.transport.consume(*connection_, id, piece->data.size());
    if (piece->fin) return finish_incoming(id, flow, now);
  }
}

bool App::accept_bytes(StreamId id, Flow& flow, Bytes data, Instant now) {
  Incoming& in = flow.in;
  const std::size_t arrived = data.size();
  if (!accept_header(id, in, data)) return false;
  if (!in.known) return true;
  const std::size_t prefix = in.reply ? 0 : FlowHeader::kSize;
  if (in.offset + data.size() > in.length) {
    violation(id, now, fmt::format("delivers more than its {} bytes", in.length));
    return false;
  }
  const std::size_t good = parts_.content.first_mismatch(content_key(in.header, in.reply), in.offset - prefix, data);
  if (good < data.size()) {
    violation(id, now, fmt::format("delivers a wrong byte at offset {}", in.offset + good));
    parts_.transport.stop_sending(*connection_, id, 0);
    return false;
  }
  in.offset += data.size();
  parts_.ledger.received(in.header.workload, arrived, now);
  return true;
}

bool App::accept_header(StreamId id, Incoming& in, Bytes& data) {
  if (in.known) return true;
  const std::size_t take = std::min(data.size(), FlowHeader::kSize - in.offset);
  std::ranges::copy(data.first(take), in.raw.begin() + static_cast<std::ptrdiff_t>(in.offset));
  in.offset += take;
  data = data.subspan(take);
  if (in.offset < FlowHeader::kSize) return true;
  in.header = FlowHeader::decode(in.raw);
  const bool plausible = in.header.workload < parts_.ledger.size() &&
                         in.header.flow < parts_.ledger.spec(in.header.workload).stream_count() &&
                         in.header.body == parts_.ledger.spec(in.header.workload).forward_bytes(in.header.flow);
  if (!plausible) {
    violation(id, parts_.events.now(), "begins with a header that nobody sent");
    return false;
  }
  in.known = true;
  in.length = FlowHeader::kSize + in.header.body;
  return true;
}

void App::finish_incoming(StreamId id, Flow& flow, Instant now) {
  Incoming& in = flow.in;
  if (in.finished) return violation(id, now, "ends twice");
  in.finished = true;
  if (!in.known || in.offset != in.length)
    return violation(id, now, fmt::format("ends after {} of {} bytes", in.offset, in.length));
  const std::size_t workload = in.header.workload;
  parts_.ledger.finished_stream(in.header, in.reply, now);
  const WorkloadSpec& spec = parts_.ledger.spec(workload);
  if (!spec.asks()) return;
  if (in.reply) return finish_reply(workload, now - flow.out.opened_at, now);
  begin_sending(id, in.header, true, spec.reply_bytes(), now);
  write_stream(id);
}

void App::finish_reply(std::size_t workload, std::optional<Duration> latency, Instant now) {
  const WorkloadSpec& spec = parts_.ledger.spec(workload);
  WorkloadProgress& progress = parts_.ledger.at(workload);
  Sending& sending = sending_[workload];
  if (latency) progress.latencies_us.push_back(static_cast<std::uint32_t>(latency->count() / 1000));
  ++sending.finished;
  if (spec.kind != WorkloadKind::video) return open_streams(workload, now);
  progress.playback.on_segment(now, spec.segment, spec.prebuffer, sending.finished == spec.count);
  sending.next_request = progress.playback.room_at(now, spec.segment, spec.buffer);
  progress.last_progress = sending.next_request;  // the player's own pause is no stall
  if (sending.next_request <= now) return open_streams(workload, now);
  if (sending.finished < spec.count)
    parts_.events.post(sending.next_request, {EventKind::app_timer, static_cast<std::uint32_t>(role_), workload});
}

template <class Fits>
std::optional<StreamId> App::nth_stream(std::uint64_t nth, Fits fits) const {
  const auto most = std::ranges::max(flows_, {}, &std::vector<Flow>::size).size();
  for (std::uint64_t ordinal = 0; ordinal < most; ++ordinal)
    for (std::size_t type = 0; type < flows_.size(); ++type)
      if (ordinal < flows_[type].size() && fits(flows_[type][ordinal]) && --nth == 0)
        return StreamId(ordinal << 2 | type);
  return std::nullopt;
}

/// A player has no use for half a segment.
bool App::may_be_given_up(const FlowHeader& header) const {
  return parts_.ledger.spec(header.workload).kind != WorkloadKind::video;
}

void App::reset_stream(std::uint64_t nth) {
  if (!connection_ || closed_) return;
  const auto id = nth_stream(nth, [&](const Flow& f) { return !f.out.settled && may_be_given_up(f.out.header); });
  if (id) abandon(*id);
}

void App::abandon(StreamId id) {
  Outgoing& out = flow_of(id).out;
  out.active = false;
  out.settled = true;
  parts_.ledger.abandon({.sender = role_, .by = role_, .id = id, .header = out.header, .reply = out.reply});
  parts_.transport.reset_stream(*connection_, id, kAbandoned);
}

/// The transport may say so twice: in place of data, and by itself.
void App::on_reset(StreamId id, Instant now) {
  if (parts_.ledger.abandoned(peer_of(role_), role_, id) != nullptr) return;  // as we wanted
  const AbandonedFlow* reset = parts_.ledger.abandoned(peer_of(role_), peer_of(role_), id);
  if (reset == nullptr) return violation(id, now, "was reset by the peer");
  end_abandoned(*reset, now);
}

void App::stop_sending(std::uint64_t nth) {
  if (!connection_ || closed_) return;
  const auto id = nth_stream(nth, [&](const Flow& flow) {
    const Incoming& in = flow.in;
    return in.known && in.offset > 0 && !in.finished && may_be_given_up(in.header);
  });
  if (!id) return;
  const Incoming& in = flow_of(*id).in;
  const AbandonedFlow unwanted{
      .sender = peer_of(role_), .by = role_, .id = *id, .header = in.header, .reply = in.reply};
  parts_.ledger.abandon(unwanted);
  parts_.transport.stop_sending(*connection_, *id, kAbandoned);
  end_abandoned(unwanted, parts_.events.now());
}

void App::on_stopped(StreamId id, Instant now) {
  if (parts_.ledger.abandoned(role_, peer_of(role_), id) == nullptr)
    return violation(id, now, "was stopped by the peer");
  Outgoing& out = flow_of(id).out;
  out.active = false;
  out.settled = true;
}

/// By value: giving up the answer makes another of them.
void App::end_abandoned(AbandonedFlow flow, Instant now) {
  if (std::exchange(flow_of(flow.id).in.finished, true)) return;
  parts_.ledger.finished_stream(flow.header, flow.reply, now);
  if (flow.reply) return finish_reply(flow.header.workload, std::nullopt, now);
  if (!parts_.ledger.spec(flow.header.workload).asks()) return;
  // Nobody waits for the answer any more.
  begin_sending(flow.id, flow.header, true, 0, now);
  abandon(flow.id);
}

void App::send_datagrams(std::size_t workload, Instant now) {
  const WorkloadSpec& spec = parts_.ledger.spec(workload);
  Sending& sending = sending_[workload];
  if (sending.over) return parts_.ledger.datagrams_over(workload, now);
  while (sending.next_datagram <= now && sending.opened < spec.count) {
    send_one_datagram(workload, now);
    sending.next_datagram += spec.datagram_interval();
  }
  sending.over = sending.opened == spec.count;
  if (sending.over && parts_.ledger.at(workload).datagrams.sent == 0)
    parts_.violations.add(now, fmt::format("workload {}: none of its {} datagrams of {} bytes was taken: too large?",
                                           parts_.ledger.label(workload), spec.count, spec.size));
  const Instant next = sending.over ? now + kDatagramGrace : sending.next_datagram;
  parts_.events.post(next, {EventKind::app_timer, static_cast<std::uint32_t>(role_), workload});
}

void App::send_one_datagram(std::size_t workload, Instant now) {
  const WorkloadSpec& spec = parts_.ledger.spec(workload);
  DatagramTally& tally = parts_.ledger.at(workload).datagrams;
  const std::uint64_t sequence = sending_[workload].opened++;
  const FlowHeader header{
      .workload = workload, .flow = sequence, .body = static_cast<std::uint64_t>(now.time_since_epoch().count())};
  const MutableBytes datagram = MutableBytes(buffer_).first(std::max(spec.size, kDatagramHeader));
  std::ranges::copy(header.encode(), datagram.begin());
  const std::size_t body = datagram.size() - kDatagramHeader;
  std::ranges::copy(parts_.content.at(content_key(header, false), 0, body), datagram.begin() + kDatagramHeader);
  const Deadline deadline =
      spec.lifetime > Duration::zero() ? Deadline(parts_.clock.now() + spec.lifetime) : std::nullopt;
  if (parts_.transport.send_datagram(*connection_, datagram, deadline))
    ++tally.sent;
  else
    ++tally.refused;
}

void App::receive_datagrams(Instant now) {
  while (const auto size = parts_.transport.receive_datagram(*connection_, buffer_))
    accept_datagram(Bytes(buffer_).first(*size), now);
}

void App::accept_datagram(Bytes data, Instant now) {
  if (data.size() < kDatagramHeader) return parts_.violations.add(now, "a datagram arrived that nobody sent");
  const FlowHeader header = FlowHeader::decode(data);
  const Bytes body = data.subspan(kDatagramHeader);
  const std::size_t inner = InnerTcp::workload_of(header);
  if (inner < parts_.ledger.size() && parts_.ledger.spec(inner).kind == WorkloadKind::inner_tcp)
    return inner_tcp_.on_datagram(header, body, now);
  if (header.workload >= parts_.ledger.size() ||
      parts_.content.first_mismatch(content_key(header, false), 0, body) < body.size())
    return parts_.violations.add(now, "a datagram arrived that nobody sent");
  WorkloadProgress& progress = parts_.ledger.at(header.workload);
  DatagramTally& tally = progress.datagrams;
  if (tally.seen.insert(header.flow, header.flow + 1) == 0)
    return parts_.violations.add(now, fmt::format("datagram {} was delivered twice", header.flow));
  ++tally.received;
  if (header.flow < tally.highest) ++tally.reordered;
  tally.highest = std::max(tally.highest, header.flow);
  const auto latency = now.time_since_epoch().count() - static_cast<std::int64_t>(header.body);
  progress.latencies_us.push_back(static_cast<std::uint32_t>(latency / 1000));
  parts_.ledger.received(header.workload, data.size(), now);
  if (tally.received == parts_.ledger.spec(header.workload).count) parts_.ledger.datagrams_over(header.workload, now);
}

App::Flow& App::flow_of(StreamId id) {
  auto& flows = flows_[id.value() & 0x3];
  const std::uint64_t ordinal = ordinal_of(id);
  if (flows.size() <= ordinal) flows.resize(ordinal + 1);
  return flows[ordinal];
}

void App::violation(StreamId id, Instant now, std::string_view what) {
  parts_.violations.add(now, fmt::format("stream {} {} ({})", id.value(), what,
                                         role_ == Role::client ? "seen by the client" : "seen by the server"));
}

}  // namespace mpquic::sim
