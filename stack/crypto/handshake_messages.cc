#include "stack/crypto/handshake_messages.h"

#include <algorithm>

namespace mpquic {

Bytes HandshakeMessages::take(Bytes& data) {
  began_ = header_size_ == 0;
  std::size_t size = 0;
  if (header_size_ < header_.size()) {
    while (header_size_ < header_.size() && size < data.size()) header_[header_size_++] = data[size++];
    body_left_ = std::to_integer<std::size_t>(header_[1]) << 16 | std::to_integer<std::size_t>(header_[2]) << 8 |
                 std::to_integer<std::size_t>(header_[3]);
  }
  if (header_size_ == header_.size()) {
    const std::size_t of_body = std::min(body_left_, data.size() - size);
    size += of_body;
    body_left_ -= of_body;
    if (body_left_ == 0) header_size_ = 0;
  }
  const Bytes piece = data.first(size);
  data = data.subspan(size);
  return piece;
}

}  // namespace mpquic
