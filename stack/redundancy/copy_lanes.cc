#include "stack/redundancy/copy_lanes.h"

#include <algorithm>

#include "stack/base/by_path_id.h"
#include "stack/base/check.h"

namespace mpquic {

CopyLanes::Lane* CopyLanes::find(PathId path) { return find_by_path_id(lanes_, path, &Lane::path); }

bool CopyLanes::push(PathId onto, const Copy& copy) {
  Lane* lane = find(onto);
  if (lane == nullptr) lane = &*lanes_.insert(std::ranges::lower_bound(lanes_, onto, {}, &Lane::path), Lane{onto, {}});
  if (lane->copies.size() == kMaxWaiting) return false;
  lane->copies.push_back(copy);
  ++waiting_;
  return true;
}

Copy* CopyLanes::front(PathId onto) {
  Lane* lane = find(onto);
  return lane != nullptr && !lane->copies.empty() ? &lane->copies.front() : nullptr;
}

Copy CopyLanes::pop(PathId onto) {
  --waiting_;
  return find(onto)->copies.pop_front();
}

void CopyLanes::erase(PathId onto) {
  MPQUIC_CHECK(front(onto) == nullptr);
  std::erase_if(lanes_, [onto](const Lane& lane) { return lane.path == onto; });
}

}  // namespace mpquic
