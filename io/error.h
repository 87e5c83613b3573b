// How this room reports failure: a sentence for the user and, where the kernel said no, its errno.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace mpquic::io {

struct Error {
  std::string message;
  int code = 0;  // errno, or 0 where no system call failed
};

template <class T>
using Result = std::expected<T, Error>;

/// "what: No such file or directory".
[[nodiscard]] std::unexpected<Error> system_error(std::string_view what, int code);
[[nodiscard]] std::unexpected<Error> failure(std::string message);

}  // namespace mpquic::io
