// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/pulseq.hpp>

namespace larmor::io {
namespace {

// Samples on this grid have derivatives on it too, and these are equal exactly where they should be.
constexpr double grid = 1e9;

}  // namespace

std::vector<double> compress_shape(std::span<const double> samples) {
  std::vector<std::int64_t> steps;
  steps.reserve(samples.size());
  std::int64_t before = 0;
  for (const double v : samples) {
    const std::int64_t now = std::llround(v * grid);
    steps.push_back(now - before);
    before = now;
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < steps.size();) {
    std::size_t end = i + 1;
    while (end < steps.size() && steps[end] == steps[i]) ++end;
    const double value = static_cast<double>(steps[i]) / grid;
    out.push_back(value);
    if (end - i >= 2) {
      out.push_back(value);
      out.push_back(static_cast<double>(end - i - 2));
    }
    i = end;
  }
  if (out.size() < samples.size()) return out;
  out.clear();
  for (const double v : samples) out.push_back(static_cast<double>(std::llround(v * grid)) / grid);
  return out;
}

std::vector<double> expand_shape(std::span<const double> stored, std::size_t count) {
  if (stored.size() == count) return {stored.begin(), stored.end()};
  const auto fail = [&](const std::string& what) {
    throw Error(Errc::format, "a shape of " + std::to_string(count) + " samples " + what);
  };
  if (stored.size() > count) fail(fmt::format("holds {} numbers", stored.size()));
  std::vector<double> out;
  // A count is only believed as far as the samples that are missing.
  double sum = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    std::size_t times = 1;
    const double value = stored[i];
    if (i + 1 < stored.size() && stored[i + 1] == value) {
      if (i + 2 >= stored.size()) fail("ends where a number of repeats should be");
      const double repeats = stored[i + 2];
      if (!(repeats >= 0) || repeats != std::floor(repeats))
        fail(fmt::format("has {} as a number of repeats", repeats));
      if (repeats + 2 > static_cast<double>(count - out.size()))
        fail(fmt::format("repeats a number {} times after {} samples", repeats + 2, out.size()));
      times = static_cast<std::size_t>(repeats) + 2;
      i += 2;
    }
    if (times > count - out.size()) fail("unpacks to more");
    for (std::size_t k = 0; k < times; ++k) out.push_back(sum += value);
  }
  if (out.size() != count) fail(fmt::format("unpacks to {}", out.size()));
  return out;
}

}  // namespace larmor::io
