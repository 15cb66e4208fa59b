// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <larmor/core/heap.hpp>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace larmor {

void give_back_freed_memory() {
#if defined(__GLIBC__)
  // Without this glibc raises the threshold to the largest block that was freed, up to 32 MB.
  mallopt(M_MMAP_THRESHOLD, 512 << 10);
#endif
}

}  // namespace larmor
