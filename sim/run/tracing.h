// What one run leaves behind besides its report, as the options of mpquic-sim run ask for it.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "sim/network/tap.h"
#include "sim/run/qlog_files.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario.h"
#include "sim/trace/event_record.h"
#include "sim/trace/network_qlog.h"
#include "sim/trace/pcapng.h"

namespace mpquic::sim {

/// Empty names: not wanted.
struct TraceOptions {
  std::string qlog;   // directory
  bool qvis = false;  // beside the qlogs
  std::string pcap;
  Role vantage = Role::client;  // of pcap
  std::string keylog;
  std::string record;
};

class Tracing {
 public:
  /// Errors are one line.
  [[nodiscard]] static std::expected<std::unique_ptr<Tracing>, std::string> open(const TraceOptions& options,
                                                                                 const Scenario& scenario,
                                                                                 std::uint64_t seed);
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;
  ~Tracing() = default;

  /// The simulation must be gone before this is.
  void attach(SimulationOptions& options);
  /// After the simulation is gone: whether everything is on disk.
  [[nodiscard]] std::expected<void, std::string> close();

 private:
  Tracing() = default;
  [[nodiscard]] std::expected<void, std::string> open_qlog(const TraceOptions& options, const Scenario& scenario,
                                                           std::uint64_t seed);
  [[nodiscard]] std::expected<void, std::string> open_packets(const TraceOptions& options, const Scenario& scenario,
                                                              std::uint64_t seed);
  void on_key(std::string_view line);

  Taps taps_;
  std::string qvis_;  // directory
  std::unique_ptr<QlogFiles> qlogs_;
  std::unique_ptr<NetworkQlog> network_;
  std::unique_ptr<PcapngTap> pcap_;
  std::unique_ptr<EventRecorder> recorder_;
  std::optional<OutputFile> keylog_;
  std::set<std::string, std::less<>> keys_;  // both sides log the same ones
};

}  // namespace mpquic::sim
