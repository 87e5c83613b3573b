// A text file as a whole, as long as it is one and no larger than anybody would write.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace mpquic::sim {

/// The error says what is wrong with the file, without its name.
[[nodiscard]] std::expected<std::string, std::string> read_text_file(const std::string& file, std::size_t most);

}  // namespace mpquic::sim
