// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <larmor/core/error.hpp>
#include <random>
#include <string>
#include <vector>

namespace larmor::test {

namespace fs = std::filesystem;

/// A folder of its own for one test, removed at the end.
struct TempFolder {
  fs::path path;
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "larmor_test_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ec;
    fs::remove_all(path, ec);
  }
  fs::path operator/(const std::string& name) const { return path / name; }
  /// Names inside, hidden ones too.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(path)) out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }
};

/// Runs f and returns the error it throws.
template <class F>
Error caught(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Errc::internal, "nothing");
}

// Plain file access, so that the tests do not judge the readers by the readers.
inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
inline void spill(const fs::path& path, const std::string& bytes) {
  fs::remove(path);  // some file systems flush a file that is truncated and written again, thousands of times here
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// No file of this process may grow past `bytes`: what a full disk looks like to a writer.
struct FileLimit {
  rlimit before{};
  explicit FileLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit now = before;
    now.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() { setrlimit(RLIMIT_FSIZE, &before); }
};

/// Reads every prefix of a valid file and `mutations` seeded corruptions of it (bytes set, bits flipped, pieces
/// removed, doubled or overwritten by extreme numbers). `read` may return or throw larmor::Error; anything else fails.
template <class F>
void torture(const fs::path& file, const std::string& valid, int mutations, unsigned seed, F&& read) {
  const auto attempt = [&](const std::string& bytes, const std::string& what) {
    spill(file, bytes);
    try {
      read(file);
    } catch (const Error& e) {
      EXPECT_GT(e.message().size(), 10u) << what;
      EXPECT_NE(e.code(), Errc::internal) << what << ": " << e.what();
    } catch (const std::exception& e) {
      ADD_FAILURE() << what << ": " << e.what();
    }
  };
  const std::size_t step = valid.size() > 4000 ? valid.size() / 2000 : 1;
  for (std::size_t n = 0; n < valid.size(); n += n < 1000 ? 1 : step)
    attempt(valid.substr(0, n), "prefix of " + std::to_string(n));
  std::mt19937 rng(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(rng); };
  for (int i = 0; i < mutations; ++i) {
    std::string bytes = valid;
    for (std::size_t k = 0; k <= below(4); ++k) {
      if (bytes.empty()) break;
      // Half of the hits in the first 400 bytes, where headers are.
      const std::size_t at = below(2) ? below(std::min<std::size_t>(bytes.size(), 400)) : below(bytes.size());
      switch (below(6)) {
        case 0:
          bytes[at] = static_cast<char>(below(256));
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
          break;
        case 2:
          bytes.erase(at, 1 + below(16));
          break;
        case 3:
          bytes.insert(at, bytes.substr(at, 1 + below(16)));
          break;
        case 4: {
          static const std::string extremes[] = {std::string(8, '\xff'),       std::string(4, '\x7f'),
                                                 std::string(8, '\0'),         std::string("\xff\xff\xff\x7f"),
                                                 std::string("\0\0\0\x80", 4), std::string("\0\0\xc0\x7f", 4)};
          const auto& e = extremes[below(std::size(extremes))];
          for (std::size_t j = 0; j < e.size() && at + j < bytes.size(); ++j) bytes[at + j] = e[j];
          break;
        }
        case 5:
          bytes.resize(at);
          break;
      }
    }
    attempt(bytes, "mutation " + std::to_string(i) + " of seed " + std::to_string(seed));
  }
}

}  // namespace larmor::test
