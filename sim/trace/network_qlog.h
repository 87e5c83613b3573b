// The links' side of a run as a third qlog file, on the timeline of the endpoints' files (docs/qlog.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/network/tap.h"
#include "sim/scenario/scenario.h"
#include "sim/trace/output_file.h"
#include "stack/trace/json_writer.h"

namespace mpquic::sim {

class NetworkQlog final : public Tap {
 public:
  NetworkQlog(OutputFile file, const Scenario& scenario, std::uint64_t seed);

  void on_start(const World& world) override;
  void on_dropped(const Sighting& seen, LinkDrop reason) override;
  void on_unroutable(Instant at, std::size_t size) override;
  void on_script(const World& world, const ScriptedEvent& event) override;
  void on_sample(const World& world) override;
  [[nodiscard]] std::expected<void, std::string> close() { return file_.close(); }

 private:
  struct LinkState {  // as far as it was written
    bool known = false;
    bool up = true;
    bool held = false;
    std::uint64_t rate_bps = 0;
    Duration delay{};
    std::uint64_t loss_millionths = 0;
    std::uint64_t queued_bytes = 0;
    [[nodiscard]] bool same_settings(const LinkState& other) const {
      return known == other.known && up == other.up && held == other.held && rate_bps == other.rate_bps &&
             delay == other.delay && loss_millionths == other.loss_millionths;
    }
  };
  [[nodiscard]] static LinkState state_of(const World& world, std::uint32_t link);
  void begin(std::string_view name, Instant at);
  void end();
  void name_link(std::uint32_t link);
  void write_changes(const World& world);

  OutputFile file_;
  std::string record_;
  trace::JsonWriter json_{record_};
  std::vector<std::string> path_names_;
  std::vector<LinkState> links_;
};

}  // namespace mpquic::sim
