// Two peers and a wire between them, in virtual time: delay, loss and reordering from one seed.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "stack/base/rng.h"
#include "tests/interop/wire.h"

namespace mpquic::interop {

struct Conditions {
  Duration delay = std::chrono::milliseconds(15);  // one way
  Duration jitter{};                               // up to this much more, so that datagrams overtake each other
  std::uint32_t loss_percent = 0;
  std::uint64_t bytes_per_second = 12'500'000;  // each way, with a queue of `queue` in front
  Duration queue = std::chrono::milliseconds(60);
};

class Network final : public Wire {
 public:
  /// Drops the datagram when it returns true. Sees every datagram before the wire does.
  using Filter = std::function<bool(const FourTuple& tuple, Bytes datagram)>;

  Network(Conditions conditions, std::uint64_t seed) : conditions_(conditions), rng_(seed, 1) {}

  void attach_client(Transport& transport, EventHandler handler) override {
    hosts_[0] = {&transport, std::move(handler), {}};
  }
  void attach_server(Transport& transport, EventHandler handler) override {
    hosts_[1] = {&transport, std::move(handler), {}};
  }
  void set_filter(Filter filter) { filter_ = std::move(filter); }

  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] bool run(const std::function<bool()>& done, Duration limit) override;
  [[nodiscard]] SocketAddress server_address() const override { return {IpAddress::v4({10, 0, 0, 1}), 443}; }
  [[nodiscard]] SocketAddress client_address() const override { return {IpAddress::v4({10, 0, 1, 1}), 50000}; }
  [[nodiscard]] SocketAddress other_client_address() const override { return {IpAddress::v4({10, 0, 2, 1}), 50001}; }

 private:
  struct Host {
    Transport* transport = nullptr;
    EventHandler handler;
    Instant link_free{};  // when its outgoing link has sent all that it holds
  };
  struct InFlight {
    FourTuple tuple;  // as the receiver sees it
    Ecn ecn = Ecn::not_ect;
    std::vector<std::byte> bytes;
  };

  void pump();
  void pump_host(Host& host);
  void put_on_wire(Host& from, const Transmit& transmit, Bytes datagram);
  void deliver(InFlight packet);

  Conditions conditions_;
  SeededRng rng_;
  Instant now_{};
  Filter filter_;
  std::array<Host, 2> hosts_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kMaxDatagram);
  std::map<std::pair<Instant, std::uint64_t>, InFlight> wire_;
  std::uint64_t sequence_ = 0;
};

}  // namespace mpquic::interop
