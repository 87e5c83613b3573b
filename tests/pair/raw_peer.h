// A QUIC peer without rules: it completes a handshake with a real Endpoint, and then sends whatever a test says, in
// whatever packets. Built from the stack's own low rooms (TLS, KeyRing, headers, frames); nothing of the endpoint under
// test is mocked. Time is virtual and the wire has no delay: every send is answered before the call returns.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "stack/base/interval_set.h"
#include "stack/crypto/key_ring.h"
#include "stack/crypto/tls_provider.h"
#include "stack/endpoint/endpoint.h"
#include "stack/wire/frame.h"
#include "stack/wire/frame_decode.h"
#include "stack/wire/transport_params.h"

namespace mpquic::test {

struct RawPeerOptions {
  Role role = Role::client;  // of the raw peer: the endpoint under test is the other one
  EndpointConfig endpoint{};
  std::size_t cid_length = kLocalCidLength;                // of our connection IDs; 0: we use none
  std::function<void(TransportParameters&)> parameters{};  // the last word before they are encoded
  std::vector<std::byte> more_parameters{};                // appended to them as they are
  bool client_certificates = false;
  std::uint64_t seed = 1;
};

/// How a packet leaves; the defaults are what an honest peer does.
struct RawPacket {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path{};                          // keys' nonce, number space and connection ID
  std::optional<ConnectionId> dcid{};     // default: the newest that the endpoint issued for `path`
  std::optional<std::uint64_t> number{};  // default: the next of its space; only upwards
  std::optional<SocketAddress> from{};    // default: address_of(path)
  std::size_t pad_to = 0;                 // size of the packet with its tag
  std::uint8_t flip = 0;                  // bits of the first byte, before protection
  Ecn ecn = Ecn::not_ect;
  KeyRing* keys = nullptr;  // default: the connection's
};

/// A packet that the endpoint sent.
struct RawReceived {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path;
  PacketNumber number;
  SocketAddress to;
  std::size_t datagram_size = 0;
  Ecn ecn = Ecn::not_ect;
  std::vector<std::byte> payload;
};

class RawPeer {
 public:
  explicit RawPeer(RawPeerOptions options = {});

  /// ClientHello to a confirmed handshake. False: closed, or stuck.
  bool handshake();
  /// Only the first flight: client: sends its Initial; server: lets the endpoint send its own.
  void start();

  // --- Sending. Everything answers what the endpoint did with it: false once it has closed the connection.
  bool send(const Frame& frame, const RawPacket& packet = {}) { return send_bytes(encoded(frame), packet); }
  bool send_all(const std::vector<Frame>& frames, const RawPacket& packet = {});
  bool send_bytes(Bytes payload, const RawPacket& packet = {});
  /// Seals without sending.
  [[nodiscard]] std::vector<std::byte> seal(const RawPacket& packet, Bytes payload);
  /// A datagram as it is.
  bool deliver(Bytes datagram, const SocketAddress& from, Ecn ecn = Ecn::not_ect);
  /// PATH_NEW_CONNECTION_ID of ours (NEW_CONNECTION_ID without `as_path_frame`), remembered for what comes back.
  ConnectionId issue(PathId path, std::uint64_t sequence, std::uint64_t retire_prior_to = 0, bool as_path_frame = true);
  /// Client: opens a path as draft-21 §3.1 says; whether the endpoint answered and validated it.
  bool open_path(PathId path);
  /// Lets time pass: the endpoint's timers run.
  void run_for(Duration time);

  // --- What came back
  struct Closed {
    std::uint64_t error = 0;
    std::uint64_t frame_type = 0;
    bool operator==(const Closed&) const = default;
  };
  [[nodiscard]] std::optional<Closed> closed() const { return closed_; }
  [[nodiscard]] std::uint64_t drops(DropReason reason) const {
    return endpoint->drops()[static_cast<std::size_t>(reason)];
  }
  /// All frames of one kind in `received`; their bytes live as long as it is not changed.
  template <class F>
  [[nodiscard]] std::vector<F> frames() const {
    std::vector<F> out;
    for (const RawReceived& packet : received) {
      for_each_frame(packet, [&](const Frame& frame) {
        if (const F* wanted = std::get_if<F>(&frame)) out.push_back(*wanted);
      });
    }
    return out;
  }
  template <class Fn>
  static void for_each_frame(const RawReceived& packet, Fn&& fn) {
    FrameDecoder decoder(packet.payload, packet.level, {.multipath = true, .datagram = true});
    while (const auto frame = decoder.next()) {
      if (!*frame) return;
      fn(**frame);
    }
  }
  template <class E>
  [[nodiscard]] std::size_t count_events() const {
    std::size_t count = 0;
    for (const ConnectionEvent& event : events) count += std::holds_alternative<E>(event) ? 1 : 0;
    return count;
  }

