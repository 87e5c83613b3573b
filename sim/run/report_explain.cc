// What the figures of a report's table mean: for people who see one for the first time.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sim/run/report.h"

namespace mpquic::sim {
namespace {

struct Line {
  std::string_view term;
  std::string_view meaning;
  bool shown = true;
};

[[nodiscard]] bool any_workload(const Report& report, auto has) { return std::ranges::any_of(report.workloads, has); }

void add_lines(std::string& out, std::initializer_list<Line> lines) {
  for (const Line& line : lines)
    if (line.shown) out += fmt::format("  {:<17} {}\n", line.term, line.meaning);
}

void explain_paths(std::string& out, const Report& report) {
  const bool copies = std::ranges::any_of(report.paths, [](const PathReport& path) { return path.duplicated > 0; });
  out += "Each path\n";
  add_lines(
      out,
      {
          {"share", "its part of all payload that arrived; with every path full, its link's part of the links' sum"},
          {"goodput", "payload that arrived by it, repeats included, over the whole run: headers do not count"},
          {"RTT", "smoothed round trip time as the sender saw it last; above the link's own, it is the queue"},
          {"lost", "packets that the sender declared lost; most of a bulk transfer's are its own queue overflowing"},
          {"retransmitted", "stream payload written once more because of that; - where the engine does not count it"},
          {"duplicated", "payload written here as a copy of what another path carries, on purpose", copies},
      });
}

void explain_workloads(std::string& out, const Report& report) {
  const auto has = [&](auto member) { return any_workload(report, member); };
  out += "\nEach workload\n";
  add_lines(
      out,
      {
          {"kB, MB", "payload of it that arrived and was compared with what was sent"},
          {"done at", "simulated time since the start of the run, handshake included"},
          {"longest stall", "the longest time in which nothing of it arrived while something was due"},
          {"delivered", "datagrams that arrived, of those that were sent: nobody repeats them",
           has([](const WorkloadReport& w) { return w.datagrams_sent > 0; })},
          {"delay p50 ...",
           "of datagrams one way, of requests to the answer's last byte: p95 is what 95 of 100 stay below",
           has([](const WorkloadReport& w) { return w.latency.count > 0; })},
          {"too late or lost", "the share that missed the playout budget; calls suffer from about 1%",
           has([](const WorkloadReport& w) { return w.late.has_value(); })},
          {"MOS", "mean opinion score by the E-model (1 to 4.5): above 4.0 is good, below 3.6 many complain",
           has([](const WorkloadReport& w) { return w.mos.has_value(); })},
          {"plays after", "how long the viewer waits at first; then how often and how long the picture stands",
           has([](const WorkloadReport& w) { return w.startup_s.has_value(); })},
          {"segments", "what the TCP inside the tunnel sent, sent again, and its timeouts: losses that it had to see",
           has([](const WorkloadReport& w) { return w.inner.segments > 0; })},
      });
}

}  // namespace

std::string explain(const Report& report) {
  const Oracles& oracles = report.oracles;
  std::string out;
  explain_paths(out, report);
  explain_workloads(out, report);
  out += "\nThe run\n";
  add_lines(
      out,
      {
          {"goodput", "payload in the main direction over the time that the run took: start-up and tail count too"},
          {"of the links", "against what all links carry without headers: bulk data over clean links should pass 90%",
           oracles.sum_of_links_mbps > 0},
          {"of the best link", "against the best one alone: above 100% several paths paid off, below they did harm",
           oracles.best_link_mbps > 0},
          {"TCP beside it", "what ns-3's TCP flows got at the same bottleneck, all together",
           report.tcp_goodput_mbps.has_value()},
          {"lower bound",
           "no transport could be done earlier: no handshake, no loss, every link full; 1.1 times it is good",
           oracles.completion_bound_s.has_value()},
          {"failover", "the longest silence of the workload that suffered most after that path died",
           !report.failovers.empty()},
          {"drawn", "what a range in the file came down to with this seed", !report.drawn.empty()},
          {"completed in", "simulated time is the result; wall time is how long this computer took"},
          {"speed", "of the simulator on this computer: it says nothing about the network"},
          {"trace hash",
           "of every packet and its time: equal hashes, equal runs. It differs where code or scenario changed"},
          {"VIOLATION", "an invariant of the protocol, or an assertion of the scenario, that did not hold",
           !report.passed()},
      });
  return out;
}

}  // namespace mpquic::sim
