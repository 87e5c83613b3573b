// What a flood leaves behind.
#pragma once

#include "tests/pair/raw_peer.h"
#include "tests/support/heap.h"

namespace mpquic::test {

inline constexpr std::size_t kMegabyte = std::size_t{1} << 20;

/// The raw peer's own records would look like the endpoint's memory.
inline void forget(RawPeer& peer) {
  peer.received.clear();
  peer.received.shrink_to_fit();
  peer.events.clear();
  peer.events.shrink_to_fit();
}

/// Heap that the flood left behind, once its own records are gone.
class Flood {
 public:
  explicit Flood(RawPeer& peer) : peer_(peer) {
    forget(peer);
    peer.keeps = false;
    before_ = heap_bytes();
  }
  [[nodiscard]] std::size_t growth() const {
    forget(peer_);
    const std::size_t after = heap_bytes();
    return after > before_ ? after - before_ : 0;
  }

 private:
  RawPeer& peer_;
  std::size_t before_;
};

}  // namespace mpquic::test
