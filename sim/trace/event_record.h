// Every event that the trace hash covers, in a file that two runs can be compared by.
//
//   "MPQREC1\n" | u32 length | JSON: scenario, seed, paths | block...
//   block: u32 bytes | u32 events | i64 time of the first | u64 rolling hash up to its end | events
//
// Blocks hold a fixed number of events (the last one fewer), so equal prefixes of two runs are equal blocks, and
// reading their headers alone finds the first block that differs. Integers are little-endian; events use varints
// (LEB128).
#pragma once

#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/trace_hash.h"
#include "sim/network/tap.h"
#include "sim/scenario/scenario.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {

inline constexpr std::string_view kRecordingMagic = "MPQREC1\n";
inline constexpr std::size_t kEventsPerBlock = 2048;

struct RecordedEvent {
  enum class Kind : std::uint8_t { sent, delivered, dropped, unroutable, script, count_ };
  Kind kind = Kind::sent;
  Instant at;
  std::uint32_t link = 0;  // script: an upward link of the path, or the Role of the host
  std::uint64_t serial = 0;
  std::uint64_t size = 0;       // sent, unroutable
  std::uint8_t detail = 0;      // sent: ECN; dropped: LinkDrop; script: Action
  FourTuple tuple;              // sent: as the receiver will see it
  std::uint64_t payload = 0;    // sent: hash of all of it
  std::vector<std::byte> head;  // sent: its first bytes
  bool operator==(const RecordedEvent&) const = default;
};

class EventRecorder final : public Tap {
 public:
  EventRecorder(OutputFile file, const Scenario& scenario, std::uint64_t seed);

  void on_sent(const Sighting& seen, const FourTuple& sender) override;
  void on_delivered(const Sighting& seen) override;
  void on_dropped(const Sighting& seen, LinkDrop reason) override;
  void on_unroutable(Instant at, std::size_t size) override;
  void on_script(const World& world, const ScriptedEvent& event) override;
  [[nodiscard]] std::expected<void, std::string> close();

 private:
  void begin(RecordedEvent::Kind kind, Instant at, std::uint32_t link);
  void end();
  void flush();

  OutputFile file_;
  TraceHash hash_;
  std::vector<std::byte> block_;
  std::uint32_t events_ = 0;  // in block_
  Instant first_{};           // of block_
  Instant last_{};
};

/// What the header of a block says.
struct BlockHeader {
  static constexpr std::size_t kSize = 24;
  std::uint32_t bytes = 0;
  std::uint32_t events = 0;
  std::int64_t first = 0;
  std::uint64_t hash = 0;
  bool operator==(const BlockHeader&) const = default;
};

class EventFile {
 public:
  /// Errors are one line that names the file.
  [[nodiscard]] static std::expected<EventFile, std::string> open(const std::string& path);

  /// The header of the next block, whose events are skipped or read next. nullopt: the end.
  [[nodiscard]] std::expected<std::optional<BlockHeader>, std::string> next_block();
  /// All events of the block that next_block() gave.
  [[nodiscard]] std::expected<std::vector<RecordedEvent>, std::string> read_block();
  /// The events of the block before that one, `header`.
  [[nodiscard]] std::expected<std::vector<RecordedEvent>, std::string> read_block_before(const BlockHeader& header);
  void rewind();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& scenario() const { return scenario_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  /// "wan2 down"
  [[nodiscard]] std::string link_name(std::uint32_t link) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
  };
  EventFile(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  [[nodiscard]] std::expected<void, std::string> read_header();
  [[nodiscard]] std::expected<std::vector<RecordedEvent>, std::string> read_events(long at, const BlockHeader& header);
  [[nodiscard]] std::unexpected<std::string> broken(const char* what) const;

  std::unique_ptr<std::FILE, Close> file_;
  std::string path_;
  std::string scenario_;
  std::uint64_t seed_ = 0;
  std::vector<std::string> path_names_;
  long size_ = 0;
  long start_ = 0;  // of the first block
  long at_ = 0;     // of the block that next_block() gave
  long next_ = 0;   // of the one after it
  BlockHeader current_;
};

}  // namespace mpquic::sim
