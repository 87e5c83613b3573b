#include "sim/workload/workload.h"

#include <algorithm>
#include <cstring>

#include "sim/base/trace_hash.h"

namespace mpquic::sim {

std::string_view name_of(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::bulk: return "bulk";
    case WorkloadKind::requests: return "requests";
    case WorkloadKind::datagrams: return "datagrams";
    case WorkloadKind::voip: return "voip";
    case WorkloadKind::game: return "game";
    case WorkloadKind::video: return "video";
    case WorkloadKind::inner_tcp: return "inner_tcp";
  }
  return "unknown";
}

std::uint64_t WorkloadSpec::stream_count() const {
  switch (kind) {
    case WorkloadKind::bulk: return streams;
    case WorkloadKind::requests:
    case WorkloadKind::video: return count;
    case WorkloadKind::datagrams:
    case WorkloadKind::voip:
    case WorkloadKind::game:
    case WorkloadKind::inner_tcp: break;
  }
  return 0;
}

std::uint64_t WorkloadSpec::forward_bytes(std::uint64_t flow) const {
  if (asks()) return request_bytes;
  return bytes / streams + (flow < bytes % streams ? 1 : 0);
}

Duration WorkloadSpec::datagram_interval() const {
  return interval > Duration::zero() ? interval : rate.transfer_time(ByteCount(size));
}

std::array<std::byte, FlowHeader::kSize> FlowHeader::encode() const {
  std::array<std::byte, kSize> out{};
  const std::uint64_t words[3] = {workload, flow, body};
  std::memcpy(out.data(), words, kSize);
  return out;
}

FlowHeader FlowHeader::decode(Bytes bytes) {
  std::uint64_t words[3] = {};
  std::memcpy(words, bytes.data(), kSize);
  return {.workload = words[0], .flow = words[1], .body = words[2]};
}

ContentKey content_key(const FlowHeader& header, bool reply) {
  return header.flow << 16 | header.workload << 1 | (reply ? 1U : 0U);
}

namespace {

/// Their sum tells whether each flow arrived once: that its bytes are right is known by then.
[[nodiscard]] std::uint64_t fingerprint(const FlowHeader& flow, bool reply) {
  TraceHash hash;
  hash.add(content_key(flow, reply));
  return hash.value();
}

}  // namespace

namespace {

/// A call is two workloads of one name, one for each direction.
[[nodiscard]] std::vector<std::string> labels_of(const std::vector<WorkloadSpec>& specs) {
  std::vector<std::string> labels;
  labels.reserve(specs.size());
  for (const WorkloadSpec& spec : specs) {
    std::string plain = spec.name.empty() ? std::string(name_of(spec.kind)) : spec.name;
    if (spec.name.empty() || std::ranges::count(specs, spec.name, &WorkloadSpec::name) > 1)
      plain += spec.asks() || spec.direction == Direction::down ? " down" : " up";
    std::string label = plain;
    for (std::size_t number = 2; std::ranges::find(labels, label) != labels.end(); ++number)
      label = plain + " " + std::to_string(number);
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace

Ledger::Ledger(std::vector<WorkloadSpec> specs)
    : specs_(std::move(specs)), labels_(labels_of(specs_)), progress_(specs_.size()) {
  for (std::size_t i = 0; i < specs_.size(); ++i)
    if (specs_[i].kind != WorkloadKind::bulk) progress_[i].latencies_us.reserve(specs_[i].count);
}

void Ledger::started(std::size_t workload, Instant now) {
  progress_[workload].started_at = now;
  progress_[workload].last_progress = now;
  last_progress_ = now;
}

void Ledger::received(std::size_t workload, std::uint64_t bytes, Instant now) {
  WorkloadProgress& progress = progress_[workload];
  progress.longest_stall = std::max(progress.longest_stall, now - progress.last_progress);
  progress.last_progress = now;
  progress.bytes_received += bytes;
  last_progress_ = now;
}

void Ledger::finished_stream(const FlowHeader& flow, bool reply, Instant now) {
  WorkloadProgress& progress = progress_[flow.workload];
  progress.received_flows += fingerprint(flow, reply);
  ++progress.streams_finished;
  const WorkloadSpec& spec = specs_[flow.workload];
  const std::uint64_t halves = spec.asks() ? 2 : 1;
  if (progress.streams_finished == spec.stream_count() * halves) complete(flow.workload, now);
}

void Ledger::began_sending(const FlowHeader& flow, bool reply) {
  progress_[flow.workload].sent_flows += fingerprint(flow, reply);
}

const AbandonedFlow* Ledger::abandoned(Role sender, Role by, StreamId id) const {
  const auto found = std::ranges::find_if(
      abandoned_, [&](const AbandonedFlow& flow) { return flow.sender == sender && flow.by == by && flow.id == id; });
  return found == abandoned_.end() ? nullptr : &*found;
}

void Ledger::complete(std::size_t workload, Instant now) {
  if (progress_[workload].completed_at) return;
  progress_[workload].completed_at = now;
  last_progress_ = now;
  ++completed_;
}

bool Ledger::outstanding() const {
  return std::ranges::any_of(progress_, [](const WorkloadProgress& p) { return p.started_at && !p.completed_at; });
}

}  // namespace mpquic::sim
