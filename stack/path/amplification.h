// RFC 9000 §8.1: what may be sent to an address that the peer has not yet proved to own.
#pragma once

#include <cstdint>

#include "stack/base/ids.h"

namespace mpquic {

class AmplificationLimit {
 public:
  static constexpr std::uint64_t kFactor = 3;
  static constexpr ByteCount kUnlimited{UINT64_MAX};

  /// UDP payload bytes that arrived from the address in datagrams with at least one valid packet.
  void on_received(ByteCount bytes) { received_ += bytes; }
  void on_sent(ByteCount bytes) { sent_ += bytes; }
  /// The address is validated.
  void lift() { lifted_ = true; }

  [[nodiscard]] bool lifted() const { return lifted_; }
  [[nodiscard]] ByteCount credit() const { return lifted_ ? kUnlimited : saturating_sub(received_ * kFactor, sent_); }

 private:
  ByteCount received_;
  ByteCount sent_;
  bool lifted_ = false;
};

}  // namespace mpquic
