#include "sim/link/reproducible_math.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // ln 2 in two parts: the first times an exponent is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
constexpr int kMantissaBits = 52;
constexpr std::uint64_t kExponentMask = 0x7ff;
constexpr int kExponentBias = 1023;
/// |s| <= 0.1716 below, so s^21 / 21 is under 4e-18.
constexpr int kLogLastPower = 19;
/// |r| <= 0.3466 below, so r^15 / 15! is under 1e-19.
constexpr int kExpTerms = 14;

}  // namespace

double natural_log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> kMantissaBits & kExponentMask) - kExponentBias;
  auto m = std::bit_cast<double>((bits & ~(kExponentMask << kMantissaBits)) | static_cast<std::uint64_t>(kExponentBias)
                                                                                  << kMantissaBits);  // in [1, 2)
  if (m > kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);  // ln m = 2 artanh s
  const double square = s * s;
  double sum = 0;
  for (int power = kLogLastPower; power >= 3; power -= 2) sum = (sum + 1.0 / power) * square;
  return exponent * kLn2High + (exponent * kLn2Low + 2 * s * sum + 2 * s);
}

double natural_exp(double x) {
  MPQUIC_CHECK(x >= -700 && x <= 700);
  const double scaled = x * (1 / (kLn2High + kLn2Low));
  const auto k = static_cast<int>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1;
  for (int n = kExpTerms; n >= 1; --n) sum = 1 + sum * r / n;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(k + kExponentBias) << kMantissaBits);
}

Duration exponential_time(SeededRng& rng, Duration mean) {
  const double u = static_cast<double>((rng.next() >> 11) + 1) * 0x1p-53;  // in (0, 1]
  const double time = -natural_log(u) * static_cast<double>(mean.count());
  return std::max(Duration(1), Duration(static_cast<std::int64_t>(time)));
}

Duration uniform_time(SeededRng& rng, Duration least, Duration most) {
  if (most <= least) return least;
  return least + Duration(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>((most - least).count()) + 1)));
}

double Gaussian::next() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  while (true) {
    const double u = 2 * rng_.unit() - 1;
    const double v = 2 * rng_.unit() - 1;
    const double square = u * u + v * v;
    if (square >= 1 || square < 0x1p-100) continue;
    const double factor = std::sqrt(-2 * natural_log(square) / square);
    spare_ = v * factor;
    has_spare_ = true;
    return u * factor;
  }
}

Ar1::Ar1(Duration step, Duration memory, const RandomStream& random)
    : gaussian_(random),
      correlation_(memory <= Duration::zero() || memory * 100 < step
                       ? 0.0
                       : natural_exp(-static_cast<double>(step.count()) / static_cast<double>(memory.count()))),
      innovation_(std::sqrt(1 - correlation_ * correlation_)),
      value_(gaussian_.next()) {}

double Ar1::advance() {
  value_ = correlation_ * value_ + innovation_ * gaussian_.next();
  return value_;
}

}  // namespace mpquic::sim
