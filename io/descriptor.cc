#include "io/descriptor.h"

#include <unistd.h>

namespace mpquic::io {

void Descriptor::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace mpquic::io
