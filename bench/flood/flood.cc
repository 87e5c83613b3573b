// A server under a flood of spoofed packets, over real UDP on loopback: how many of 100 honest clients are in within a
// second? Three processes: the server, the flood (sources all over 127.0.0.0/8), and the clients, which report.
//
//   mpquic-flood KIND PACKETS_PER_SECOND     KIND: none, shorts, initials, garbage, versions, all
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <map>
#include <string_view>

#include "io/event_loop.h"
#include "io/system_clock.h"
#include "io/system_rng.h"
#include "stack/crypto/certificate.h"
#include "stack/crypto/tls_provider.h"
#include "stack/endpoint/endpoint.h"
#include "stack/packet/builder.h"
#include "stack/wire/frame_encode.h"

namespace mpquic {
namespace {

constexpr std::array<std::string_view, 6> kKinds{"none", "shorts", "initials", "garbage", "versions", "all"};
constexpr int kClients = 100;
constexpr Duration kBetweenClients = std::chrono::milliseconds(20);
constexpr Duration kWarmUp = std::chrono::seconds(1);  // the flood is on when the first client comes
constexpr Duration kInTime = std::chrono::seconds(1);
constexpr std::uint64_t kMostPerSecond = 1'000'000;
const IpAddress kHere = IpAddress::v4({127, 0, 0, 1});

[[noreturn]] void die(std::string_view what) {
  fmt::print(stderr, "mpquic-flood: {}\n", what);
  _exit(1);
}

template <class T, class E>
T must(std::expected<T, E> result, std::string_view what) {
  if (!result) die(what);
  return std::move(*result);
}

/// A process of its own that ends with this one, however this one ends. 0 in the child.
pid_t start_process() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) die("cannot start a process");
  if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) _exit(1);
  return child;
}

/// Between processes; whoever reads too little knows that the other one is gone.
struct Pipe {
  std::array<int, 2> ends{};
  Pipe() {
    if (pipe(ends.data()) != 0) die("no pipe");
  }
  template <class T>
  T receive(std::string_view what) {
    close(ends[1]);
    T value{};
    if (read(ends[0], &value, sizeof value) != sizeof value) die(what);
    return value;
  }
};

/// Reports its port.
[[noreturn]] void serve(const Identity& identity, int report) {
  TlsConfig tls;
  tls.role = Role::server;
  tls.alpn = {"flood"};
  tls.certificate_chain_pem = identity.certificate_pem;
  tls.private_key_pem = identity.private_key_pem;
  EndpointConfig config;
  config.server_tls = must(make_tls_provider(tls), "the server has no TLS");
  io::SystemRng rng;
  Endpoint endpoint(config, rng);
  auto loop = must(io::EventLoop::create(endpoint), "no event loop");
  const std::uint16_t port = must(loop->add_socket({.local = {kHere, 0}}), "the server has no socket").port;
  if (write(report, &port, sizeof port) != sizeof port) die("the server cannot report");
  loop->set_handler([&](Instant) {
    while (endpoint.poll_event()) {}
  });
  static_cast<void>(loop->run());
  _exit(0);
}

/// An Initial of a client that never was.
std::vector<std::byte> initial(const ConnectionId& dcid, bool decrypts) {
  std::vector<std::byte> out(kMinInitialDatagram);
  KeyRing keys;
  keys.install_initial(dcid, Role::client);
  DatagramWriter train(out);
  static_cast<void>(train.begin_datagram(out.size()));
  const PacketPlan plan{.level = EncryptionLevel::initial,
                        .path = kInitialPath,
                        .number = PacketNumber{0},
                        .largest_acked = std::nullopt,
                        .dcid = dcid,
                        .scid = dcid,
                        .token = {}};
  PacketBuilder builder(plan, keys, train);
  builder.room()[0] = std::byte{1};  // PING
  builder.finish(1, out.size());
  train.flush(keys);
  if (!decrypts) out[600] ^= std::byte{1};
  return out;
}

std::vector<std::vector<std::byte>> ammunition(std::string_view kind) {
  std::vector<std::vector<std::byte>> out;
  const auto wants = [kind](std::string_view one) { return kind == one || kind == "all"; };
  for (std::uint8_t i = 0; i < 100; ++i) {
    const std::array<std::byte, 8> bytes{std::byte{0xee}, std::byte{i}};
    const ConnectionId dcid(bytes);
    if (wants("initials")) out.push_back(initial(dcid, true));
    if (wants("garbage")) out.push_back(initial(dcid, false));
    if (wants("versions")) {
      out.push_back(initial(dcid, true));
      out.back()[1] = std::byte{0xba};
    }
    if (wants("shorts")) {
      out.emplace_back(22, std::byte{i});
      out.back()[0] = std::byte{0x40};
    }
  }
  return out;
}

