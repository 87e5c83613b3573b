// The inner layer of a path: one 4-tuple, and the set of those that a path uses, probes or has just left (RFC 9000 §9).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/address.h"
#include "stack/base/ids.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/rng.h"
#include "stack/base/time.h"
#include "stack/path/amplification.h"
#include "stack/path/mtu_discovery.h"
#include "stack/path/validator.h"
#include "stack/wire/frame.h"

namespace mpquic {

/// PATH_CHALLENGEs to answer. Of a flood only the newest are (RFC 9000 §8.2.2 asks for one answer per challenge, but an
/// honest peer keeps few outstanding).
class PendingResponses {
 public:
  static constexpr std::size_t kMax = 4;
  void push(const ChallengeData& data);
  void pop() { --count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// The newest. Requires !empty().
  [[nodiscard]] const ChallengeData& newest() const { return items_[count_ - 1]; }

 private:
  std::array<ChallengeData, kMax> items_{};  // oldest first
  std::size_t count_ = 0;
};

/// A validator that stays idle means that the handshake vouches for the address (RFC 9000 §8.1).
struct Tuple {
  FourTuple addresses;
  AmplificationLimit amplification;
  Validator validator;
  MtuDiscovery mtu;
  PendingResponses responses;
  /// For conn/: sequence number of the peer's connection ID that this tuple uses while it is not the active one.
  std::optional<std::uint64_t> peer_cid;
  bool proved = false;                  // was validated once: can be fallen back to
  bool migrate_when_validated = false;  // we want to move here (client)
  /// A marked challenge got no answer, so marked packets may be what this network drops: no marks here, until an
  /// acknowledgement shows that they pass (RFC 9000 §13.4.2, §A.4).
  bool marks_doubted = false;

  [[nodiscard]] bool data_allowed() const { return proved || validator.state() == Validator::State::idle; }
  /// Owes the peer a PATH_CHALLENGE or PATH_RESPONSE.
  [[nodiscard]] bool owes_probe() const { return validator.wants_challenge() || !responses.empty(); }
};

/// What happened to the tuples of a path, for the outer layer to act on.
struct TupleOutcome {
  bool validated = false;                     // the active tuple's address was proved just now
  bool switched = false;                      // another tuple is active now
  bool reverted = false;                      // ... back to the last validated one: the move failed
  std::optional<FourTuple> migration_failed;  // a move that we wanted did not validate; the active tuple stays
  bool none_left = false;                     // no usable tuple
};

struct TupleSettings {
  Role role = Role::client;
  MtuConfig mtu;
  std::size_t peer_max_udp_payload = kMaxDatagram;
};

/// The first tuple is the active one. Pointers and indices hold until the next call that is not a getter.
class TupleSet {
 public:
  /// Besides the active one: being probed, or the last validated one.
  static constexpr std::size_t kMaxProbingTuples = 2;

  TupleSet(const FourTuple& addresses, const TupleSettings& settings);

  [[nodiscard]] Tuple& active() { return tuples_.front(); }
  [[nodiscard]] const Tuple& active() const { return tuples_.front(); }
  [[nodiscard]] std::span<Tuple> all() { return tuples_; }
  [[nodiscard]] std::span<const Tuple> all() const { return tuples_; }
  [[nodiscard]] Tuple* find(const FourTuple& addresses);

  /// The tuple that a received datagram belongs to. Servers learn new ones; clients know only those that they chose,
  /// and get nullptr for an unknown server address (RFC 9000 §9).
  [[nodiscard]] Tuple* on_datagram(const FourTuple& addresses, ByteCount bytes);
  /// A packet on `addresses` with the highest number so far carried a non-probing frame (RFC 9000 §9.3): if it is not
  /// the active tuple, the peer has migrated. `pto` as for Validator::start().
  [[nodiscard]] TupleOutcome on_peer_moved(const FourTuple& addresses, Duration pto, Instant now);
  /// Probes `addresses`, and moves there once they are validated (RFC 9000 §9.2).
  void start_migration(const FourTuple& addresses, Duration pto, Instant now);
  /// PATH_RESPONSE on this path. Any tuple may bring it: RFC 9000 §8.2.2 forbids to insist on the challenge's.
  [[nodiscard]] TupleOutcome on_response(const ChallengeData& data, Instant now);
  [[nodiscard]] TupleOutcome on_deadline(Instant now);
  [[nodiscard]] Deadline next_deadline() const;
  /// Sequence numbers of connection IDs whose tuple is gone: to be retired.
  [[nodiscard]] std::optional<std::uint64_t> poll_released_cid() {
    return released_cids_.empty() ? std::nullopt : std::optional(released_cids_.pop_front());
  }

 private:
  /// True if its validation just failed.
  [[nodiscard]] static bool run_validator(Tuple& tuple, Instant now);
  void remove(std::size_t index);
  Tuple& add(const FourTuple& addresses);
  [[nodiscard]] TupleOutcome activate(std::size_t index);

  const TupleSettings& settings_;
  std::vector<Tuple> tuples_;
  RingBuffer<std::uint64_t> released_cids_;
};

/// The same host addresses: at most ports differ, as after a NAT rebinding.
[[nodiscard]] bool same_network(const FourTuple& a, const FourTuple& b);

}  // namespace mpquic
