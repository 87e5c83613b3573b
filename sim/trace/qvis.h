// Our qlog for the qvis viewer: it reads qlog 0.3 with its old names, and knows one path. So each path becomes a file
// of its own, which qvis takes for a connection.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace mpquic::sim {

/// Splits `trace` (one of our .sqlog files) into `<directory>/<its name>-path<N>.qlog`, and returns their names. The
/// error is one line. Reads the trace twice and holds one record of it at a time.
[[nodiscard]] std::expected<std::vector<std::string>, std::string> convert_for_qvis(const std::string& trace,
                                                                                    const std::string& directory);

}  // namespace mpquic::sim
