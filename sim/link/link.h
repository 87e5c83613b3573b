// One direction of a link, without a clock of its own.
//
// offer() -> [up?] -> [mtu] -> [policer] -> [ECT] -> Bottleneck: Queue -> Service -> Impairment... -> wire -> observer
//              |        |          |          |                    |                       |            |
//            down    too big    policed      ECT         full, dropped by AQM            lost         down
//
// A host calls offer() and the setters as things happen; after each call it re-arms one timer for next_deadline(), and
// when that is due it calls on_deadline(). Times never go back. Every packet that comes in goes out exactly once, as
// delivered or as dropped with a reason; counters() prove it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/link/bottleneck.h"
#include "sim/link/delay.h"
#include "sim/link/impairment.h"
#include "sim/link/packet.h"

namespace mpquic::sim {

struct PolicerConfig {
  Bandwidth rate;   // above zero
  ByteCount burst;  // at least the MTU
};

/// The rate and queue of the base do not matter for a link that shares its bottleneck.
struct LinkConfig : BottleneckConfig {
  Duration delay = std::chrono::milliseconds(10);  // propagation, one way
  std::shared_ptr<const DelayTrace> delay_trace;   // in its place
  std::optional<JitterConfig> jitter;
  std::size_t mtu = 1500;   // IP packet
  bool mtu_signal = false;  // the sender hears of larger ones ("too big"), else they just vanish
  std::optional<PolicerConfig> policer;
  bool drops_ect = false;  // of packets, those with any ECN codepoint but Not-ECT
  bool bleach = false;     // clears the ECN field on entry
  double loss = 0;         // of packets, independent
  std::optional<BurstLossConfig> burst_loss;
  double duplicate = 0;
  double corrupt = 0;
  double truncate = 0;
  double reorder = 0;
  Duration reorder_delay = std::chrono::milliseconds(5);
  std::optional<std::size_t> shared_bottleneck;  // index among those of the host's network
};

struct LinkCounters {
  std::uint64_t offered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t truncated = 0;
  std::uint64_t marked = 0;    // ECN CE
  std::uint64_t bleached = 0;  // lost their ECN field
  std::uint64_t delivered = 0;
  std::uint64_t delivered_bytes = 0;  // IP
  std::array<std::uint64_t, kLinkDropCount> dropped{};
  std::uint64_t held = 0;  // queued, in service or on the wire
  [[nodiscard]] std::uint64_t dropped_for(LinkDrop reason) const { return dropped[static_cast<std::size_t>(reason)]; }
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

class Link final : private Bottleneck::Exit {
 public:
  struct Services {  // all outlive the link
    PacketStore& store;
    LinkObserver& observer;
    Bottleneck* shared = nullptr;  // driven by the host, which re-arms the links of it afterwards
  };
  Link(LinkId id, const LinkConfig& config, const Services& services, std::uint64_t seed);

  /// Takes the packet over.
  void offer(LinkPacket packet, Instant now);
  /// The same as next_deadline(), as a plain value: kNever if there is none.
  [[nodiscard]] Instant due() const {
    const Instant arrival = std::min(wire_due_, straggler_due_);
    return own_ == nullptr ? arrival : std::min(arrival, own_->due());
  }
  [[nodiscard]] Deadline next_deadline() const {
    const Instant next = due();
    return next == kNever ? Deadline{} : Deadline{next};
  }
  /// Does everything that is due, in order of time. Gives due() as it is then.
  Instant on_deadline(Instant now);

  // --- Changes at run time
  /// The packet in service finishes at the old rate. Ends a rate trace or process.
  void set_rate(Bandwidth rate);
  /// Packets on the wire keep their delay, and later ones never overtake them. Ends a delay trace.
  void set_delay(Duration delay);
  void set_loss(double probability);
  /// Of what comes from now on.
  void set_mtu(std::size_t mtu) { config_.mtu = mtu; }
  /// No packet is lost in bursts or policed any more.
  void end_faults();
  /// Down loses what waits, what is on the wire, and what comes; a shared queue's packets are lost when they leave it.
  void set_up(bool up, Instant now);
  /// The same for outages, which may overlap: calls nest.
  void begin_outage(Instant now);
  void end_outage();
  /// Packets wait in the queue, and follow each other at full rate afterwards. Calls nest. A shared bottleneck holds
  /// the packets of all its links.
  void begin_hold() { bottleneck_->pause(); }
  void end_hold(Instant now) { bottleneck_->resume(now); }

  [[nodiscard]] LinkId id() const { return id_; }
  [[nodiscard]] bool up() const { return up_ && outages_ == 0; }
  /// Packets wait in the queue: begin_hold().
  [[nodiscard]] bool held() const { return bottleneck_->paused(); }
  /// That of the configuration, or as the last packet found it where it changes by itself.
  [[nodiscard]] Bandwidth rate() const { return bottleneck_->rate().value_or(config_.rate); }
  [[nodiscard]] const LinkConfig& config() const { return config_; }
  [[nodiscard]] const LinkCounters& counters() const { return counters_; }
  [[nodiscard]] const Bottleneck& bottleneck() const { return *bottleneck_; }
  [[nodiscard]] std::uint64_t queued_bytes() const { return bottleneck_->queued_bytes(); }

 private:
  struct OnWire {
    PacketRef ref;
    std::uint32_t bytes = 0;
    Instant arrives;
  };
  struct Straggler {
    OnWire packet;
    std::uint64_t sequence = 0;
    [[nodiscard]] bool operator<(const Straggler& other) const {  // for a heap with the first arrival on top
      return packet.arrives != other.packet.arrives ? packet.arrives > other.packet.arrives : sequence > other.sequence;
    }
  };
  void add_impairments(const RandomSource& random);
  void on_served(const LinkPacket& packet, Instant at) override;
  void on_refused(const LinkPacket& packet, LinkDrop reason) override { drop(packet.ref, reason); }
  void propagate(const LinkPacket& packet, Duration detour, Instant at);
  void arrive();
  void arrive_late();
  void deliver(const OnWire& packet);
  void drop(PacketRef packet, LinkDrop reason);
  void lose_everything(Instant now);

  LinkId id_;
  LinkConfig config_;
  Services services_;
  std::unique_ptr<Bottleneck> own_;  // null if it is shared
  Bottleneck* bottleneck_;
  std::uint16_t port_;
  std::vector<std::unique_ptr<Impairment>> impairments_;
  IidLoss* loss_ = nullptr;          // one of impairments_, for set_loss()
  BurstLoss* burst_loss_ = nullptr;  // the same, for end_faults(); null: there is none
  std::optional<TokenBucket> policer_;
  std::optional<DelayModel> delay_model_;
  RingBuffer<OnWire> wire_;
  std::vector<Straggler> stragglers_;  // a heap
  std::uint64_t straggler_sequence_ = 0;
  Instant wire_due_ = kNever;
  Instant straggler_due_ = kNever;
  Instant last_arrival_{};
  bool up_ = true;
  int outages_ = 0;
  LinkCounters counters_;
};

}  // namespace mpquic::sim
