#pragma once

namespace mpquic {

/// std::visit(overloaded{...}, variant): a missing arm does not compile.
template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

}  // namespace mpquic
