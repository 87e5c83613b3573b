#include "tests/pair/pair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "stack/trace/qlog.h"

namespace mpquic::test {
namespace {

std::byte pattern(std::uint64_t offset) { return static_cast<std::byte>((offset * 31 + (offset >> 8) * 7) & 0xff); }

}  // namespace

Pair::Pair(PairOptions options) : seed(options.seed), rng(options.seed), delay_(options.delay), buffer_(65536) {
  if (options.qlog) {
    sinks = make_sinks();
    options.client.trace = sinks.get();
    options.server.trace = sinks.get();
  }
  TestTls tls = make_test_tls(rng, {.suites = options.suites, .chain = options.chain, .client_certificates = false});
  server_tls = std::move(tls.server);
  client_tls = std::move(tls.client);
  if (!options.server.server_tls) options.server.server_tls = server_tls;
  client = std::make_unique<Endpoint>(options.client, rng);
  server = std::make_unique<Endpoint>(options.server, rng);
  connect_options = {.tuple = tuple(0), .server_name = "localhost", .tls = client_tls, .ticket = {}, .token = {}};
}

std::unique_ptr<trace::SinkFactory> Pair::make_sinks() {
  return std::make_unique<trace::QlogSinkFactory>([this](Role role, const ConnectionId&) {
    const std::string side = role == Role::client ? "client" : "server";
    std::string* text = &qlogs[side + "-" + std::to_string(qlogs.size()) + ".sqlog"];
    return [text](std::string_view record) { text->append(record); };
  });
}

Pair::~Pair() {
  client.reset();
  server.reset();
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr || !testing::Test::HasFailure() || qlogs.empty()) return;
  std::string name = std::string(test->test_suite_name()) + "." + test->name();
  std::ranges::replace(name, '/', '_');
  const auto folder = std::filesystem::path("out") / (name + "-" + std::to_string(seed));
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  for (const auto& [file, text] : qlogs) std::ofstream(folder / file) << text;
  std::cerr << "seed " << seed << ", qlogs in " << std::filesystem::absolute(folder).string()
            << "\nagain: ./dev test -R '" << test->test_suite_name() << "." << test->name() << "'\n";
}

ConnectionHandle Pair::start() {
  client_handle = client->connect(connect_options, now).value();
  flush(false);
  return client_handle;
}

bool Pair::connect() {
  start();
  return run_until(
      [this] { return !events_of<HandshakeConfirmed>(false).empty() && !events_of<HandshakeConfirmed>(true).empty(); });
}

bool Pair::open_paths(std::uint8_t count) {
  for (std::uint8_t i = 1; i < count; ++i)
    if (!client->open_path(client_handle, tuple(i), now)) return false;
  return run_until([&] {
    const auto all = paths(false);
    return all.size() == count && std::ranges::all_of(all, &PathStats::validated);
  });
}

void Pair::poll_events() {
  while (auto event = client->poll_event()) client_events.push_back(std::move(event->what));
  while (auto event = server->poll_event()) {
    server_handle = event->connection;
    server_events.push_back(std::move(event->what));
  }
}

void Pair::flush(bool from_server) {
  Endpoint& sender = from_server ? *server : *client;
  while (const auto sent = sender.poll_transmit(buffer_, now)) {
    for (std::size_t at = 0; at < sent->size; at += sent->segment_size) {
      const std::size_t n = std::min(sent->segment_size, sent->size - at);
      InFlight datagram{.arrives = now + delay_,
                        .to_server = !from_server,
                        .tuple = {sent->tuple.remote, sent->tuple.local},
                        .ecn = sent->ecn,
                        .bytes = {buffer_.begin() + static_cast<std::ptrdiff_t>(at),
                                  buffer_.begin() + static_cast<std::ptrdiff_t>(at + n)}};
      ++datagrams_sent;
      if (!filter || filter(datagram)) wire_.push_back(std::move(datagram));
    }
  }
  poll_events();
}

bool Pair::step() {
  flush(false);
  flush(true);
  const auto next = std::ranges::min_element(wire_, {}, &InFlight::arrives);
  Deadline timer = earlier(client->next_deadline(), server->next_deadline());
  if (next == wire_.end() && !timer) return false;
  if (next != wire_.end() && (!timer || next->arrives <= *timer)) {
    InFlight datagram = std::move(*next);
    wire_.erase(next);
    now = std::max(now, datagram.arrives);
    Endpoint& receiver = datagram.to_server ? *server : *client;
    receiver.receive({datagram.tuple, datagram.ecn, datagram.bytes, datagram.bytes.size()}, now);
    flush(datagram.to_server);
    return true;
  }
  now = std::max(now, *timer);
  if (expired(client->next_deadline(), now)) client->on_deadline(now);
  if (expired(server->next_deadline(), now)) server->on_deadline(now);
  flush(false);
  flush(true);
  return true;
}

bool Pair::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now + limit;
  while (!done()) {
    if (now > end || !step()) return done();
  }
  return true;
}

void Pair::run_for(Duration time) {
  const Instant end = now + time;
  for (;;) {
    flush(false);
    flush(true);
    const auto next = std::ranges::min_element(wire_, {}, &InFlight::arrives);
    Deadline soonest = earlier(client->next_deadline(), server->next_deadline());
    if (next != wire_.end()) soonest = earlier(soonest, next->arrives);
    if (!soonest || *soonest > end) break;
    step();
  }
  if (wire_.empty()) std::vector<InFlight>().swap(wire_);  // tests measure memory
  now = end;
}

std::vector<ConnectionEvent> Pair::take_events(bool of_server) {
  return std::exchange(of_server ? server_events : client_events, {});
}

bool Pair::transfer(bool from_server, std::size_t size, Duration limit) {
  Endpoint& sender = from_server ? *server : *client;
  Endpoint& receiver = from_server ? *client : *server;
  const ConnectionHandle out = from_server ? server_handle : client_handle;
  const ConnectionHandle in = from_server ? client_handle : server_handle;
  const auto id = sender.open_stream(out, Directionality::unidirectional);
  if (!id) return false;
  std::vector<std::byte> data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = pattern(i);
  std::size_t written = 0;
  std::size_t received = 0;
  bool intact = true;
  bool fin = false;
  return run_until(
             [&] {
               while (written < size || (size == 0 && written == 0)) {
                 const auto n = sender.write(out, *id, Bytes(data).subspan(written), true);
                 if (!n || *n == 0) break;
                 written += *n;
               }
               while (const auto piece = receiver.peek(in, *id)) {
                 for (const std::byte byte : piece->data) intact &= byte == pattern(received++);
                 receiver.consume(in, *id, piece->data.size());
                 fin |= piece->fin;
                 if (piece->data.empty()) break;
               }
               return fin;
             },
             limit) &&
         intact && received == size;
}

std::vector<PathStats> Pair::paths(bool of_server) const {
  std::vector<PathStats> out;
  if (of_server)
    server->path_stats(server_handle, out);
  else
    client->path_stats(client_handle, out);
  return out;
}

std::string Pair::unexpected_drops(std::initializer_list<DropReason> allowed) const {
  std::string out;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const auto reason = static_cast<DropReason>(i);
    const std::uint64_t count = client->drops()[i] + server->drops()[i];
    if (count > 0 && std::ranges::find(allowed, reason) == allowed.end())
      out += std::string(name_of(reason)) + "=" + std::to_string(count) + " ";
  }
  return out;
}

}  // namespace mpquic::test
