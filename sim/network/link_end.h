// Which link: one way of a path's line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "stack/base/ids.h"

namespace mpquic::sim {

enum class Direction : std::uint8_t { up, down };  // up: client to server

/// Packets, recordings and traces name it by its index.
struct LinkEnd {
  std::size_t path = 0;
  Direction direction = Direction::up;

  [[nodiscard]] static constexpr LinkEnd of(std::size_t index) {
    return {index / 2, static_cast<Direction>(index % 2)};
  }
  [[nodiscard]] constexpr std::size_t index() const { return path * 2 + std::to_underlying(direction); }
  [[nodiscard]] constexpr Role sender() const { return direction == Direction::up ? Role::client : Role::server; }
  [[nodiscard]] constexpr Role receiver() const { return direction == Direction::up ? Role::server : Role::client; }
};

}  // namespace mpquic::sim
