// Look-up in a table that is sorted by path ID. Tables are nearly always dense from path 0 on, so that an entry is
// found where its ID says; gaps cost a binary search.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>

#include "stack/base/ids.h"

namespace mpquic {

/// The entry of `id`, or nullptr. `id_of` is a member or a function of an entry that gives its PathId.
template <class Table, class IdOf>
[[nodiscard]] auto find_by_path_id(Table& table, PathId id, IdOf id_of) -> decltype(table.data()) {
  const std::size_t place = id.value();
  if (place < table.size() && std::invoke(id_of, table[place]) == id) return &table[place];
  const auto found = std::ranges::lower_bound(table, id, {}, id_of);
  return found != table.end() && std::invoke(id_of, *found) == id ? &*found : nullptr;
}

}  // namespace mpquic
