// Logarithm, exponential and normal deviates from IEEE 754 basic operations and square root alone, all of which are
// correctly rounded: every build and machine gives the same bits, which libm does not promise. The error is at most
// 4e-16 of the result (or of 1, whichever is larger) for the logarithm and 1e-15 of the result for e^x; tests check it.
#pragma once

#include "sim/base/random_streams.h"
#include "stack/base/time.h"

namespace mpquic::sim {

/// ln x. Requires a positive normal number.
[[nodiscard]] double natural_log(double x);
/// e^x. Requires |x| <= 700.
[[nodiscard]] double natural_exp(double x);

/// Exponentially distributed, at least 1 ns.
[[nodiscard]] Duration exponential_time(SeededRng& rng, Duration mean);
/// Uniform in [least, most].
[[nodiscard]] Duration uniform_time(SeededRng& rng, Duration least, Duration most);

/// Standard normal deviates, by Marsaglia's polar method.
class Gaussian {
 public:
  explicit Gaussian(const RandomStream& random) : rng_(random.seed, random.stream) {}
  [[nodiscard]] double next();

 private:
  SeededRng rng_;
  double spare_ = 0;
  bool has_spare_ = false;
};

/// An autoregressive process of order one with mean 0 and variance 1: x' = c x + sqrt(1 - c^2) g. The autocorrelation
/// at k steps is c^k.
class Ar1 {
 public:
  /// Values `step` apart; the correlation falls to 1/e within `memory` (0: white noise).
  Ar1(Duration step, Duration memory, const RandomStream& random);
  [[nodiscard]] double value() const { return value_; }
  double advance();

 private:
  Gaussian gaussian_;
  double correlation_;
  double innovation_;
  double value_;
};

}  // namespace mpquic::sim
