// What a simulation shows of itself while it runs: packets at both ends of each link, losses, scripted events, samples.
// World and Simulation hold one Tap or none; without one, tracing costs one branch for each packet.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/network/packet_pool.h"
#include "stack/base/packet_io.h"

namespace mpquic::sim {

class World;
enum class LinkDrop : std::uint8_t;
struct ScriptedEvent;

/// One packet at one moment. Valid during the call only.
struct Sighting {
  Instant at;
  std::uint32_t link = 0;  // LinkEnd::index()
  const Packet& packet;
  Bytes bytes;  // the UDP payload
};

class Tap {
 public:
  Tap() = default;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;
  virtual ~Tap() = default;

  /// Before the first event.
  virtual void on_start(const World&) {}
  /// A host gave the link a datagram. `sender`: the tuple as the sender sees it.
  virtual void on_sent(const Sighting&, const FourTuple& /*sender*/) {}
  virtual void on_delivered(const Sighting&) {}
  virtual void on_dropped(const Sighting&, LinkDrop) {}
  /// To an address that nobody has.
  virtual void on_unroutable(Instant, std::size_t /*size*/) {}
  /// After it took effect.
  virtual void on_script(const World&, const ScriptedEvent&) {}
  /// Every few simulated milliseconds.
  virtual void on_sample(const World&) {}
};

/// Several taps in place of one.
class Taps final : public Tap {
 public:
  void add(Tap& tap) { taps_.push_back(&tap); }
  [[nodiscard]] bool empty() const { return taps_.empty(); }

  void on_start(const World& world) override {
    for (Tap* tap : taps_) tap->on_start(world);
  }
  void on_sent(const Sighting& seen, const FourTuple& sender) override {
    for (Tap* tap : taps_) tap->on_sent(seen, sender);
  }
  void on_delivered(const Sighting& seen) override {
    for (Tap* tap : taps_) tap->on_delivered(seen);
  }
  void on_dropped(const Sighting& seen, LinkDrop reason) override {
    for (Tap* tap : taps_) tap->on_dropped(seen, reason);
  }
  void on_unroutable(Instant at, std::size_t size) override {
    for (Tap* tap : taps_) tap->on_unroutable(at, size);
  }
  void on_script(const World& world, const ScriptedEvent& event) override {
    for (Tap* tap : taps_) tap->on_script(world, event);
  }
  void on_sample(const World& world) override {
    for (Tap* tap : taps_) tap->on_sample(world);
  }

 private:
  std::vector<Tap*> taps_;
};

}  // namespace mpquic::sim
