// From the client's options to the requests that it makes.
#pragma once

#include <expected>
#include <string>

#include "tunnel/perf/client_app.h"
#include "tunnel/perf/options.h"

namespace mpquic::perf {

[[nodiscard]] std::expected<ClientAppOptions, std::string> plan_jobs(const ClientOptions& options);

}  // namespace mpquic::perf
