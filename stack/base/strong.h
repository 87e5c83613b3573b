// Strong types: a PathId is not a PacketNumber is not a count of bytes.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace mpquic {

/// An identifier: ordered and comparable, but without arithmetic.
template <class Tag, class Rep>
class Strong {
 public:
  using rep = Rep;
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const Strong&) const = default;
  /// The identifier that follows (packet numbers, sequence numbers, path IDs are all consumed in order).
  [[nodiscard]] constexpr Strong next() const { return Strong(static_cast<Rep>(value_ + 1)); }

 private:
  Rep value_{};
};

/// An amount: may be added, subtracted and scaled, only with its own kind.
template <class Tag, class Rep>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator*(Quantity a, Rep factor) { return Quantity(a.value_ * factor); }
  friend constexpr Quantity operator/(Quantity a, Rep divisor) { return Quantity(a.value_ / divisor); }
  /// a - b, or zero where that would be negative.
  friend constexpr Quantity saturating_sub(Quantity a, Quantity b) {
    return a.value_ > b.value_ ? Quantity(a.value_ - b.value_) : Quantity{};
  }

 private:
  Rep value_{};
};

}  // namespace mpquic

template <class Tag, class Rep>
struct std::hash<mpquic::Strong<Tag, Rep>> {
  std::size_t operator()(mpquic::Strong<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value()); }
};
