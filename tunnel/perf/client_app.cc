#include "tunnel/perf/client_app.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stack/base/overloaded.h"

namespace mpquic::perf {
namespace {

constexpr std::size_t kChunk = 64U << 10;
constexpr std::size_t kMaxResults = 10000;  // of a run that repeats its jobs

}  // namespace

ClientApp::ClientApp(Transport& transport, ClientAppOptions options)
    : transport_(transport), options_(std::move(options)), scratch_(kChunk) {}

void ClientApp::on_event(const Event& event, Instant now) {
  if (event.connection != connection_ || done()) return;
  std::visit(
      overloaded{
          [&](const HandshakeCompleted& handshake) {
            handshake_ = handshake;
            const auto protocol = protocol_of(handshake.alpn);
            if (!protocol) return fail(fmt::format("the server chose the unknown protocol '{}'", handshake.alpn), now);
            protocol_ = *protocol;
            established_ = now;
            if (options_.duration) end_ = now + *options_.duration;
            state_ = State::running;
            start_jobs(now);
          },
          [&](const StreamReadable& readable) { read(readable.id, now); },
          [&](const StreamWritable& writable) { write(writable.id, now); },
          [&](const StreamReset& reset) {
            const auto found = exchanges_.find(reset.id);
            if (found == exchanges_.end()) return;
            fail(fmt::format("the server reset {}: error {} ({})", found->second.result.name, reset.error,
                             name_of_application_error(reset.error)),
                 now);
          },
          [&](const StreamStopped& stopped) {
            const auto found = exchanges_.find(stopped.id);
            if (found == exchanges_.end() || found->second.request_ended) return;
            fail(fmt::format("the server refused {}: error {} ({})", found->second.result.name, stopped.error,
                             name_of_application_error(stopped.error)),
                 now);
          },
          [&](const StreamsAvailable&) { start_jobs(now); },
          [&](const ConnectionClosed& closed) { fail(describe(closed), now); },
          [&](const StreamOpened& opened) { transport_.stop_sending(connection_, opened.id, kMalformedRequest); },
          [](const Accepted&) {},
          [](const HandshakeConfirmed&) {},
          [](const StreamFinished&) {},
          [](const DatagramReceived&) {},
          [](const DatagramLost&) {},
          [](const PathChanged&) {},
      },
      event.what);
}

void ClientApp::on_turn(Instant now) {
  if (state_ == State::running && expired(end_, now)) finish_early(now);
}

void ClientApp::start_jobs(Instant now) {
  while (state_ == State::running && exchanges_.size() < options_.concurrency) {
    if (next_job_ == options_.jobs.size() && options_.duration) next_job_ = 0;
    if (next_job_ == options_.jobs.size()) break;
    if (!start_job(options_.jobs[next_job_], now)) return;
    ++next_job_;
  }
  if (state_ != State::running || !exchanges_.empty() || next_job_ < options_.jobs.size()) return;
  state_ = State::done;
  ended_ = now;
}

bool ClientApp::start_job(const Job& job, Instant now) {
  const auto id = transport_.open_stream(connection_, Directionality::bidirectional);
  if (!id) {
    // At the limit StreamsAvailable follows; a closed connection says so by ConnectionClosed.
    if (id.error() != StreamError::limit && id.error() != StreamError::closed) fail("cannot open a stream", now);
    return false;
  }
  auto exchange = prepare(job);
  if (!exchange) {
    fail(exchange.error().message, now);
    return false;
  }
  exchange->result.started = now;
  exchanges_.emplace(*id, std::move(*exchange));
  write(*id, now);
  return true;
}

io::Result<ClientApp::Exchange> ClientApp::prepare(const Job& job) const {
  Exchange exchange;
  exchange.job = &job;
  if (options_.digest) exchange.hash.emplace();
  if (!job.output.empty()) {
    auto file = io::NewFile::create(job.output);
    if (!file) return std::unexpected(std::move(file).error());
    exchange.output = std::move(*file);
  }
  if (protocol_ == Protocol::hq) {
    exchange.result.name = job.path;
    exchange.head = hq_request(job.path);
    return exchange;
  }
  exchange.result.name = fmt::format("the transfer of {} bytes down", job.download);
  exchange.head = as_text(perf_request(job.download));
  if (!job.upload_file.empty()) {
    auto file = io::File::open(job.upload_file);
    if (!file) return std::unexpected(std::move(file).error());
    exchange.upload = Document::file(std::move(*file));
  } else if (job.upload > 0) {
    exchange.upload = Document::synthetic(job.upload);
  }
  if (exchange.upload && options_.digest) exchange.upload_hash.emplace();
  if (exchange.upload) exchange.result.name += fmt::format(" and {} up", exchange.upload->size());
  return exchange;
}

void ClientApp::write(StreamId id, Instant now) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  while (!exchange.request_ended) {
    Bytes chunk = as_bytes(exchange.head).subspan(exchange.head_sent);
    const bool in_head = !chunk.empty();
    const std::uint64_t upload_size = exchange.upload ? exchange.upload->size() : 0;
    bool fin = upload_size == 0;
    if (!in_head) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, upload_size - exchange.upload_offset));
      fin = exchange.upload_offset + n == upload_size;
      const MutableBytes out = MutableBytes(scratch_).first(n);
      if (exchange.upload)
        if (const auto got = exchange.upload->read_at(exchange.upload_offset, out); !got)
          return fail(got.error().message, now);
      chunk = out;
    }
    const auto taken = transport_.write(connection_, id, chunk, fin);
    if (!taken) return;  // StreamStopped, StreamReset or ConnectionClosed says why
    if (in_head) {
      exchange.head_sent += *taken;
    } else {
      if (exchange.upload_hash) exchange.upload_hash->update(chunk.first(*taken));
      exchange.upload_offset += *taken;
      exchange.result.uploaded += *taken;
      uploaded_ += *taken;
    }
    if (*taken < chunk.size()) return;  // StreamWritable follows
    exchange.request_ended = fin;
  }
}

