// The two programs in one: they run to their end and give the exit code.
#pragma once

#include <functional>

#include "stack/base/address.h"
#include "tunnel/perf/options.h"

namespace mpquic::perf {

/// Is told every address that the server is bound to.
using OnListening = std::function<void(const SocketAddress&)>;

[[nodiscard]] int run_server(const ServerOptions& options, OnListening on_listening = {});
[[nodiscard]] int run_client(const ClientOptions& options);

/// Prints one line on standard error; gives `code`.
[[nodiscard]] int complain(int code, std::string_view text);

}  // namespace mpquic::perf
