#include "sim/run/tracing.h"

#include <filesystem>

#include "sim/trace/qvis.h"

namespace mpquic::sim {
namespace {

using Outcome = std::expected<void, std::string>;

/// The first failure.
void keep(Outcome& all, Outcome one) {
  if (all && !one) all = std::move(one);
}

}  // namespace

std::expected<std::unique_ptr<Tracing>, std::string> Tracing::open(const TraceOptions& options,
                                                                   const Scenario& scenario, std::uint64_t seed) {
  if (scenario.crypto == Crypto::null && !(options.pcap.empty() && options.keylog.empty()))
    return std::unexpected(
        "--pcap and --keylog need --crypto real: null crypto has no keys, and no dissector reads it");
  if (scenario.endpoints.both(EngineKind::ngtcp2) && !options.qlog.empty())
    return std::unexpected("--qlog: ngtcp2 writes none; --pcap captures its packets, with the keys inside");
  std::unique_ptr<Tracing> tracing(new Tracing);
  if (auto opened = tracing->open_qlog(options, scenario, seed); !opened)
    return std::unexpected(std::move(opened).error());
  if (auto opened = tracing->open_packets(options, scenario, seed); !opened)
    return std::unexpected(std::move(opened).error());
  return tracing;
}

Outcome Tracing::open_qlog(const TraceOptions& options, const Scenario& scenario, std::uint64_t seed) {
  if (options.qlog.empty()) return {};
  auto files = QlogFiles::open(options.qlog, scenario.name);
  if (!files) return std::unexpected(std::move(files).error());
  qlogs_ = std::move(*files);
  auto file = OutputFile::create((std::filesystem::path(options.qlog) / (scenario.name + "-network.sqlog")).string());
  if (!file) return std::unexpected(std::move(file).error());
  network_ = std::make_unique<NetworkQlog>(std::move(*file), scenario, seed);
  taps_.add(*network_);
  if (options.qvis) qvis_ = options.qlog;
  return {};
}

Outcome Tracing::open_packets(const TraceOptions& options, const Scenario& scenario, std::uint64_t seed) {
  if (!options.pcap.empty()) {
    auto file = OutputFile::create(options.pcap);
    if (!file) return std::unexpected(std::move(file).error());
    pcap_ = std::make_unique<PcapngTap>(std::move(*file), options.vantage);
    taps_.add(*pcap_);
  }
  if (!options.record.empty()) {
    auto file = OutputFile::create(options.record);
    if (!file) return std::unexpected(std::move(file).error());
    recorder_ = std::make_unique<EventRecorder>(std::move(*file), scenario, seed);
    taps_.add(*recorder_);
  }
  if (!options.keylog.empty()) {
    auto file = OutputFile::create(options.keylog);
    if (!file) return std::unexpected(std::move(file).error());
    keylog_ = std::move(*file);
  }
  return {};
}

void Tracing::attach(SimulationOptions& options) {
  options.trace = qlogs_.get();
  if (!taps_.empty()) options.tap = &taps_;
  if (pcap_ || keylog_) options.keylog = [this](std::string_view line) { on_key(line); };
}

void Tracing::on_key(std::string_view line) {
  if (!keys_.emplace(line).second) return;
  if (pcap_) pcap_->on_key(line);
  if (!keylog_) return;
  keylog_->write(line);
  keylog_->write("\n");
}

Outcome Tracing::close() {
  Outcome all;
  if (qlogs_) keep(all, qlogs_->close());
  if (network_) keep(all, network_->close());
  if (pcap_) keep(all, pcap_->close());
  if (recorder_) keep(all, recorder_->close());
  if (keylog_) keep(all, keylog_->close());
  if (qvis_.empty()) return all;
  for (const std::string& name : qlogs_->names())
    if (auto converted = convert_for_qvis(name, qvis_); !converted)
      keep(all, std::unexpected(std::move(converted).error()));
  return all;
}

}  // namespace mpquic::sim
