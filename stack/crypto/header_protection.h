// Header protection (RFC 9001 §5.4): five mask bytes per packet, from a sample of its ciphertext. The same key for the
// whole connection; path IDs play no part.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "stack/base/bytes.h"
#include "stack/crypto/evp.h"
#include "stack/crypto/suite.h"

namespace mpquic {

using HeaderMask = std::array<std::uint8_t, 5>;
using HeaderSample = std::array<std::uint8_t, kHeaderProtectionSampleSize>;

/// Samples that one call of masks() takes: a train of the largest GSO size has at most 64 segments.
inline constexpr std::size_t kMaxMaskBatch = 64;

class HeaderProtection {
 public:
  HeaderProtection() = default;
  /// The key of `secret` by the label "quic hp".
  HeaderProtection(CipherSuite suite, Bytes secret);

  [[nodiscard]] explicit operator bool() const { return context_ != nullptr || null_; }

  /// `sample` has kHeaderProtectionSampleSize bytes.
  [[nodiscard]] HeaderMask mask(Bytes sample);
  /// One mask per sample: with AES in a single pass. At most kMaxMaskBatch; both spans have the same size.
  void masks(std::span<const HeaderSample> samples, std::span<HeaderMask> out);

 private:
  void chacha_mask(const std::uint8_t* sample, HeaderMask& out);

  CipherCtxHandle context_;
  bool chacha_ = false;
  bool null_ = false;  // the null suite: no context and zero masks
};

/// Applies or removes protection: `packet` starts at the first byte, the packet number at `packet_number_offset`.
/// Returns the length of the packet number, which the first byte says in the clear before applying, after removing.
std::size_t apply_header_mask(const HeaderMask& mask, MutableBytes packet, std::size_t packet_number_offset);
std::size_t remove_header_mask(const HeaderMask& mask, MutableBytes packet, std::size_t packet_number_offset);

}  // namespace mpquic
