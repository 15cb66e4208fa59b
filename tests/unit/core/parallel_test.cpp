// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

using namespace larmor;
using namespace std::chrono_literals;

namespace {
// The count of threads for one test, whatever the machine has.
class Threads {
 public:
  explicit Threads(int n) : before_(thread_count()) { set_thread_count(n); }
  ~Threads() { set_thread_count(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

double process_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}
}  // namespace

TEST(Parallel, EveryIndexOnceForAnyGrainAndThreads) {
  for (const int threads : {1, 2, 5}) {
    const Threads use(threads);
    for (const std::size_t n : {0U, 1U, 7U, 1000U, 4097U})
      for (const std::size_t grain : {0U, 1U, 3U, 100U, 100000U}) {
        std::vector<std::atomic<int>> seen(n);
        parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
          ASSERT_LT(begin, end);
          ASSERT_LE(end, n);
          for (std::size_t i = begin; i < end; ++i) ++seen[i];
        });
        for (const auto& s : seen) ASSERT_EQ(s, 1) << n << " by " << grain << " on " << threads;
      }
  }
}

TEST(Parallel, PiecesAreNoLargerThanTheGrain) {
  const Threads use(3);
  parallel_for(10000, 64, [](std::size_t begin, std::size_t end) { EXPECT_LE(end - begin, 64U); });
}

TEST(Parallel, UsesItsThreadsAndNoMore) {
  const Threads use(3);
  std::mutex mutex;
  std::condition_variable came;
  std::set<std::thread::id> ids;
  parallel_for(60, 1, [&](std::size_t, std::size_t) {
    std::unique_lock lock(mutex);
    ids.insert(std::this_thread::get_id());
    came.notify_all();
    // Nobody does all of the work before the others have woken up; the limit is for a pool that has too few.
    came.wait_for(lock, 60s, [&] { return ids.size() >= 3; });
  });
  EXPECT_EQ(ids.size(), 3U);
}

TEST(Parallel, TheFirstExceptionComesOutAndThePoolGoesOn) {
  const Threads use(4);
  for (int repeat = 0; repeat < 5; ++repeat) {
    try {
      parallel_for(1000, 1, [](std::size_t begin, std::size_t) {
        if (begin % 100 == 37) throw Error(Errc::numeric, "piece failed");
      });
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.message(), "piece failed");
    }
  }
  std::atomic<std::size_t> sum = 0;
  parallel_for(1000, 10, [&](std::size_t begin, std::size_t end) { sum += end - begin; });
  EXPECT_EQ(sum, 1000U);
}

TEST(Parallel, CancelStopsTheLoopSoon) {
  for (const int threads : {1, 4}) {
    const Threads use(threads);
    const Cancel cancel;
    std::atomic<bool> asked = false;
    std::atomic<int> pieces = 0, after = 0;
    std::thread other([&] {
      while (pieces < 30) std::this_thread::sleep_for(1ms);
      cancel.request();
      asked = true;
    });
    try {
      parallel_for(
          100000, 1,
          [&](std::size_t, std::size_t) {
            after += asked;
            ++pieces;
            std::this_thread::sleep_for(1ms);
          },
          &cancel);
      ADD_FAILURE() << "not cancelled";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::cancelled);
    }
    other.join();
    EXPECT_LE(after, threads);  // what a thread had taken before it could see the request
    EXPECT_THROW(parallel_for(
                     1, 1, [](std::size_t, std::size_t) { FAIL(); }, &cancel),
                 Error);
  }
}

TEST(Parallel, LoopsNest) {
  const Threads use(4);
  std::atomic<std::size_t> sum = 0;
  parallel_for(20, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      parallel_for(50, 3, [&](std::size_t b, std::size_t e) { sum += (e - b) * (i + 1); });
  });
  EXPECT_EQ(sum, 50U * 210U);
}

TEST(Parallel, AWaitingThreadTakesNoPieceOfTheOuterLoop) {
  // Otherwise a body that holds a lock over an inner loop would meet itself.
  const Threads use(4);
  std::atomic<bool> met = false;
  parallel_for(64, 1, [&](std::size_t, std::size_t) {
    thread_local int depth = 0;
    if (depth++ > 0) met = true;
    parallel_for(16, 1, [](std::size_t, std::size_t) { std::this_thread::sleep_for(100us); });
    --depth;
  });
  EXPECT_FALSE(met);
}

TEST(Parallel, TheCountMayChangeWhileLoopsRun) {
  const Threads use(2);
  std::atomic<bool> stop = false;
  std::thread other([&] {
    for (int n = 1; !stop; n = n % 4 + 1) set_thread_count(n), std::this_thread::sleep_for(1ms);
  });
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<std::size_t> sum = 0;
    parallel_for(5000, 7, [&](std::size_t b, std::size_t e) { sum += e - b; });
    EXPECT_EQ(sum, 5000U);
  }
  stop = true;
  other.join();
}

TEST(Parallel, IdleWorkersSleep) {
  const Threads use(4);
  parallel_for(1000, 1, [](std::size_t, std::size_t) { std::this_thread::sleep_for(10us); });
  std::this_thread::sleep_for(100ms);  // workers look for more work for some milliseconds
  const double before = process_seconds();
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(process_seconds() - before, 0.02);  // spinning workers would use 0.2 to 0.6 s
}

TEST(Parallel, ImpossibleCountsAreRefused) {
  for (const int n : {0, -3, 5000}) EXPECT_THROW(set_thread_count(n), Error) << n;
  EXPECT_GE(thread_count(), 1);
}

TEST(ParallelDeathTest, TheEnvironmentSetsTheCount) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process of its own: the count is read once
  const auto count_with = [](const char* text) {
    setenv("LARMOR_NUM_THREADS", text, 1);
    try {
      std::fprintf(stderr, "count %d", thread_count());
    } catch (const Error& e) {
      std::fprintf(stderr, "%s", e.what());
    }
    std::exit(3);
  };
  EXPECT_EXIT(count_with("3"), ::testing::ExitedWithCode(3), "count 3");
  for (const char* text : {"0", "-2", "two", "4x", " 4", "99999", "99999999999999999999"})
    EXPECT_EXIT(count_with(text), ::testing::ExitedWithCode(3),
                "LARMOR_NUM_THREADS is '.*\n.*whole number from 1 to 4096");
  EXPECT_EXIT(count_with(""), ::testing::ExitedWithCode(3), "count [1-9]");
}
