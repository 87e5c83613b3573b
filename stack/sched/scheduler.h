// The seam for "which path next". Called about once per train.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stack/path/path_view.h"

namespace mpquic {

/// Contract: `paths` are open paths in ascending PathId order, each with a connection ID of the peer's to send to. The
/// answer must be a path of the span that can_send(), or nothing, which means "wait until something changes" (an ACK,
/// the pacer, a new path). on_sent() follows each train that was really sent.
class Scheduler {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::optional<PathId> pick(std::span<const PathView> paths, const PacketContext& context) = 0;
  virtual void on_sent(PathId path, ByteCount bytes, Instant now) = 0;
};

/// nullptr for an unknown name; see scheduler_names().
[[nodiscard]] std::unique_ptr<Scheduler> make_scheduler(std::string_view name);
[[nodiscard]] std::span<const std::string_view> scheduler_names();

}  // namespace mpquic
