#include "stack/conn/config.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "stack/cc/congestion_controller.h"
#include "stack/path/path_manager.h"
#include "stack/redundancy/duplication.h"
#include "stack/redundancy/reinjection.h"
#include "stack/sched/scheduler.h"
#include "stack/wire/transport_params.h"
#include "stack/wire/varint.h"

namespace mpquic {
namespace {

constexpr std::uint64_t kMostStreams = std::uint64_t{1} << 60;     // RFC 9000 §4.6
constexpr std::uint64_t kMostQueueBytes = std::uint64_t{1} << 32;  // of datagrams that wait
constexpr std::uint64_t kMostPeerCids = 1024;                      // per path, that we keep for a peer
constexpr Duration kLongestTimer = std::chrono::hours(24 * 365);   // sums of a few stay far from overflow

/// Collects the first complaint.
class Checker {
 public:
  void name(std::string_view field, std::span<const std::string_view> known, const std::string& value) {
    if (std::ranges::find(known, value) != known.end()) return;
    std::string all;
    for (const std::string_view one : known) all.append(all.empty() ? "" : ", ").append(one);
    complain(field, "there is no '" + value + "', only " + all);
  }
  void range(std::string_view field, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    if (value >= least && value <= most) return;
    complain(field, std::to_string(value) + " is not in " + std::to_string(least) + " to " + std::to_string(most));
  }
  void time(std::string_view field, Duration value, Duration least, Duration most = kLongestTimer) {
    using std::chrono::microseconds;
    if (value >= least && value <= most) return;
    const auto in_us = [](Duration d) { return std::to_string(std::chrono::duration_cast<microseconds>(d).count()); };
    complain(field, in_us(value) + " us is not in " + in_us(least) + " to " + in_us(most) + " us");
  }
  void address(std::string_view field, const std::optional<SocketAddress>& value, IpAddress::Family family) {
    if (!value || (value->ip.family() == family && value->can_be_peer())) return;
    complain(field, value->to_string() + " is no address and port of this family that a client could send to");
  }
  [[nodiscard]] std::expected<void, ConfigError> result() && {
    if (first_) return std::unexpected(*std::move(first_));
    return {};
  }

 private:
  void complain(std::string_view field, std::string reason) {
    if (!first_) first_ = ConfigError{std::string(field), std::move(reason)};
  }
  std::optional<ConfigError> first_;
};

void check_limits(const ConnectionConfig& config, Checker& check) {
  check.range("max_data", config.max_data, 1, kMaxVarint);
  check.range("max_stream_data", config.max_stream_data, 1, kMaxVarint);
  check.range("max_streams_bidi", config.max_streams_bidi, 0, kMostStreams);
  check.range("max_streams_uni", config.max_streams_uni, 0, kMostStreams);
  check.range("send_buffer", config.send_buffer, 1, kMaxVarint);
  check.range("max_datagram_frame_size", config.max_datagram_frame_size, 0, kMaxVarint);
  check.range("datagram_send_queue_bytes", config.datagram_send_queue_bytes, 0, kMostQueueBytes);
  check.range("datagram_receive_queue_bytes", config.datagram_receive_queue_bytes, 0, kMostQueueBytes);
  check.range("initial_datagram_size", config.initial_datagram_size, kMinInitialDatagram, kMaxDatagram);
  check.range("max_datagram_size", config.max_datagram_size, kMinInitialDatagram, kMaxDatagram);
  check.range("active_connection_id_limit", config.active_connection_id_limit, kMinActiveConnectionIdLimit,
              kMostPeerCids);
}

void check_times(const ConnectionConfig& config, Checker& check) {
  constexpr Duration kTick{1};
  check.time("idle_timeout", config.idle_timeout, Duration::zero());
  check.time("handshake_timeout", config.handshake_timeout, kTick);
  check.time("keep_alive", config.keep_alive, Duration::zero());
  check.time("max_ack_delay", config.max_ack_delay, Duration::zero(), std::chrono::milliseconds(kMaxMaxAckDelay));
  check.time("initial_rtt", config.initial_rtt, kTick);
}

}  // namespace

std::expected<void, ConfigError> validate(const ConnectionConfig& config) {
  Checker check;
  check_limits(config, check);
  check_times(config, check);
  check.name("congestion_control", congestion_controller_names(), config.congestion_control);
  check.name("scheduler", scheduler_names(), config.scheduler);
  check.name("duplication", duplication_policy_names(), config.duplication);
  check.name("reinjection", reinjection_policy_names(), config.reinjection);
  check.range("duplicate_copies", config.duplicate_copies, 1, kMaxCopies);
  check.range("max_paths", config.max_paths, 1, PathManager::kMaxOpenPaths);
  check.address("preferred_v4", config.preferred_v4, IpAddress::Family::v4);
  check.address("preferred_v6", config.preferred_v6, IpAddress::Family::v6);
  return std::move(check).result();
}

}  // namespace mpquic
