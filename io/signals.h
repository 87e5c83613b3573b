#pragma once

#include <initializer_list>
#include <optional>

#include "io/descriptor.h"
#include "io/error.h"

namespace mpquic::io {

/// Takes signals as readable events instead of interruptions. They stay blocked afterwards: create it first in main().
class SignalWatch {
 public:
  [[nodiscard]] static Result<SignalWatch> create(std::initializer_list<int> signals);
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next signal that arrived, if any.
  [[nodiscard]] std::optional<int> take();

 private:
  explicit SignalWatch(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace mpquic::io
