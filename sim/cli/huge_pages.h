#pragma once

namespace mpquic::sim {

/// Lets the heap grow into huge pages, where the system grants them to those that ask: six full lines hold tens of
/// megabytes, which every packet walks through, and small pages of as much are more than a processor keeps
/// translations of. Call it before large things are allocated; not worth it for runs of milliseconds. Does nothing
/// without glibc's allocator.
void prefer_huge_pages();

}  // namespace mpquic::sim