/// Sends until it is killed, and counts on `report`.
[[noreturn]] void flood(const SocketAddress& server, std::string_view kind, std::uint64_t rate, std::uint64_t& count) {
  const auto packets = ammunition(kind);
  auto socket = must(io::UdpSocket::open({.local = {IpAddress::v4({}), 0}}), "no socket for the flood");
  const Instant start = io::SystemClock::now();
  for (std::uint32_t i = 0;; ++i) {
    const auto due = static_cast<std::uint64_t>(to_seconds(io::SystemClock::now() - start) * static_cast<double>(rate));
    if (i >= due) {
      usleep(500);
      --i;
      continue;
    }
    const std::uint32_t mixed = i * 2654435761U;  // all over 127.1.0.0 to 127.254.255.255
    const IpAddress from =
        IpAddress::v4({127, static_cast<std::uint8_t>(1 + (mixed >> 24) % 254), static_cast<std::uint8_t>(mixed >> 16),
                       static_cast<std::uint8_t>(mixed >> 8)});
    const auto& packet = packets[i % packets.size()];
    static_cast<void>(socket->send({.tuple = {{from, socket->local_address().port}, server},
                                    .ecn = Ecn::not_ect,
                                    .size = packet.size(),
                                    .segment_size = packet.size()},
                                   packet));
    count = i + 1;
  }
}

/// Of kClients, how many confirmed in time.
int visit(const SocketAddress& server, const Identity& identity) {
  TlsConfig tls;
  tls.alpn = {"flood"};
  tls.trust.pins = {identity.fingerprint};
  ConnectOptions options;
  options.server_name = "localhost";
  options.tls = must(make_tls_provider(tls), "the clients have no TLS");
  io::SystemRng rng;
  Endpoint endpoint({}, rng);
  auto loop = must(io::EventLoop::create(endpoint), "no event loop");
  options.tuple = {must(loop->add_socket({.local = {kHere, 0}}), "no socket"), server};
  std::map<ConnectionHandle, Instant> started;
  int in_time = 0;
  const Instant begin = io::SystemClock::now() + kWarmUp;
  const Instant end = begin + kClients * kBetweenClients + 2 * kInTime;
  loop->set_handler([&](Instant now) {
    while (const auto event = endpoint.poll_event()) {
      if (!std::holds_alternative<HandshakeConfirmed>(event->what)) continue;
      if (now - started.at(event->connection) <= kInTime) ++in_time;
      endpoint.close(event->connection, 0, "", now);
    }
    const auto next = [&] { return begin + static_cast<int>(started.size()) * kBetweenClients; };
    while (started.size() < kClients && now >= next())
      started.emplace(must(endpoint.connect(options, now), "a client cannot connect"), now);
    loop->set_application_deadline(started.size() < kClients ? Deadline(next()) : std::nullopt);
  });
  static_cast<void>(loop->run_until(end));
  return in_time;
}

int run(std::string_view kind, std::uint64_t rate) {
  io::SystemRng rng;
  const Identity identity = must(make_self_signed({}, rng), "no certificate");
  Pipe from_server;
  const pid_t server = start_process();
  if (server == 0) serve(identity, from_server.ends[1]);
  const SocketAddress address{kHere, from_server.receive<std::uint16_t>("no server")};
  Pipe from_sender;
  const pid_t sender = start_process();
  if (sender == 0) {
    static std::uint64_t count = 0;
    static int report = from_sender.ends[1];
    std::signal(SIGTERM, [](int) { _exit(write(report, &count, sizeof count) == sizeof count ? 0 : 1); });
    if (kind == "none") pause();
    flood(address, kind, rate, count);
  }
  const int in_time = visit(address, identity);
  kill(sender, SIGTERM);
  const auto sent = from_sender.receive<std::uint64_t>("the flood did not report");
  rusage server_use{};
  kill(server, SIGTERM);
  waitpid(sender, nullptr, 0);
  wait4(server, nullptr, 0, &server_use);
  const double seconds = to_seconds(kWarmUp + kClients * kBetweenClients + 2 * kInTime);
  const auto cpu = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  fmt::print(
      "{{\"kind\": \"{}\", \"sent_per_second\": {:.0f}, \"clients\": {}, \"in_time\": {}, \"server_cpu\": {:.2f}}}\n",
      kind, static_cast<double>(sent) / seconds, kClients, in_time,
      (cpu(server_use.ru_utime) + cpu(server_use.ru_stime)) / seconds);
  return 0;
}

}  // namespace
}  // namespace mpquic

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[1] : "";
  const std::string_view digits = argc == 3 ? argv[2] : "";
  std::uint64_t rate = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rate);
  const bool known = std::ranges::find(mpquic::kKinds, kind) != mpquic::kKinds.end();
  if (!known || error != std::errc{} || end != digits.data() + digits.size() || rate > mpquic::kMostPerSecond) {
    fmt::print(stderr, "usage: mpquic-flood none|shorts|initials|garbage|versions|all PACKETS_PER_SECOND\n");
    return 2;
  }
  return mpquic::run(kind, rate);
}
