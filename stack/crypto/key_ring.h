// All packet protection keys of one connection: Initial, Handshake, and 1-RTT with its key phases (RFC 9001 §6,
// draft-ietf-quic-multipath-21 §2.5: one key phase for all paths).
//
//            update()                    peer's answer opens
//   in step ----------> write ahead ------------------------> in step, one generation up
//      |    peer's update opens (write keys follow at once)      ^
//      +---------------------------------------------------------+
//
// Contract: set_update_interval() whenever the largest PTO changes; before_sending() ahead of each 1-RTT train;
// on_acked() for 1-RTT acknowledgements; next_deadline() / on_deadline() drop the previous read keys.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "stack/base/buggify.h"
#include "stack/base/connection_id.h"
#include "stack/base/drop_reason.h"
#include "stack/base/ids.h"
#include "stack/base/interval_set.h"
#include "stack/base/result.h"
#include "stack/base/time.h"
#include "stack/crypto/aead.h"
#include "stack/crypto/header_protection.h"
#include "stack/crypto/tls_session.h"

namespace mpquic {

/// Why a packet did not open: a drop leaves the connection alone, an error closes it.
using OpenFailure = std::variant<DropReason, TransportError>;

struct KeyRingOptions {
  /// 0: update only when the AEAD limits demand it.
  std::uint64_t update_after_packets = 0;
  /// Lower limits than the suite's, for tests.
  std::optional<AeadLimits> limits;
  InjectedBug injected_bug = InjectedBug::none;  // tests only
};

/// A packet whose header protection is off.
struct UnprotectedPacket {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path;
  PacketNumber number;
  bool key_phase = false;  // 1-RTT
  Bytes header;
  MutableBytes payload;  // with the tag
};

class KeyRing {
 public:
  explicit KeyRing(KeyRingOptions options = {});

  /// Again after a Retry, with the new connection ID.
  void install_initial(const ConnectionId& client_dcid, Role role);
  /// The half that opens packets, to see whether one is worth a connection.
  void install_initial_read(const ConnectionId& client_dcid, Role role);
  void install(const TlsSecretReady& ready);
  void discard(EncryptionLevel level);
  [[nodiscard]] bool has_read(EncryptionLevel level) const;
  [[nodiscard]] bool has_write(EncryptionLevel level) const;

  // --- Write side
  /// Once per 1-RTT train: performs an update that is wanted and allowed. AEAD_LIMIT_REACHED where no more may be sent.
  [[nodiscard]] Result<void> before_sending(Instant now);
  /// The Key Phase bit of packets sealed now. One generation holds for a whole train.
  [[nodiscard]] bool write_key_phase() const { return (write_generation_ & 1) != 0; }
  /// `payload` has room for the tag at its end. CHECKs that numbers strictly increase per (level, path): a nonce cannot
  /// repeat. Requires has_write(level).
  void seal(EncryptionLevel level, PathId path, PacketNumber number, Bytes header, MutableBytes payload);
  /// The one that seal() used last; for tests that trust nobody.
  [[nodiscard]] const AeadNonce& last_nonce(EncryptionLevel level) const {
    return (level == EncryptionLevel::one_rtt ? write_ : handshake_keys(level).write).last_nonce();
  }
  /// Masks for a batch of packets of one level. Requires has_write(level).
  void write_masks(EncryptionLevel level, std::span<const HeaderSample> samples, std::span<HeaderMask> out);

  // --- Read side
  /// Requires has_read(level).
  [[nodiscard]] HeaderMask read_mask(EncryptionLevel level, Bytes sample);
  struct Opened {
    bool key_phase_changed = false;    // the peer has moved to the next generation with this packet
    bool previous_generation = false;  // opened with keys that the peer no longer uses: pass on to on_acked()
  };
  /// Decrypts in place. Requires has_read(packet.level).
  [[nodiscard]] std::expected<Opened, OpenFailure> open(const UnprotectedPacket& packet, Instant now);

