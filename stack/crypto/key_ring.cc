#include "stack/crypto/key_ring.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "stack/base/by_path_id.h"
#include "stack/base/check.h"
#include "stack/crypto/hkdf.h"
#include "stack/crypto/initial.h"

namespace mpquic {
namespace {

/// Three PTOs of a path without an RTT sample (RFC 9002 §6.2.2), until the caller knows better.
constexpr Duration kDefaultUpdateInterval = std::chrono::seconds(3);
/// RFC 9001 §5.2.
constexpr auto kInitialSuite = CipherSuite::aes_128_gcm_sha256;
/// RFC 9001 §6: "quic ku" makes the next generation of a secret.
constexpr std::string_view kKeyUpdateLabel = "quic ku";
/// Packets that may still be sealed after before_sending() has looked: more than any train has.
constexpr std::uint64_t kTrainMargin = 128;

TrafficSecret next_generation(CipherSuite suite, const TrafficSecret& secret) {
  return hkdf_expand_secret(hash_of(suite), secret.view(), kKeyUpdateLabel);
}

std::optional<std::uint64_t> highest(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
  return std::max(a, b);  // nothing is lower than any number
}

}  // namespace

KeyRing::KeyRing(KeyRingOptions options) : options_(options), update_interval_(kDefaultUpdateInterval) {}

void KeyRing::install_initial(const ConnectionId& client_dcid, Role role) {
  const InitialSecrets secrets = derive_initial_secrets(client_dcid);
  install({EncryptionLevel::initial, true, kInitialSuite, secrets.of(role)});
  install({EncryptionLevel::initial, false, kInitialSuite, secrets.of(peer_of(role))});
}

void KeyRing::install_initial_read(const ConnectionId& client_dcid, Role role) {
  const InitialSecrets secrets = derive_initial_secrets(client_dcid);
  install({EncryptionLevel::initial, false, kInitialSuite, secrets.of(peer_of(role))});
}

void KeyRing::install(const TlsSecretReady& ready) {
  const Bytes secret = ready.secret.view();
  MPQUIC_CHECK(ready.level != EncryptionLevel::zero_rtt);
  if (ready.level != EncryptionLevel::one_rtt) {
    HandshakeKeys& keys = handshake_keys(ready.level);
    if (ready.write) {
      keys.write = Aead(ready.suite, AeadDirection::seal, secret);
      keys.write_protection = HeaderProtection(ready.suite, secret);
    } else {
      keys.read = Aead(ready.suite, AeadDirection::open, secret);
      keys.read_protection = HeaderProtection(ready.suite, secret);
    }
    return;
  }
  suite_ = ready.suite;
  if (ready.write) {
    write_secret_ = ready.secret;
    write_ = Aead(suite_, AeadDirection::seal, secret);
    write_protection_ = HeaderProtection(suite_, secret);
  } else {
    read_ = Aead(suite_, AeadDirection::open, secret);
    read_protection_ = HeaderProtection(suite_, secret);
    next_read_secret_ = next_generation(suite_, ready.secret);
    next_read_ = Aead(suite_, AeadDirection::open, next_read_secret_.view());
  }
}

void KeyRing::discard(EncryptionLevel level) {
  if (level == EncryptionLevel::zero_rtt) return;
  if (level != EncryptionLevel::one_rtt) {
    HandshakeKeys& keys = handshake_keys(level);
    keys.write = Aead();
    keys.read = Aead();
    keys.write_protection = HeaderProtection();
    keys.read_protection = HeaderProtection();
    return;
  }
  for (Aead* aead : {&write_, &previous_read_, &read_, &next_read_}) *aead = Aead();
  for (HeaderProtection* protection : {&write_protection_, &read_protection_}) *protection = HeaderProtection();
  previous_until_.reset();
  write_secret_ = TrafficSecret{};
  next_read_secret_ = TrafficSecret{};
}

bool KeyRing::has_read(EncryptionLevel level) const {
  switch (level) {
    case EncryptionLevel::zero_rtt: return false;
    case EncryptionLevel::one_rtt: return static_cast<bool>(read_);
    case EncryptionLevel::initial:
    case EncryptionLevel::handshake: break;
  }
  return static_cast<bool>(handshake_keys(level).read);
}

bool KeyRing::has_write(EncryptionLevel level) const {
  switch (level) {
    case EncryptionLevel::zero_rtt: return false;
    case EncryptionLevel::one_rtt: return static_cast<bool>(write_);
    case EncryptionLevel::initial:
    case EncryptionLevel::handshake: break;
  }
  return static_cast<bool>(handshake_keys(level).write);
}

KeyRing::HandshakeKeys& KeyRing::handshake_keys(EncryptionLevel level) {
  return handshake_[level == EncryptionLevel::initial ? 0 : 1];
}
const KeyRing::HandshakeKeys& KeyRing::handshake_keys(EncryptionLevel level) const {
  return handshake_[level == EncryptionLevel::initial ? 0 : 1];
}

KeyRing::PathState* KeyRing::find_path(PathId path) { return find_by_path_id(paths_, path, &PathState::path); }

KeyRing::PathState& KeyRing::path_state(PathId path) {
  if (PathState* known = find_path(path)) return *known;
  MPQUIC_CHECK(!forgotten_paths_.contains(path.value()));
  PathState fresh;
  fresh.path = path;
  return *paths_.insert(std::ranges::lower_bound(paths_, path, {}, &PathState::path), fresh);
}

void KeyRing::forget_path(PathId path) {
  forgotten_paths_.insert(path.value(), std::uint64_t{path.value()} + 1);
  std::erase_if(paths_, [path](const PathState& state) { return state.path == path; });
}

AeadLimits KeyRing::limits() const { return options_.limits.value_or(limits_of(suite_)); }

// --- Write side

Result<void> KeyRing::before_sending(Instant now) {
  if (wants_update() && can_update(now)) advance_write();
  // RFC 9001 §6.6: a key past its confidentiality limit encrypts nothing more.
  if (limits().confidentiality - std::min(limits().confidentiality, sealed_in_phase_) < kTrainMargin)
    return fail(error::kAeadLimitReached, "confidentiality limit reached and no key update possible");
  return {};
}

void KeyRing::seal(EncryptionLevel level, PathId path, PacketNumber number, Bytes header, MutableBytes payload) {
  MPQUIC_CHECK(has_write(level));
  if (level == EncryptionLevel::one_rtt) return seal_one_rtt(path, number, header, payload);
  HandshakeKeys& keys = handshake_keys(level);
  MPQUIC_CHECK(path == kInitialPath && number.value() >= keys.next_number);
  keys.next_number = number.value() + 1;
  keys.write.seal(path, number, header, payload);
}

void KeyRing::seal_one_rtt(PathId path, PacketNumber number, Bytes header, MutableBytes payload) {
  PathState& state = path_state(path);
  MPQUIC_CHECK(number.value() >= state.next_number && number.value() <= kMaxVarint);
  MPQUIC_CHECK(sealed_in_phase_ < limits().confidentiality);
  state.next_number = number.value() + 1;
  ++sealed_in_phase_;
  write_.seal(nonce_path(path), number, header, payload);
}

void KeyRing::write_masks(EncryptionLevel level, std::span<const HeaderSample> samples, std::span<HeaderMask> out) {
  MPQUIC_CHECK(has_write(level));
  HeaderProtection& protection =
      level == EncryptionLevel::one_rtt ? write_protection_ : handshake_keys(level).write_protection;
  protection.masks(samples, out);
}

// --- Read side

HeaderMask KeyRing::read_mask(EncryptionLevel level, Bytes sample) {
  MPQUIC_CHECK(has_read(level));
  return (level == EncryptionLevel::one_rtt ? read_protection_ : handshake_keys(level).read_protection).mask(sample);
}

std::expected<KeyRing::Opened, OpenFailure> KeyRing::open(const UnprotectedPacket& packet, Instant now) {
  MPQUIC_CHECK(has_read(packet.level));
  if (packet.level == EncryptionLevel::one_rtt) return open_one_rtt(packet, now);
  HandshakeKeys& keys = handshake_keys(packet.level);
  if (!keys.read.open(kInitialPath, packet.number, packet.header, packet.payload))
    return std::unexpected(authentication_failed());
  return Opened{};
}

std::expected<KeyRing::Opened, OpenFailure> KeyRing::open_one_rtt(const UnprotectedPacket& packet, Instant now) {
  if (forgotten_paths_.contains(packet.path.value())) return std::unexpected(DropReason::path_abandoned);
  const Generation generation = select(packet, now);
  Aead& aead = generation == Generation::current ? read_ : generation == Generation::next ? next_read_ : previous_read_;
  if (!aead.open(nonce_path(packet.path), packet.number, packet.header, packet.payload))
    return std::unexpected(authentication_failed());
  if (auto accepted = on_opened(generation, packet, now); !accepted) return std::unexpected(accepted.error());
  return Opened{.key_phase_changed = generation == Generation::next,
                .previous_generation = generation == Generation::previous};
}

// The Key Phase bit says odd or even. The other parity is the previous generation while its keys are kept, else the
// next one; on a path that has seen the current generation, numbers tell them apart (RFC 9001 §6.5, draft-21 §2.5).
KeyRing::Generation KeyRing::select(const UnprotectedPacket& packet, Instant now) {
  if (packet.key_phase == ((read_generation_ & 1) != 0)) return Generation::current;
  on_deadline(now);
  if (!previous_read_) return Generation::next;
  const PathState* state = find_path(packet.path);
  const bool after_current = state && state->lowest_current && packet.number.value() > *state->lowest_current;
  return after_current ? Generation::next : Generation::previous;
}

// RFC 9001 §6.4: on one path, higher numbers never have older keys. Everything here is authentic: breaking the rule is
// the peer's own doing.
Result<void> KeyRing::on_opened(Generation generation, const UnprotectedPacket& packet, Instant now) {
  const std::uint64_t number = packet.number.value();
  if (generation == Generation::next) {
    // RFC 9001 §6.2: nobody updates twice before the first is acknowledged, and we have acknowledged nothing yet.
    if (read_generation_ == write_generation_ && write_generation_ > 0 && sealed_in_phase_ == 0)
      return fail(error::kKeyUpdateError, "second key update before the first was acknowledged");
    advance_read(now);
  }
  PathState& state = path_state(packet.path);
  if (generation == Generation::previous) {
    state.highest_previous = highest(state.highest_previous, number);
    return {};
  }
  if (state.highest_previous && number < *state.highest_previous)
    return fail(error::kKeyUpdateError, "older keys on a higher packet number");
  state.lowest_current = state.lowest_current ? std::min(*state.lowest_current, number) : number;
  state.highest_current = highest(state.highest_current, number);
  return {};
}

OpenFailure KeyRing::authentication_failed() {
  if (++forgeries_ > limits().integrity) return TransportError{error::kAeadLimitReached, "integrity limit reached"};
  return DropReason::decryption_failed;
}

// --- Key update

Result<void> KeyRing::on_acked(PathId path, PacketNumber largest_newly_acked, bool carrier_previous_generation,
                               Instant now) {
  const PathState* state = find_path(path);
  if (state == nullptr || largest_newly_acked.value() < state->first_of_phase ||
      largest_newly_acked.value() >= state->next_number)
    return {};
  if (carrier_previous_generation || read_generation_ < write_generation_)
    return fail(error::kKeyUpdateError, "acknowledged under older keys than it was sent with");
  on_current_phase_acked(now);
  return {};
}

void KeyRing::on_current_phase_acked(Instant now) {
  if (!phase_acked_at_) phase_acked_at_ = now;
}

bool KeyRing::wants_update() const {
  const std::uint64_t after = options_.update_after_packets == 0 ? UINT64_MAX : options_.update_after_packets;
  return update_requested_ || sealed_in_phase_ >= std::min(after, limits().confidentiality / 2);
}

bool KeyRing::can_update(Instant now) const {
  if (!handshake_confirmed_ || !write_ || !read_) return false;
  // RFC 9001 §6.1: the peer has the current keys and has answered with its own; §6.5: and had time to drop older ones.
  if (read_generation_ != write_generation_ || !phase_acked_at_) return false;
  return write_generation_ == 0 || now >= *phase_acked_at_ + update_interval_;
}

void KeyRing::on_deadline(Instant now) {
  if (!expired(previous_until_, now)) return;
  previous_read_ = Aead();
  previous_until_.reset();
}

void KeyRing::advance_read(Instant now) {
  previous_read_ = std::exchange(read_, std::move(next_read_));
  next_read_secret_ = next_generation(suite_, next_read_secret_);
  next_read_ = Aead(suite_, AeadDirection::open, next_read_secret_.view());
  previous_until_ = now + update_interval_;
  for (PathState& state : paths_) {
    state.highest_previous = highest(state.highest_previous, state.highest_current);
    state.lowest_current.reset();
    state.highest_current.reset();
  }
  ++read_generation_;
  // RFC 9001 §6.2: an update by the peer moves our write keys too, before anything of it is acknowledged.
  if (write_generation_ < read_generation_) advance_write();
}

void KeyRing::advance_write() {
  write_secret_ = next_generation(suite_, write_secret_);
  write_ = Aead(suite_, AeadDirection::seal, write_secret_.view());
  for (PathState& state : paths_) state.first_of_phase = state.next_number;
  ++write_generation_;
  sealed_in_phase_ = 0;
  phase_acked_at_.reset();
  update_requested_ = false;
}

}  // namespace mpquic
