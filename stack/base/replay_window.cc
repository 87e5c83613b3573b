#include "stack/base/replay_window.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic {

ReplayWindow::Arrival ReplayWindow::classify(std::uint64_t n) const {
  if (n >= end_) return Arrival::fresh;
  if (n < floor()) return Arrival::too_old;
  const bool seen = (words_[n / kWordBits % words_.size()] >> (n % kWordBits) & 1) != 0;
  return seen ? Arrival::duplicate : Arrival::fresh;
}

void ReplayWindow::insert(std::uint64_t n) {
  MPQUIC_DCHECK(classify(n) == Arrival::fresh);
  if (n >= end_) {
    // Numbers that enter the window reuse the bits of those that leave it: whole words where the jump is long.
    if (n - end_ >= kSize) {
      words_.fill(0);
    } else {
      for (std::uint64_t entering = end_; entering <= n;) {
        const std::uint64_t bit = entering % kWordBits;
        const std::uint64_t count = std::min(kWordBits - bit, n - entering + 1);
        const std::uint64_t mask = count == kWordBits ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
        words_[entering / kWordBits % words_.size()] &= ~(mask << bit);
        entering += count;
      }
    }
    end_ = n + 1;
  }
  words_[n / kWordBits % words_.size()] |= std::uint64_t{1} << (n % kWordBits);
}

}  // namespace mpquic
