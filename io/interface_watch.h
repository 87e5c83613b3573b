// Tells that the host's network interfaces or their addresses have changed.
#pragma once

#include "io/descriptor.h"
#include "io/error.h"

namespace mpquic::io {

class InterfaceWatch {
 public:
  [[nodiscard]] static Result<InterfaceWatch> create();

  /// Readable after a change.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Forgets the changes so far: fd() becomes unreadable until the next one.
  void clear();

 private:
  explicit InterfaceWatch(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace mpquic::io