  // --- Key update
  /// From then on this side may start updates (RFC 9001 §6.1).
  void set_handshake_confirmed() { handshake_confirmed_ = true; }
  /// Three times the largest PTO over all paths: how long previous read keys are kept, and the pause between updates.
  void set_update_interval(Duration three_max_pto) { update_interval_ = three_max_pto; }
  /// `largest_newly_acked` of `path`, as acknowledged by a packet that open() called `carrier_previous_generation` or
  /// not. KEY_UPDATE_ERROR where a peer acknowledges with old keys what it got under new ones (RFC 9001 §6.2).
  [[nodiscard]] Result<void> on_acked(PathId path, PacketNumber largest_newly_acked, bool carrier_previous_generation,
                                      Instant now);
  /// What on_acked() finds out: a packet of the current phase is known to have arrived.
  void on_current_phase_acked(Instant now);
  /// The application asks for an update; it happens in before_sending() when the rules allow.
  void request_update() { update_requested_ = true; }
  /// An update is due: asked for, or this generation has sealed enough.
  [[nodiscard]] bool wants_update() const;
  [[nodiscard]] bool can_update(Instant now) const;
  /// Updates done so far, by either side.
  [[nodiscard]] std::uint64_t update_count() const { return write_generation_; }

  [[nodiscard]] Deadline next_deadline() const { return previous_until_; }
  void on_deadline(Instant now);

  /// The path is gone for good (draft-21 §3.4): frees its state. Nothing can be sealed on it any more.
  void forget_path(PathId path);

 private:
  struct HandshakeKeys {  // Initial and Handshake: one generation
    Aead write;
    Aead read;
    HeaderProtection write_protection;
    HeaderProtection read_protection;
    std::uint64_t next_number = 0;
  };
  struct PathState {  // 1-RTT, per path ID
    PathId path;
    std::uint64_t next_number = 0;                  // seal: nothing below it is left to use
    std::uint64_t first_of_phase = 0;               // seal: next_number when the current write generation began
    std::optional<std::uint64_t> lowest_current;    // open: lowest number under the current generation
    std::optional<std::uint64_t> highest_current;   // open: highest number under the current generation
    std::optional<std::uint64_t> highest_previous;  // open: highest number under any earlier generation
  };
  enum class Generation : std::uint8_t { previous, current, next };

  [[nodiscard]] HandshakeKeys& handshake_keys(EncryptionLevel level);
  [[nodiscard]] const HandshakeKeys& handshake_keys(EncryptionLevel level) const;
  [[nodiscard]] PathState* find_path(PathId path);
  [[nodiscard]] PathState& path_state(PathId path);
  [[nodiscard]] AeadLimits limits() const;
  /// The path ID that goes into nonces.
  [[nodiscard]] PathId nonce_path(PathId path) const {
    return has_bug(options_.injected_bug, InjectedBug::nonce_without_path) ? kInitialPath : path;
  }
  void seal_one_rtt(PathId path, PacketNumber number, Bytes header, MutableBytes payload);
  [[nodiscard]] Generation select(const UnprotectedPacket& packet, Instant now);
  [[nodiscard]] std::expected<Opened, OpenFailure> open_one_rtt(const UnprotectedPacket& packet, Instant now);
  [[nodiscard]] Result<void> on_opened(Generation generation, const UnprotectedPacket& packet, Instant now);
  [[nodiscard]] OpenFailure authentication_failed();
  void advance_read(Instant now);
  void advance_write();

  KeyRingOptions options_;
  std::array<HandshakeKeys, 2> handshake_;  // Initial, Handshake

  CipherSuite suite_ = CipherSuite::aes_128_gcm_sha256;  // of 1-RTT
  TrafficSecret write_secret_;
  TrafficSecret next_read_secret_;
  Aead write_;
  Aead previous_read_;
  Aead read_;
  Aead next_read_;
  HeaderProtection write_protection_;
  HeaderProtection read_protection_;
  std::vector<PathState> paths_;  // ascending
  IntervalSet forgotten_paths_;

  std::uint64_t write_generation_ = 0;
  std::uint64_t read_generation_ = 0;  // write_generation_, or one less while our update is unanswered
  std::uint64_t sealed_in_phase_ = 0;
  std::uint64_t forgeries_ = 0;
  Duration update_interval_;
  Deadline previous_until_;
  std::optional<Instant> phase_acked_at_;
  bool handshake_confirmed_ = false;
  bool update_requested_ = false;
};

}  // namespace mpquic
