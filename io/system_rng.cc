#include "io/system_rng.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "stack/base/check.h"

namespace mpquic::io {
namespace {

void read_system(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t n = getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    MPQUIC_CHECK(n > 0);  // the call cannot fail otherwise on a kernel that has it
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace

SystemRng::~SystemRng() { explicit_bzero(block_.data(), block_.size()); }

void SystemRng::fill(MutableBytes out) {
  if (out.size() > kBlock) return read_system(out);
  while (!out.empty()) {
    if (used_ == kBlock) {
      read_system(block_);
      used_ = 0;
    }
    const std::size_t n = std::min(out.size(), kBlock - used_);
    std::memcpy(out.data(), block_.data() + used_, n);
    explicit_bzero(block_.data() + used_, n);  // what was handed out must not be found in memory again
    used_ += n;
    out = out.subspan(n);
  }
}

}  // namespace mpquic::io
