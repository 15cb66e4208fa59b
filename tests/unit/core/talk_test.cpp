// SPDX-License-Identifier: Apache-2.0
// What a person sees while work runs: progress, log lines and Ctrl-C.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <larmor/core/cancel.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/log.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/core/progress.hpp>
#include <thread>
#include <vector>

using namespace larmor;
using namespace std::chrono_literals;

namespace {

struct Report {
  std::string what;
  std::size_t done, total;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

// What `f` writes to stderr when that is a terminal.
template <class F>
std::string on_terminal(F&& f) {
  int controller = 0, terminal = 0;
  if (openpty(&controller, &terminal, nullptr, nullptr, nullptr) != 0) return "no pseudo terminal";
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  dup2(terminal, STDERR_FILENO);
  f();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  fcntl(controller, F_SETFL, O_NONBLOCK);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(controller, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(terminal);
  close(controller);
  return text;
}

void work(const Progress& progress) {
  progress.begin("fitting", 20);
  for (int i = 0; i < 20; ++i) std::this_thread::sleep_for(12ms), progress.add(1);
  progress.end();
}

}  // namespace

TEST(Progress, ReportsBeginSomeAndEnd) {
  std::vector<Report> reports;
  const Progress progress([&](const std::string& what, std::size_t done, std::size_t total) {
    reports.push_back({what, done, total});
  });
  const auto start = std::chrono::steady_clock::now();
  work(progress);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  ASSERT_GE(reports.size(), 3U);
  EXPECT_LE(static_cast<double>(reports.size()), 3 + 10 * taken.count());  // ten a second, begin and end
  EXPECT_EQ(reports.front().done, 0U);
  EXPECT_EQ(reports.back().done, 20U);
  for (std::size_t i = 1; i < reports.size(); ++i) EXPECT_GE(reports[i].done, reports[i - 1].done);
  for (const auto& r : reports) EXPECT_EQ(r.what + std::to_string(r.total), "fitting20");
}

TEST(Progress, NowhereAndOfNothing) {
  const Progress nowhere, empty{Progress::Sink{}};
  work(nowhere);
  work(empty);
  std::vector<Report> reports;
  const Progress progress([&](const std::string& what, std::size_t done, std::size_t total) {
    reports.push_back({what, done, total});
  });
  progress.begin("nothing", 0);
  progress.end();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[1].done, reports[1].total);
  EXPECT_GT(reports[1].total, 0U);
}

TEST(Progress, CountsFromManyThreads) {
  std::size_t last = 0;
  const Progress progress([&](const std::string&, std::size_t done, std::size_t) { last = std::max(last, done); });
  progress.begin("all", 100000);
  parallel_for(100000, 100, [&](std::size_t begin, std::size_t end) { progress.add(end - begin); });
  EXPECT_LE(last, 100000U);
  progress.end();
  EXPECT_EQ(last, 100000U);
}

TEST(Progress, ABarOnATerminal) {
  setenv("TERM", "xterm", 1);
  const std::string text = on_terminal([] {
    const Progress progress = console_progress();
    work(progress);
    progress.begin("a name that is much longer than the room there is for it", 3);
    progress.end();
  });
  ASSERT_NE(text, "no pseudo terminal");
  EXPECT_NE(text.find("\r\033[Kfitting                      [..............................]   0 %"),
            std::string::npos);
  EXPECT_NE(text.find("[##############################] 100 %"), std::string::npos);
  EXPECT_EQ(count(text, "\n"), 2U) << text;  // one line a stage, drawn over
  for (std::size_t at = 0, end; (end = text.find_first_of("\r\n", at)) != std::string::npos; at = end + 1)
    EXPECT_LE(end - at, 79U + 3U);  // three bytes clear the line
}

TEST(Progress, ABarThatNeverEndsLeavesTheLine) {
  setenv("TERM", "xterm", 1);
  const std::string text = on_terminal([] {
    const Progress progress = console_progress();
    progress.begin("fitting", 3);
  });
  EXPECT_EQ(text.substr(text.size() - 2), "\r\n");
}

TEST(Progress, LinesInAFileAndNothingWhenQuiet) {
  ::testing::internal::CaptureStderr();
  work(console_progress());
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_GE(count(text, "\n"), 1U);
  EXPECT_LE(count(text, "\n"), 10U);
  EXPECT_EQ(count(text, "fitting: 100 %"), 1U) << text;
  ::testing::internal::CaptureStderr();
  work(console_progress(true));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  setenv("TERM", "dumb", 1);
  EXPECT_EQ(on_terminal([] { work(console_progress()); }).find('\033'), std::string::npos);
}

TEST(Log, LevelsAndLiteralText) {
  const auto said = [](log::Level level) {
    ::testing::internal::CaptureStderr();
    log::set_level(level);
    log::debug("one"), log::info("two {}"), log::warning("three"), log::error("four");
    log::set_level(log::Level::info);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(said(log::Level::debug), "debug: one\ninfo: two {}\nwarning: three\nerror: four\n");
  EXPECT_EQ(said(log::Level::warning), "warning: three\nerror: four\n");
  EXPECT_EQ(said(log::Level::off), "");
}

TEST(Cancel, CopiesShareTheFlag) {
  const Cancel a, b = a, other;
  EXPECT_NO_THROW(a.check());
  b.request();
  EXPECT_TRUE(a.requested());
  EXPECT_FALSE(other.requested());
  try {
    a.check();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

TEST(CancelDeathTest, CtrlCAsksOnceAndEndsTheSecondTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          Cancel::catch_interrupts();
          std::raise(signal);
          std::exit(Cancel::interrupt().requested() ? 7 : 8);
        },
        ::testing::ExitedWithCode(7), "");
    EXPECT_EXIT(
        {
          Cancel::catch_interrupts();
          std::raise(signal);
          std::raise(signal);
          std::exit(9);
        },
        ::testing::KilledBySignal(signal), "");
  }
}