void ClientApp::read(StreamId id, Instant now) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  for (;;) {
    const auto piece = transport_.peek(connection_, id);
    if (!piece) return;  // StreamReset or ConnectionClosed says why
    const Bytes data = piece->data;
    if (data.empty() && !piece->fin) return;
    if (exchange.hash) exchange.hash->update(data);
    exchange.result.downloaded += data.size();
    downloaded_ += data.size();
    if (exchange.output)
      if (const auto written = exchange.output->append(data); !written) return fail(written.error().message, now);
    transport_.consume(connection_, id, data.size());
    if (piece->fin) return finish(id, now);
  }
}

void ClientApp::finish(StreamId id, Instant now) {
  const auto node = exchanges_.extract(id);
  Exchange& exchange = node.mapped();
  if (protocol_ == Protocol::perf && exchange.result.downloaded != exchange.job->download)
    return fail(fmt::format("{} ended after {} bytes", exchange.result.name, exchange.result.downloaded), now);
  if (!exchange.request_ended) return fail(fmt::format("{} ended before the upload did", exchange.result.name), now);
  if (exchange.output)
    if (const auto kept = exchange.output->commit(); !kept) return fail(kept.error().message, now);
  keep(exchange, now);
  start_jobs(now);
}

void ClientApp::keep(Exchange& exchange, Instant now) {
  exchange.result.ended = now;
  if (exchange.hash) exchange.result.sha256 = exchange.hash->finish();
  if (exchange.upload_hash) exchange.result.upload_sha256 = exchange.upload_hash->finish();
  if (results_.size() < kMaxResults) results_.push_back(std::move(exchange.result));
}

void ClientApp::finish_early(Instant now) {
  for (auto& [id, exchange] : exchanges_) {
    transport_.stop_sending(connection_, id, kCancelled);
    if (!exchange.request_ended) transport_.reset_stream(connection_, id, kCancelled);
    keep(exchange, now);
  }
  exchanges_.clear();
  state_ = State::done;
  ended_ = now;
}

void ClientApp::fail(std::string reason, Instant now) {
  transport_.path_stats(connection_, final_paths_);
  failure_ = std::move(reason);
  for (auto& [id, exchange] : exchanges_) exchange.output.reset();  // a part is no document
  state_ = State::failed;
  ended_ = now;
}

}  // namespace mpquic::perf
