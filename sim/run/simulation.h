// One run of one scenario with one seed: world, two hosts, workloads, scripted events and invariants, put together.
// Deterministic: equal scenarios and seeds give equal trace hashes, in any process and any build.
//
//   Simulation simulation(scenario, {.seed = 7});
//   const Report report = simulation.run();
#pragma once

#include <fmt/format.h>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/checks/failover_watch.h"
#include "sim/checks/invariants.h"
#include "sim/checks/silence_watch.h"
#include "sim/engine/engine.h"
#include "sim/engine/tls_pair.h"
#include "sim/network/ack_watch.h"
#include "sim/run/report.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/app.h"
#include "sim/workload/host.h"

namespace mpquic::sim {

/// The application error of the scripted event `close`.
inline constexpr std::uint64_t kScriptedClose = 0x51;

struct SimulationOptions {
  std::uint64_t seed = 1;
  trace::SinkFactory* trace = nullptr;  // further sinks, qlog for example; outlives the simulation
  EngineFactory client = make_native_engine;
  EngineFactory server = make_native_engine;
  Tap* tap = nullptr;                                 // outlives the simulation
  Carrier* carrier = nullptr;                         // the same; null: the simulator's own network
  std::function<void(std::string_view)> keylog = {};  // lines of both sides' NSS key logs, with real crypto
  /// For sides with `engine: ngtcp2`; empty where there is none in this build.
  EngineFactory ngtcp2 = {};
  bool judge = true;  // check the scenario's assertions; invariants always hold
};

/// What keeps the scenario from being run so, without a carrier; absent if nothing does.
[[nodiscard]] std::optional<std::string> obstacle(const Scenario& scenario, const SimulationOptions& options);

class Simulation {
 public:
  Simulation(Scenario scenario, SimulationOptions options);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  /// start(), step() until it gives false, finish().
  [[nodiscard]] Report run();

  // --- The same in pieces, for tests that want to look or interfere
  void start();
  /// Handles one event. False once the workloads are complete, the time is up, or nothing will happen any more.
  [[nodiscard]] bool step();
  /// Closes the connection, checks the assertions and reports. `wall_s` is for the report only.
  [[nodiscard]] Report finish(double wall_s);

  [[nodiscard]] World& world() { return *world_; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }
  [[nodiscard]] Violations& violations() { return violations_; }
  [[nodiscard]] Engine& engine(Role role) { return *side(role).engine; }
  [[nodiscard]] App& app(Role role) { return *side(role).app; }
  [[nodiscard]] Host& host(Role role) { return *side(role).host; }

 private:
  struct Side {
    std::unique_ptr<HostClock> clock;
    std::vector<std::unique_ptr<SeededRng>> rngs;  // one more with each restart
    std::vector<std::unique_ptr<Buggify>> buggifies;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<App> app;
    std::unique_ptr<Host> host;
  };
  [[nodiscard]] Side& side(Role role) { return sides_[static_cast<std::size_t>(role)]; }
  void build_side(Role role);
  /// The engine and the application that the host starts with, or starts again with.
  void boot(Role role);
  [[nodiscard]] std::unique_ptr<Engine> build_engine(Role role, const EngineSetup& setup);
  void handle(const SimEvent& event);
  void watch_connections();
  void watch_silence();
  void on_paths_validated();
  void open_path(std::size_t path);
  [[nodiscard]] Instant local_now(Role role) { return side(role).clock->now(); }
  [[nodiscard]] bool over();

  // simulation_script.cc
  void run_script(std::size_t index);
  void change_links(const ScriptedEvent& event);
  void change_path(const ScriptedEvent& event);
  void change_address(const ScriptedEvent& event);
  void fail_socket(std::size_t index);
  void unblock_socket(const ScriptedEvent& event);
  /// Of something that lasts for a while.
  void end_of(const ScriptedEvent& event);
  void meddle(std::size_t index);
  void heal();
  void touch_connection(const ScriptedEvent& event);
  void restart(Role role);
  void note_life(const ScriptedEvent& event);
  [[nodiscard]] std::optional<PathStats> client_path(std::size_t path);

  void close_and_drain();
  [[nodiscard]] Report describe();
  void describe_paths(Report& report);
  void describe_workloads(Report& report) const;

  // simulation_verdict.cc
  template <class... Args>
  void broken(fmt::format_string<Args...> what, Args&&... args) {
    violations_.add(world_->now(), "assertion: " + fmt::format(what, std::forward<Args>(args)...));
  }
  void check_assertions(const Report& report);
  void check_rates(const Report& report);
  void check_paths(const Report& report);
  void check_close();
  void check_workload(std::size_t workload, const WorkloadReport& report);

  Scenario scenario_;
  SimulationOptions options_;
  Violations violations_;
  Ledger ledger_;
  Content content_;
  AckWatch acks_;
  PacketNumberWatch packet_numbers_;
  SilenceWatch silence_[2];
  bool draining_ = false;
  TlsPair tls_;
  std::unique_ptr<World> world_;
  std::unique_ptr<Invariants> invariants_;
  Side sides_[2];
  FailoverWatch failovers_{ledger_};
  std::vector<SocketAddress> blocked_sockets_;  // by path: what unblock_socket() has to release
  std::vector<PathStats> stats_;                // scratch
};

}  // namespace mpquic::sim
