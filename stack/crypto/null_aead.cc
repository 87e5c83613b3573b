#include "stack/crypto/null_aead.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

namespace mpquic {
namespace {

// The check value of the null suite: finds corruption and mix-ups, resists nobody.
constexpr std::uint64_t kCheckMultiplier = 0x9fb21c651e98df25U;

std::uint64_t load_u64(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

std::uint64_t mix(std::uint64_t state, std::uint64_t word) { return std::rotl((state ^ word) * kCheckMultiplier, 29); }

/// Words that are added at once: as wide as the compiler's target adds them, since GCC spills what is wider.
#ifdef __AVX2__
constexpr std::size_t kWordsAtOnce = 4;
#else
constexpr std::size_t kWordsAtOnce = 2;
#endif
using Words [[gnu::vector_size(kWordsAtOnce * sizeof(std::uint64_t))]] = std::uint64_t;
static_assert(std::endian::native == std::endian::little, "words are loaded as they are");

/// Fletcher's sums over words, one pair of sums per lane: additions alone. The second sums make the order count; the
/// factors and mix() spread what the lanes found.
std::uint64_t check_of(std::uint64_t state, Bytes bytes) {
  constexpr std::size_t kLanes = 8;
  using Lanes = std::array<Words, kLanes / kWordsAtOnce>;
  state = mix(state, bytes.size());
  if (bytes.size() >= sizeof(Lanes)) {
    Lanes sums{};
    Lanes sums_of_sums{};
    for (; bytes.size() >= sizeof(Lanes); bytes = bytes.subspan(sizeof(Lanes))) {
      for (std::size_t i = 0; i < sums.size(); ++i) {
        Words words;
        std::memcpy(&words, bytes.data() + sizeof(words) * i, sizeof(words));
        sums[i] += words;
        sums_of_sums[i] += sums[i];
      }
    }
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    for (std::size_t i = 0; i < kLanes; ++i) {  // by odd factors: no change of one lane is lost
      const std::uint64_t factor = kCheckMultiplier * (2 * i + 1);
      first += sums[i / kWordsAtOnce][i % kWordsAtOnce] * factor;
      second += sums_of_sums[i / kWordsAtOnce][i % kWordsAtOnce] * factor;
    }
    state = mix(mix(state, first), second);
  }
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t)))
    state = mix(state, load_u64(bytes.data()));
  std::array<std::byte, sizeof(std::uint64_t)> tail{};
  std::ranges::copy(bytes, tail.begin());
  return mix(state, load_u64(tail.data()));
}

using NullTag = std::array<std::byte, kAeadTagSize>;
NullTag null_tag(std::uint64_t seed, const AeadNonce& nonce, Bytes header, Bytes payload) {
  const std::uint64_t bound = check_of(check_of(seed, std::as_bytes(std::span(nonce))), header);
  const std::uint64_t check = check_of(bound, payload);
  NullTag tag;
  for (std::size_t i = 0; i < 8; ++i) {
    tag[i] = static_cast<std::byte>(check >> (8 * i));
    tag[8 + i] = static_cast<std::byte>(mix(check, seed) >> (8 * i));  // samples of header protection want variety
  }
  return tag;
}

}  // namespace

NullAead::NullAead(Bytes key) : seed_(load_u64(key.data())) {}

void NullAead::seal(const AeadNonce& nonce, Bytes header, Bytes plain, MutableBytes tag) const {
  const NullTag check = null_tag(seed_, nonce, header, plain);
  std::memcpy(tag.data(), check.data(), check.size());
}

bool NullAead::open(const AeadNonce& nonce, Bytes header, Bytes sealed, Bytes tag) const {
  const NullTag check = null_tag(seed_, nonce, header, sealed);
  return std::memcmp(tag.data(), check.data(), check.size()) == 0;
}

}  // namespace mpquic
