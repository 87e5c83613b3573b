// One run as a picture: goodput, round trip time, congestion window and queue of each path over time.
#pragma once

#include <string>
#include <vector>

#include "sim/run/report.h"
#include "sim/run/simulation.h"

namespace mpquic::sim {

class RunPlot {
 public:
  explicit RunPlot(const Scenario& scenario) : scenario_(scenario) {}
  /// Runs the simulation and looks at it from time to time, which changes nothing in it.
  [[nodiscard]] Report drive(Simulation& simulation);
  /// `report` is that of the run. An SVG file.
  [[nodiscard]] std::string to_svg(const Report& report) const;

 private:
  /// Of one path at one time. NaN: there is none.
  struct Sample {
    double received;  // bytes of payload so far
    double rtt_ms;
    double window_kb;
    double queue_kb;
  };
  void sample(Simulation& simulation);

  const Scenario& scenario_;
  std::vector<double> at_s_;
  std::vector<std::vector<Sample>> samples_;  // for each time, by path
};

}  // namespace mpquic::sim
