// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdlib>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace larmor {
namespace {

int machine_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int initial_threads() {
  if (const char* text = std::getenv("LARMOR_NUM_THREADS"); text && *text) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (*end != '\0' || n < 1 || n > 4096)
      throw Error(Errc::usage, "LARMOR_NUM_THREADS is '" + std::string(text) + "'",
                  "set it to a whole number from 1 to 4096");
    return static_cast<int>(n);
  }
  return machine_threads();
}

struct Pool {
  std::mutex mutex;
  int threads = initial_threads();
  // TBB caps its workers at the cores of the machine; the control lifts that when more are asked for.
  std::unique_ptr<tbb::global_control> limit;
  std::unique_ptr<tbb::task_arena> arena;

  tbb::task_arena& get() {
    const std::lock_guard lock(mutex);
    if (!arena) {
      limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                    static_cast<std::size_t>(threads));
      arena = std::make_unique<tbb::task_arena>(threads);
    }
    return *arena;
  }
};

Pool& pool() {
  static Pool the_pool;
  return the_pool;
}

}  // namespace

int thread_count() { return pool().threads; }

void set_thread_count(int n) {
  if (n < 1 || n > 4096) throw Error(Errc::range, "a thread count of " + std::to_string(n), "give 1 to 4096");
  auto& p = pool();
  const std::lock_guard lock(p.mutex);
  p.arena.reset();
  p.limit.reset();
  p.threads = n;
}

void parallel_for(std::size_t n, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body,
                  const Cancel* cancel) {
  if (n == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  if (cancel) cancel->check();
  if (thread_count() == 1 || n <= grain) {
    for (std::size_t begin = 0; begin < n; begin += grain) {
      if (cancel) cancel->check();
      body(begin, std::min(n, begin + grain));
    }
    return;
  }
  // A simple partitioner gives pieces of [grain/2, grain], so a poll of `cancel` a piece is often enough.
  pool().get().execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, n, grain),
        [&](const tbb::blocked_range<std::size_t>& r) {
          if (cancel) cancel->check();
          body(r.begin(), r.end());
        },
        tbb::simple_partitioner());
  });
}

}  // namespace larmor
