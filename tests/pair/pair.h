// Two endpoints and virtual time. step() moves datagrams and time on by one event; drive() until nothing is left to
// do; run_until() until a predicate holds. Datagrams may be seen, dropped, or changed on the way.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/rng.h"
#include "stack/endpoint/endpoint.h"
#include "tests/pair/test_tls.h"

namespace mpquic::test {

struct PairOptions {
  EndpointConfig client;
  EndpointConfig server;
  std::uint64_t seed = 1;
  Duration delay = std::chrono::milliseconds(5);  // one way
  std::vector<CipherSuite> suites;                // default: the provider's
  std::size_t chain = 1;                          // certificates that the server sends
  bool qlog = true;                               // off where a test counts memory
};

/// A datagram on its way.
struct InFlight {
  Instant arrives;
  bool to_server = false;
  FourTuple tuple;  // as the receiver sees it
  Ecn ecn = Ecn::not_ect;
  std::vector<std::byte> bytes;
};

class Pair {
 public:
  /// False: the datagram is dropped.
  using Filter = std::function<bool(InFlight&)>;

  explicit Pair(PairOptions options = {});
  /// A failed test leaves both sides' qlogs in out/<test>-<seed>/ and says how to run it again.
  ~Pair();
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  /// Starts a connection; connect() also runs until both sides have confirmed it.
  ConnectionHandle start();
  bool connect();

  /// Client: opens paths from addresses 1 to `count` - 1. Whether all `count` were validated in time.
  [[nodiscard]] bool open_paths(std::uint8_t count);

  /// The next delivery or timer. False: nothing will ever happen again.
  bool step();
  /// Until `done` or until `limit` of virtual time has passed. Whether `done` held.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(30));
  void run_for(Duration time);

  /// Address i of the client; the server has one.
  [[nodiscard]] static SocketAddress client_address(std::uint8_t i) {
    return {IpAddress::v4({10, 0, i, 1}), static_cast<std::uint16_t>(40000 + i)};
  }
  [[nodiscard]] static SocketAddress server_address() { return {IpAddress::v4({192, 0, 2, 1}), 443}; }
  [[nodiscard]] static FourTuple tuple(std::uint8_t i) { return {client_address(i), server_address()}; }

  /// Collected since the last call.
  std::vector<ConnectionEvent> take_events(bool of_server);
  template <class E>
  [[nodiscard]] std::vector<E> events_of(bool of_server) const {
    std::vector<E> out;
    for (const ConnectionEvent& event : of_server ? server_events : client_events)
      if (const E* e = std::get_if<E>(&event)) out.push_back(*e);
    return out;
  }

  /// Sends `size` patterned bytes on a new stream and reads them at the other side; whether all arrived intact.
  bool transfer(bool from_server, std::size_t size, Duration limit = std::chrono::seconds(60));
  [[nodiscard]] std::vector<PathStats> paths(bool of_server) const;

  Instant now{};
  std::uint64_t seed;
  std::map<std::string, std::string> qlogs;  // by file name
  std::unique_ptr<trace::SinkFactory> sinks;
  SeededRng rng;
  std::shared_ptr<TlsProvider> client_tls;
  std::shared_ptr<TlsProvider> server_tls;
  std::unique_ptr<Endpoint> client;
  std::unique_ptr<Endpoint> server;
  ConnectionHandle client_handle{};
  ConnectionHandle server_handle{};
  std::vector<ConnectionEvent> client_events;
  std::vector<ConnectionEvent> server_events;
  Filter filter;
  /// Drops that tests did not expect fail them: see unexpected_drops().
  [[nodiscard]] std::string unexpected_drops(std::initializer_list<DropReason> allowed = {}) const;
  ConnectOptions connect_options;
  std::size_t datagrams_sent = 0;

 private:
  void flush(bool from_server);
  void poll_events();
  [[nodiscard]] std::unique_ptr<trace::SinkFactory> make_sinks();

  Duration delay_;
  std::vector<std::byte> buffer_;
  std::vector<InFlight> wire_;
};

}  // namespace mpquic::test
