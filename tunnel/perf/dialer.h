// Gets a connection to the server: over the first route, and over the next one as well each time that nobody has
// answered for a while or a route turns out to be useless. The first handshake that is completed wins; the others are
// given up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/datagram_socket.h"
#include "tunnel/perf/engine.h"

namespace mpquic::perf {

class Dialer {
 public:
  /// An answer takes a round trip; far ones get company, and lose nothing by it.
  static constexpr Duration kPatience = std::chrono::milliseconds(300);

  struct Route {
    std::string name;  // for people
    FourTuple tuple;
  };
  /// `engine` must outlive the dialer. At least one route.
  Dialer(Engine& engine, std::vector<Route> routes, Resumption resumption);

  void start(Instant now) { start_next(now); }
  /// Events of connections that it has started, until there is a winner().
  void on_event(const Event& event, Instant now);
  /// ICMP is not authenticated, so it ends nothing that has begun; before the handshake's end it saves waiting.
  void on_delivery_error(const io::DeliveryError& error, Instant now);
  void on_deadline(Instant now);
  [[nodiscard]] Deadline next_deadline() const { return next_start_; }

  [[nodiscard]] std::optional<ConnectionHandle> winner() const { return winner_; }
  /// Of all routes, in their order: that of the winner, and whether one turned out to be useless for QUIC.
  [[nodiscard]] std::size_t winning_route() const { return winning_route_; }
  [[nodiscard]] bool is_useless(std::size_t route) const { return attempts_[route].useless; }
  /// Why there will be no connection.
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
  /// What the attempts did that failed.
  [[nodiscard]] const std::vector<PathStats>& failed_paths() const { return failed_paths_; }

 private:
  struct Attempt {
    std::string name;
    FourTuple tuple;
    std::optional<ConnectionHandle> connection;  // started, and neither failed nor given up
    std::string failure;
    bool useless = false;  // not even a handshake's datagrams fit
  };

  void start_next(Instant now);
  [[nodiscard]] bool answered() const;
  void win(std::size_t route, Instant now);
  void give_up(Attempt& attempt, std::string why, Instant now);
  [[nodiscard]] std::string describe_failures() const;
  void retire(Attempt& attempt, Instant now);

  Engine& engine_;
  Resumption resumption_;
  std::vector<Attempt> attempts_;  // one per route
  std::size_t next_ = 0;
  Deadline next_start_;
  std::optional<ConnectionHandle> winner_;
  std::size_t winning_route_ = 0;
  std::optional<std::string> failure_;
  std::vector<PathStats> failed_paths_;
};

/// Why a path whose interface refused 1200 bytes cannot carry QUIC (RFC 9000 §14).
[[nodiscard]] std::string describe_small_mtu(const FourTuple& tuple);

}  // namespace mpquic::perf
