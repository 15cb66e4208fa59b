// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <larmor/core/cancel.hpp>

namespace larmor {

/// Threads that parallel work uses: LARMOR_NUM_THREADS when set, else what the machine, the process's affinity mask and
/// the container's quota allow. Errors   Errc::usage when LARMOR_NUM_THREADS is no number from 1 to 4096
int thread_count();
/// Overrides the count for this process (n >= 1). Errors   Errc::range
void set_thread_count(int n);

/// Calls body(begin, end) over [0, n) in pieces of about `grain`, on the pool; the calling thread works too. Idle
/// workers sleep. The first exception stops the loop and is rethrown here; a cancel stops it with Errc::cancelled, as
/// soon as the pieces under way are done. Loops nest; a thread waiting for an inner loop takes no piece of the outer.
void parallel_for(std::size_t n, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body,
                  const Cancel* cancel = nullptr);

}  // namespace larmor
