#include "tunnel/perf/dialer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "io/interfaces.h"
#include "tunnel/perf/protocol.h"

namespace mpquic::perf {
namespace {

constexpr std::size_t kMinInitialPayload = 1200;  // RFC 9000 §14.1
constexpr std::size_t kIpv4AndUdp = 28;
constexpr std::size_t kIpv6AndUdp = 48;

[[nodiscard]] std::string describe(const io::DeliveryError& error) {
  std::string remote = io::text_of(error.tuple.remote);
  switch (error.failure) {
    case TransmitFailure::refused: return fmt::format("{}: connection refused", remote);
    case TransmitFailure::unreachable: return fmt::format("{}: unreachable", remote);
    case TransmitFailure::too_big: return fmt::format("{}: {}", remote, describe_small_mtu(error.tuple));
  }
  return remote;
}

}  // namespace

std::string describe_small_mtu(const FourTuple& tuple) {
  const bool v6 = tuple.remote.ip.family() == IpAddress::Family::v6;
  const std::size_t mtu = kMinInitialPayload + (v6 ? kIpv6AndUdp : kIpv4AndUdp);
  return fmt::format("the MTU of the interface of {} is too small: QUIC needs {} (datagrams of {} bytes over {})",
                     io::text_of(tuple.local), mtu, kMinInitialPayload, v6 ? "IPv6" : "IPv4");
}

Dialer::Dialer(Engine& engine, std::vector<Route> routes, Resumption resumption)
    : engine_(engine), resumption_(std::move(resumption)) {
  for (Route& route : routes) attempts_.push_back({.name = std::move(route.name), .tuple = route.tuple});
}

void Dialer::start_next(Instant now) {
  next_start_.reset();
  if (next_ == attempts_.size()) return;
  Attempt& attempt = attempts_[next_++];
  if (next_ > 1) spdlog::warn("trying --path {}", attempt.name);
  if (next_ < attempts_.size()) next_start_ = now + kPatience;
  Resumption from = resumption_;
  // Servers take a token once, and from the address that it was given to (RFC 9000 §8.1.4).
  if (from.token_address == attempt.tuple.local.ip.to_string())
    resumption_.token.clear();
  else
    from.token.clear();
  if (const auto connection = engine_.connect(attempt.tuple, from, now); connection)
    attempt.connection = *connection;
  else
    failure_ = "cannot start a connection: " + connection.error();
}

void Dialer::on_event(const Event& event, Instant now) {
  const auto found = std::ranges::find(attempts_, std::optional(event.connection), &Attempt::connection);
  if (found == attempts_.end() || winner_ || failure_) return;
  if (std::holds_alternative<HandshakeCompleted>(event.what))
    return win(static_cast<std::size_t>(found - attempts_.begin()), now);
  const auto* closed = std::get_if<ConnectionClosed>(&event.what);
  if (closed == nullptr) return;
  engine_.transport().path_stats(event.connection, failed_paths_);
  found->connection.reset();
  // Somebody answered, and said no: he would over any other path too.
  if (!is_silent(closed->source)) failure_ = perf::describe(*closed);
  give_up(*found, perf::describe(*closed), now);
}

void Dialer::on_delivery_error(const io::DeliveryError& error, Instant now) {
  const auto found = std::ranges::find(attempts_, error.tuple, &Attempt::tuple);
  if (found == attempts_.end() || !found->connection || winner_) return;
  found->useless = error.failure == TransmitFailure::too_big;
  give_up(*found, describe(error), now);
}

void Dialer::on_deadline(Instant now) {
  if (!expired(next_start_, now) || winner_ || failure_) return;
  if (answered()) {
    next_start_ = now + kPatience;  // a handshake that has got so far takes as long as it takes
  } else {
    spdlog::warn("nobody has answered for {} ms", to_milliseconds(kPatience));
    start_next(now);
  }
}

bool Dialer::answered() const {
  return std::ranges::any_of(attempts_, [this](const Attempt& attempt) {
    return attempt.connection && engine_.transport().stats(*attempt.connection).packets_received > 0;
  });
}

void Dialer::win(std::size_t route, Instant now) {
  winner_ = attempts_[route].connection;
  winning_route_ = route;
  next_start_.reset();
  for (std::size_t i = 0; i < attempts_.size(); ++i)
    if (i != route) retire(attempts_[i], now);
}

void Dialer::give_up(Attempt& attempt, std::string why, Instant now) {
  attempt.failure = std::move(why);
  retire(attempt, now);
  if (failure_) return;
  if (next_ < attempts_.size()) {
    spdlog::warn("--path {}: {}", attempt.name, attempt.failure);
    return start_next(now);
  }
  if (std::ranges::any_of(attempts_, [](const Attempt& other) { return other.connection.has_value(); })) return;
  failure_ = describe_failures();
}

std::string Dialer::describe_failures() const {
  const std::string& first = attempts_.front().failure;
  if (attempts_.size() == 1) return first;
  const bool all_alike = std::ranges::all_of(attempts_, [&](const Attempt& a) { return a.failure == first; });
  if (all_alike) return fmt::format("{}, over each of {} paths", first, attempts_.size());
  std::string text = "no path reaches the server";
  for (const Attempt& attempt : attempts_) text += fmt::format("; over {}: {}", attempt.name, attempt.failure);
  return text;
}

void Dialer::retire(Attempt& attempt, Instant now) {
  if (const auto connection = std::exchange(attempt.connection, std::nullopt))
    engine_.transport().close(*connection, kNoError, "", now);
}

}  // namespace mpquic::perf
