// The functions that ngtcp2 calls back.
#pragma once

#include <ngtcp2/ngtcp2.h>

namespace mpquic::peers {

/// `user_data` of every connection is its Ngtcp2Connection, `rand_ctx` is the Rng.
[[nodiscard]] const ngtcp2_callbacks& connection_callbacks();

}  // namespace mpquic::peers
