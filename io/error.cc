#include "io/error.h"

#include <system_error>
#include <utility>

namespace mpquic::io {

std::unexpected<Error> system_error(std::string_view what, int code) {
  return std::unexpected(Error{std::string(what) + ": " + std::generic_category().message(code), code});
}

std::unexpected<Error> failure(std::string message) { return std::unexpected(Error{std::move(message), 0}); }

}  // namespace mpquic::io
