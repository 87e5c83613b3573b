#include "sim/workload/inner_tcp.h"

#include <fmt/format.h>

#include <algorithm>

namespace mpquic::sim {
namespace {

constexpr std::uint64_t kIsAck = std::uint64_t{1} << 63;  // in FlowHeader::flow, beside the segment's number
constexpr Duration kMinTimeout = std::chrono::milliseconds(200);
constexpr Duration kMaxTimeout = std::chrono::seconds(60);
/// The receiver's window.
constexpr double kMostInFlight = 1024;
constexpr std::uint32_t kDuplicatesToResend = 3;  // RFC 5681 §3.2

}  // namespace

InnerTcp::InnerTcp(Parts parts) : parts_(std::move(parts)), flows_(parts_.ledger.size()), buffer_(kMaxDatagram) {
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    if (parts_.ledger.spec(i).kind != WorkloadKind::inner_tcp) continue;
    flows_[i].senders.resize(parts_.ledger.spec(i).streams);
    flows_[i].receivers.resize(parts_.ledger.spec(i).streams);
  }
}

std::uint64_t InnerTcp::segments_of(std::size_t workload, std::uint64_t flow) const {
  const WorkloadSpec& spec = parts_.ledger.spec(workload);
  const std::uint64_t payload = spec.size - FlowHeader::kSize;
  return (spec.forward_bytes(flow) + payload - 1) / payload;
}

void InnerTcp::start(std::size_t workload, Instant now) {
  for (std::uint64_t flow = 0; flow < flows_[workload].senders.size(); ++flow) {
    flows_[workload].senders[flow].segments = segments_of(workload, flow);
    send_more(workload, flow, now);
  }
  arm(workload, now);
}

void InnerTcp::send_more(std::size_t workload, std::uint64_t flow, Instant now) {
  Sender& sender = flows_[workload].senders[flow];
  const auto room = static_cast<std::uint64_t>(std::min(sender.window, kMostInFlight));
  while (sender.next < sender.segments && sender.next - sender.unacked < std::max<std::uint64_t>(room, 1))
    send_segment(workload, flow, sender.next++, now);
  if (sender.unacked < sender.next && !sender.deadline) sender.deadline = now + sender.timeout;
}

void InnerTcp::send_segment(std::size_t workload, std::uint64_t flow, std::uint64_t segment, Instant now) {
  Sender& sender = flows_[workload].senders[flow];
  InnerTcpTally& tally = parts_.ledger.at(workload).inner;
  ++tally.segments;
  if (segment < sender.highest) ++tally.retransmitted;
  sender.highest = std::max(sender.highest, segment + 1);
  const FlowHeader header{.workload = workload | flow << 32,
                          .flow = segment,
                          .body = static_cast<std::uint64_t>(now.time_since_epoch().count())};
  const MutableBytes out = MutableBytes(buffer_).first(parts_.ledger.spec(workload).size);
  std::ranges::copy(header.encode(), out.begin());
  const auto body = parts_.content.at(content_key(header, false), 0, out.size() - FlowHeader::kSize);
  std::ranges::copy(body, out.begin() + FlowHeader::kSize);
  DatagramTally& datagrams = parts_.ledger.at(workload).datagrams;
  ++(parts_.send(out) ? datagrams.sent : datagrams.refused);
}

void InnerTcp::on_datagram(const FlowHeader& header, Bytes body, Instant now) {
  const std::size_t workload = workload_of(header);
  const std::uint64_t flow = header.workload >> 32;
  const bool sends = parts_.ledger.spec(workload).sender() == parts_.role;
  const bool ack = (header.flow & kIsAck) != 0;
  const bool known =
      flow < flows_[workload].senders.size() && ack == sends && (header.flow & ~kIsAck) <= segments_of(workload, flow);
  const bool right =
      ack ? body.empty() : parts_.content.first_mismatch(content_key(header, false), 0, body) == body.size();
  if (!known || !right) return parts_.violations.add(now, "a datagram arrived that nobody sent");
  if (!ack) return on_segment(workload, flow, header, now);
  on_ack(workload, flow, header, now);
  arm(workload, now);
}

