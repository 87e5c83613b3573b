// One direction of a link: queue -> transmitter of fixed rate -> impairments -> propagation (FIFO) -> delivery.
//
//   offer() --> Queue --> [transmitter] --> Impairment... --> wire (FIFO) --> LinkObserver::on_delivered
//      |           |                            |                |
//      too big     full                         lost             down
//
// Every packet that comes in goes out exactly once, as delivered or as dropped with a reason; counters() prove it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/event_queue.h"
#include "sim/link/impairment.h"
#include "sim/link/queue.h"
#include "sim/packet_pool.h"
#include "stack/base/bandwidth.h"

namespace mpquic::sim {

using LinkId = Strong<struct LinkIdTag, std::uint32_t>;

struct LinkConfig {
  Bandwidth rate = Bandwidth::from_bits_per_second(100'000'000);  // of IP packets; above zero
  Duration delay = std::chrono::milliseconds(10);                 // propagation, one way
  ByteCount queue{1'000'000};                                     // IP bytes that wait, without the one in service
  std::size_t mtu = 1500;                                         // IP packet; larger ones vanish
  double loss = 0;                                                // of packets, independent
  double duplicate = 0;
  double corrupt = 0;
  double reorder = 0;
  Duration reorder_delay = std::chrono::milliseconds(5);
};

enum class LinkDrop : std::uint8_t { queue_full, loss, too_big, down, count_ };
inline constexpr std::size_t kLinkDropCount = static_cast<std::size_t>(LinkDrop::count_);
[[nodiscard]] std::string_view name_of(LinkDrop reason);

struct LinkCounters {
  std::uint64_t offered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t delivered_bytes = 0;  // IP
  std::array<std::uint64_t, kLinkDropCount> dropped{};
  std::uint64_t held = 0;  // queued, in service or on the wire
  [[nodiscard]] std::uint64_t dropped_total() const;
  [[nodiscard]] bool conserved() const { return offered + duplicated == delivered + dropped_total() + held; }
};

/// Told what became of each packet. The link gives up the packet with the call.
class LinkObserver {
 public:
  LinkObserver() = default;
  LinkObserver(const LinkObserver&) = delete;
  LinkObserver& operator=(const LinkObserver&) = delete;
  virtual ~LinkObserver() = default;
  virtual void on_delivered(LinkId link, PacketRef packet) = 0;
  virtual void on_dropped(LinkId link, PacketRef packet, LinkDrop reason) = 0;
};

class Link {
 public:
  struct Services {  // all outlive the link
    EventQueue& events;
    PacketPool& pool;
    LinkObserver& observer;
  };
  Link(LinkId id, const LinkConfig& config, const Services& services, std::uint64_t seed);

  /// Takes the packet over.
  void offer(PacketRef packet);

  // --- Events of this link
  void on_serviced();
  void on_arrival();
  void on_straggler(PacketRef packet);

  // --- Changes at run time
  /// The packet in service finishes at the old rate.
  void set_rate(Bandwidth rate);
  /// Packets on the wire keep their delay, and later ones never overtake them.
  void set_delay(Duration delay) { config_.delay = delay; }
  void set_loss(double probability);
  /// Down loses what waits, what is on the wire, and what comes.
  void set_up(bool up);

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] const LinkConfig& config() const { return config_; }
  [[nodiscard]] const LinkCounters& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t queued_bytes() const { return queue_->bytes(); }

 private:
  struct OnWire {
    PacketRef packet;
    Instant arrives;
  };
  void add_impairments(std::uint64_t seed);
  void transmit_next();
  void propagate(PacketRef packet, const Fate& fate);
  void deliver(PacketRef packet);
  void drop(PacketRef packet, LinkDrop reason);
  [[nodiscard]] Duration transfer_time(std::uint32_t bytes);

  LinkId id_;
  LinkConfig config_;
  Services services_;
  std::unique_ptr<Queue> queue_;
  std::vector<std::unique_ptr<Impairment>> impairments_;
  IidLoss* loss_ = nullptr;  // one of impairments_, for set_loss()
  TimerId service_timer_;
  TimerId arrival_timer_;
  std::optional<PacketRef> in_service_;
  RingBuffer<OnWire> wire_;
  Instant last_arrival_{};
  Instant went_down_{};            // stragglers that left before this are lost
  std::uint32_t timed_bytes_ = 0;  // transfer_time()'s last answer: most packets have one size
  Duration timed_{};
  bool up_ = true;
  LinkCounters counters_;
};

}  // namespace mpquic::sim
