#include "sim/scenario/text_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace mpquic::sim {

std::expected<std::string, std::string> read_text_file(const std::string& file, std::size_t most) {
  std::error_code ignored;  // what cannot be looked at cannot be opened either
  if (std::filesystem::is_directory(file, ignored)) return std::unexpected("is a directory, expected a file");
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::unexpected("cannot be read");
  // Devices and pipes do not say how much they have.
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return std::unexpected("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > most) return std::unexpected(fmt::format("is larger than {} bytes", most));
  return text;
}

}  // namespace mpquic::sim