void InnerTcp::on_segment(std::size_t workload, std::uint64_t flow, const FlowHeader& header, Instant now) {
  Receiver& receiver = flows_[workload].receivers[flow];
  WorkloadProgress& progress = parts_.ledger.at(workload);
  ++progress.datagrams.received;
  const std::uint64_t before = receiver.expected;
  const bool fresh = header.flow >= receiver.expected && receiver.ahead.insert(header.flow, header.flow + 1) > 0;
  if (fresh) {
    const std::int64_t delay = now.time_since_epoch().count() - static_cast<std::int64_t>(header.body);
    progress.latencies_us.push_back(static_cast<std::uint32_t>(delay / 1000));
    while (receiver.ahead.contains(receiver.expected)) ++receiver.expected;
  }
  if (receiver.expected > before) {
    const std::uint64_t payload = parts_.ledger.spec(workload).size - FlowHeader::kSize;
    parts_.ledger.received(workload, (receiver.expected - before) * payload, now);
    if (receiver.expected == segments_of(workload, flow) &&
        ++flows_[workload].finished == flows_[workload].receivers.size())
      parts_.ledger.datagrams_over(workload, now);
  }
  const FlowHeader ack{.workload = header.workload, .flow = kIsAck | receiver.expected, .body = header.body};
  static_cast<void>(parts_.send(ack.encode()));
}

void InnerTcp::on_ack(std::size_t workload, std::uint64_t flow, const FlowHeader& header, Instant now) {
  Sender& sender = flows_[workload].senders[flow];
  const std::uint64_t acked = header.flow & ~kIsAck;
  if (acked > sender.unacked) {
    const bool partial = sender.recovering && acked <= sender.recover;
    on_progress(sender, acked, Instant{} + Duration(static_cast<std::int64_t>(header.body)), now);
    if (partial && sender.unacked < sender.segments) send_segment(workload, flow, sender.unacked, now);
  } else if (acked == sender.unacked && sender.unacked < sender.next) {
    ++sender.duplicates;
    if (sender.recovering) {
      sender.window += 1;
    } else if (sender.duplicates == kDuplicatesToResend) {
      sender.threshold = std::max(static_cast<double>(sender.next - sender.unacked) / 2, 2.0);
      sender.window = sender.threshold + kDuplicatesToResend;
      sender.recovering = true;
      sender.recover = sender.next;
      send_segment(workload, flow, sender.unacked, now);
    }
  }
  send_more(workload, flow, now);
}

void InnerTcp::on_progress(Sender& sender, std::uint64_t acked, Instant echoed, Instant now) {
  const auto count = static_cast<double>(acked - sender.unacked);
  sender.unacked = acked;
  sender.next = std::max(sender.next, acked);
  sender.duplicates = 0;
  measure(sender, now - echoed);
  if (sender.recovering && acked > sender.recover) {
    sender.recovering = false;
    sender.window = sender.threshold;
  } else if (sender.recovering) {
    sender.window = std::max(sender.window - count + 1, 1.0);
  } else if (sender.window < sender.threshold) {
    sender.window += count;
  } else {
    sender.window += count / sender.window;
  }
  sender.deadline = sender.unacked < sender.next ? Deadline(now + sender.timeout) : std::nullopt;
}

void InnerTcp::measure(Sender& sender, Duration sample) {  // RFC 6298 §2
  if (!std::exchange(sender.measured, true)) {
    sender.smoothed = sample;
    sender.variance = sample / 2;
  } else {
    const Duration error = sample > sender.smoothed ? sample - sender.smoothed : sender.smoothed - sample;
    sender.variance = (3 * sender.variance + error) / 4;
    sender.smoothed = (7 * sender.smoothed + sample) / 8;
  }
  sender.timeout = std::clamp(sender.smoothed + 4 * sender.variance, kMinTimeout, kMaxTimeout);
}

void InnerTcp::on_timer(std::size_t workload, Instant now) {
  Flows& flows = flows_[workload];
  if (flows.timer && *flows.timer <= now) flows.timer.reset();
  for (std::uint64_t flow = 0; flow < flows.senders.size(); ++flow) {
    Sender& sender = flows.senders[flow];
    if (!expired(sender.deadline, now)) continue;
    ++parts_.ledger.at(workload).inner.timeouts;
    sender.threshold = std::max(static_cast<double>(sender.next - sender.unacked) / 2, 2.0);
    sender.window = 1;
    sender.next = sender.unacked;  // everything again, as far as ACKs do not say otherwise
    sender.recovering = false;
    sender.duplicates = 0;
    sender.timeout = std::min(sender.timeout * 2, kMaxTimeout);
    sender.deadline = now + sender.timeout;
    send_more(workload, flow, now);
  }
  arm(workload, now);
}

/// At most one timer event is under way that is early enough.
void InnerTcp::arm(std::size_t workload, Instant now) {
  Deadline earliest;
  for (const Sender& sender : flows_[workload].senders) earliest = earlier(earliest, sender.deadline);
  if (!earliest || (flows_[workload].timer && *flows_[workload].timer <= *earliest)) return;
  flows_[workload].timer = std::max(*earliest, now);
  parts_.events.post(*flows_[workload].timer,
                     {EventKind::app_timer, static_cast<std::uint32_t>(parts_.role), workload});
}

}  // namespace mpquic::sim
