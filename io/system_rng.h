// Randomness of the operating system, read in blocks: connection IDs and tokens ask for a few bytes at a time.
#pragma once

#include <array>

#include "stack/base/rng.h"

namespace mpquic::io {

class SystemRng final : public Rng {
 public:
  SystemRng() = default;
  ~SystemRng() override;
  void fill(MutableBytes out) override;

 private:
  static constexpr std::size_t kBlock = 512;
  std::array<std::byte, kBlock> block_{};
  std::size_t used_ = kBlock;
};

}  // namespace mpquic::io
