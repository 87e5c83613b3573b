// The ways from the client to the server: what --path means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/error.h"
#include "io/interfaces.h"
#include "stack/base/address.h"
#include "tunnel/perf/options.h"

namespace mpquic::perf {

struct Route {
  std::string name;  // as the user wrote it
  io::LocalBinding local;
  SocketAddress server;
};

/// One per --path, "LOCAL" or "LOCAL,server=HOST[:PORT]". Where a path does not say what the server is there, it is the
/// target, in the address family of the path: an interface that has none of the target's first family goes by the
/// other. Without --path, the route that the kernel takes to the target.
[[nodiscard]] io::Result<std::vector<Route>> find_routes(const ClientOptions& options);

}  // namespace mpquic::perf
