// Drives one Transport as its contract says: receive, then events and transmissions until there are none, then re-arm
// the one timer.
#pragma once

#include <vector>

#include "sim/base/host_clock.h"
#include "sim/network/world.h"
#include "stack/endpoint/transport.h"

namespace mpquic::sim {

/// The application on a host.
class Application {
 public:
  Application() = default;
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  virtual ~Application() = default;
  virtual void on_event(const Event& event, Instant now) = 0;
};

/// Told how the host fares, for the invariants.
class HostObserver {
 public:
  HostObserver() = default;
  HostObserver(const HostObserver&) = delete;
  HostObserver& operator=(const HostObserver&) = delete;
  virtual ~HostObserver() = default;
  virtual void before_service(Role host, Transport& transport) = 0;
  virtual void after_service(Role host, Transport& transport) = 0;
  /// The timer fired; `worked` says whether anything was sent or happened.
  virtual void on_wakeup(Role host, bool worked) = 0;
  /// The transport keeps producing without time moving; the host gave up for this instant.
  virtual void on_runaway(Role host) = 0;
};

class Host final : public Receiver {
 public:
  struct Parts {  // all outlive the host
    World& world;
    Transport& transport;
    Application& application;
    HostObserver& observer;
    HostClock& clock;
  };
  Host(Role role, const Parts& parts);
  /// The host loses what it ran, and runs this from now on.
  void restart(Transport& transport, Application& application);

  void on_packet(const ReceivedTrain& train) override;
  void on_timer();
  /// After anything else was done to the transport.
  void service();
  [[nodiscard]] Role role() const { return role_; }

 private:
  /// More trains or rounds than this at one instant are a bug of the transport.
  static constexpr std::size_t kMaxTrainsPerService = 20'000;
  static constexpr std::size_t kMaxRoundsPerService = 1'000;

  [[nodiscard]] bool drain_events();
  [[nodiscard]] bool drain_transmissions(std::size_t& trains);
  [[nodiscard]] bool service_and_rearm();

  Role role_;
  World& world_;
  Transport* transport_;
  Application* application_;
  HostObserver& observer_;
  HostClock& clock_;
  TimerId timer_;
  std::vector<std::byte> train_;
};

}  // namespace mpquic::sim
