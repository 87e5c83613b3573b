// The two programs in one: they run to their end and give the exit code.
#pragma once

#include "tunnel/perf/options.h"

namespace mpquic::perf {

[[nodiscard]] int run_server(const ServerOptions& options);
[[nodiscard]] int run_client(const ClientOptions& options);

/// Prints one line on standard error; gives `code`.
[[nodiscard]] int complain(int code, std::string_view text);

}  // namespace mpquic::perf