  [[nodiscard]] SocketAddress address_of(PathId path) const;
  [[nodiscard]] SocketAddress endpoint_address(PathId path) const;
  /// A connection ID that the endpoint issued.
  [[nodiscard]] std::optional<ConnectionId> issued(PathId path, std::uint64_t sequence) const;
  /// The next number of a space.
  [[nodiscard]] std::uint64_t next_number(PathId path, EncryptionLevel level = EncryptionLevel::one_rtt) {
    return next_number_[{level, path}];
  }
  /// Our handshake bytes of a level so far: at first, the ClientHello.
  [[nodiscard]] Bytes crypto(EncryptionLevel level) { return crypto_out_[level]; }
  [[nodiscard]] static std::vector<std::byte> encoded(const Frame& frame);

  Instant now{};
  SeededRng rng;
  std::unique_ptr<Endpoint> endpoint;
  ConnectionHandle handle{};  // at the endpoint
  std::vector<RawReceived> received;
  std::vector<ConnectionEvent> events;
  std::map<std::pair<PathId, std::uint64_t>, StatelessResetToken> reset_tokens;      // of its connection IDs
  std::map<std::pair<PathId, std::uint64_t>, StatelessResetToken> own_reset_tokens;  // of those that we issue()d
  std::map<SocketAddress, std::uint64_t> bytes_to;  // what the endpoint sent, by address
  TransportParameters parameters;                   // ours, as sent
  std::optional<TransportParameters> endpoint_parameters;
  ConnectionId local_cid;
  ConnectionId original_dcid;
  KeyRing keys;
  std::vector<TlsSecretReady> secrets;  // that were installed
  bool keeps = true;                    // received
  bool acknowledges = true;             // what elicits it
  bool answers_challenges = true;       // PATH_CHALLENGE
  bool finishes = true;                 // sends its handshake messages in Handshake packets
  bool completes = true;                // server: sends HANDSHAKE_DONE

 private:
  struct PendingAcks {
    IntervalSet numbers;
    bool due = false;
  };
  void make_session();
  void pump_tls();
  void exchange();
  bool flush();
  void on_datagram(MutableBytes datagram, const Transmit& how);
  void on_packet(RawReceived& packet);
  void on_frame(const Frame& frame, const RawReceived& packet);

  RawPeerOptions options_;
  std::shared_ptr<TlsProvider> client_tls_;
  std::shared_ptr<TlsProvider> server_tls_;
  std::unique_ptr<TlsSession> tls_;
  PacketOpener opener_;
  std::vector<std::byte> buffer_;
  std::map<EncryptionLevel, std::vector<std::byte>> crypto_out_;
  std::map<EncryptionLevel, std::uint64_t> crypto_sent_;
  std::map<EncryptionLevel, std::uint64_t> crypto_received_;
  std::map<std::pair<EncryptionLevel, PathId>, std::uint64_t> next_number_;
  std::map<std::pair<EncryptionLevel, PathId>, PendingAcks> acks_;
  std::map<ConnectionId, PathId> own_cids_;
  std::map<std::pair<PathId, std::uint64_t>, ConnectionId> issued_;
  std::vector<std::pair<RawPacket, PathResponseFrame>> responses_;
  std::optional<Closed> closed_;
  bool complete_ = false;
  bool done_sent_ = false;
  bool confirmed_ = false;
  bool exchanging_ = false;
};

/// Somebody else's address, one of very many.
inline SocketAddress spoofed_address(std::uint32_t i) {
  return {IpAddress::v4({172, static_cast<std::uint8_t>(16 + (i >> 16)), static_cast<std::uint8_t>(i >> 8),
                         static_cast<std::uint8_t>(i)}),
          4000};
}

inline constexpr PathId kOne{1};
/// What the endpoint says of the path.
inline std::optional<PathStats> stats_of(const RawPeer& peer, PathId id) {
  std::vector<PathStats> all;
  peer.endpoint->path_stats(peer.handle, all);
  const auto found = std::ranges::find(all, id, &PathStats::id);
  return found == all.end() ? std::nullopt : std::optional(*found);
}

}  // namespace mpquic::test
