#include "sim/cli/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace mpquic::sim {

#ifdef __GLIBC__
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// Of address space; pages come as they are touched.
constexpr int kHeapBytes = 64 << 20;
/// The largest that glibc takes: what is smaller comes from the heap instead of having a mapping of its own.
constexpr int kMappedAlone = 32 << 20;

}  // namespace

void prefer_huge_pages() {
  // Sanitizers' allocators refuse these.
  if (mallopt(M_MMAP_THRESHOLD, kMappedAlone) != 1 || mallopt(M_TOP_PAD, kHeapBytes) != 1) return;
  mallopt(M_TRIM_THRESHOLD, kHeapBytes * 2);
  void* volatile more_than_is_there = std::malloc(kHugePage);  // now the heap grows
  std::free(more_than_is_there);
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0)) / kHugePage * kHugePage;
  const auto begin = end - kHeapBytes;
  static_cast<void>(madvise(reinterpret_cast<void*>(begin), kHeapBytes, MADV_HUGEPAGE));
}
#else
void prefer_huge_pages() {}
#endif

}  // namespace mpquic::sim
