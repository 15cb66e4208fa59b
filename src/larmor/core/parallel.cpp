// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace larmor {
namespace {

// A container may allow less than its cores: cgroup 2 says "<quota> <period>" in microseconds, or "max <period>".
int container_threads(int cores) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || !(quota > 0) || !(period > 0)) return cores;
  return std::clamp(static_cast<int>(std::ceil(quota / period)), 1, cores);
}

int machine_threads() {
  cpu_set_t set;
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  return container_threads(std::max(1, cores));
}

constexpr int most_threads = 4096;

int initial_threads() {
  if (const char* text = std::getenv("LARMOR_NUM_THREADS"); text && *text) {
    int n = 0;
    const char* last = text + std::strlen(text);
    const auto [end, error] = std::from_chars(text, last, n);
    if (error != std::errc() || end != last || n < 1 || n > most_threads)
      throw Error(Errc::usage, "LARMOR_NUM_THREADS is '" + std::string(text) + "'",
                  "set it to a whole number from 1 to " + std::to_string(most_threads));
    return n;
  }
  return machine_threads();
}

// Workers and the control that lets TBB have as many of them as were asked for, more than cores too.
struct Crew {
  explicit Crew(int threads)
      : limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)), arena(threads) {}
  tbb::global_control limit;
  tbb::task_arena arena;
};

struct Pool {
  std::mutex mutex;
  std::atomic<int> threads = initial_threads();
  std::shared_ptr<Crew> crew;

  // A loop holds its crew: another thread may change the count meanwhile.
  std::shared_ptr<Crew> get() {
    const std::lock_guard lock(mutex);
    if (!crew) crew = std::make_shared<Crew>(threads);
    return crew;
  }
};

Pool& pool() {
  static Pool the_pool;
  return the_pool;
}

}  // namespace

int thread_count() { return pool().threads; }

void set_thread_count(int n) {
  if (n < 1 || n > most_threads)
    throw Error(Errc::range, "a thread count of " + std::to_string(n), "give 1 to " + std::to_string(most_threads));
  auto& p = pool();
  const std::lock_guard lock(p.mutex);
  p.crew.reset();
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
  // A simple partitioner gives pieces of [grain/2, grain], so a poll of `cancel` a piece is often enough. Isolated: a
  // thread that waits for a nested loop must not take up another piece of the outer one, which may hold a lock.
  const auto crew = pool().get();
  crew->arena.execute([&] {
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(
          tbb::blocked_range<std::size_t>(0, n, grain),
          [&](const tbb::blocked_range<std::size_t>& r) {
            if (cancel) cancel->check();
            body(r.begin(), r.end());
          },
          tbb::simple_partitioner());
    });
  });
}

}  // namespace larmor
