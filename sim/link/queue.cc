#include "sim/link/queue.h"

#include "sim/link/codel.h"
#include "sim/link/fq_codel.h"
#include "sim/link/pie.h"

namespace mpquic::sim {

std::string_view name_of(LinkDrop reason) {
  switch (reason) {
    case LinkDrop::queue_full: return "queue_full";
    case LinkDrop::loss: return "loss";
    case LinkDrop::too_big: return "too_big";
    case LinkDrop::down: return "down";
    case LinkDrop::aqm: return "aqm";
    case LinkDrop::policed: return "policed";
    case LinkDrop::ect: return "ect";
    case LinkDrop::count_: break;
  }
  return "unknown";
}

std::string_view name_of(QueueKind kind) {
  switch (kind) {
    case QueueKind::drop_tail: return "droptail";
    case QueueKind::drop_front: return "drop_front";
    case QueueKind::codel: return "codel";
    case QueueKind::fq_codel: return "fq_codel";
    case QueueKind::pie: return "pie";
  }
  return "unknown";
}

std::unique_ptr<Queue> make_queue(const QueueConfig& config, ByteCount bytes, const RandomSource& random) {
  const QueueLimits limits{.bytes = bytes.value(), .packets = config.packets};
  switch (config.kind) {
    case QueueKind::drop_tail: return std::make_unique<DropTailQueue>(limits, config.age);
    case QueueKind::drop_front: return std::make_unique<DropFrontQueue>(limits);
    case QueueKind::codel: return std::make_unique<CodelQueue>(config, limits);
    case QueueKind::fq_codel: return std::make_unique<FqCodelQueue>(config, limits);
    case QueueKind::pie: return std::make_unique<PieQueue>(config, limits, random.of(Purpose::queue));
  }
  return nullptr;
}

}  // namespace mpquic::sim
