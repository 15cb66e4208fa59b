// SPDX-License-Identifier: Apache-2.0
#pragma once
// Cases of the OSIPI DCE-DSC-MRI code collection (Apache-2.0), read from LARMOR_TEST_DATA/osipi.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <larmor/io/table.hpp>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace osipi {

inline std::filesystem::path path(const std::string& name) {
  const char* root = std::getenv("LARMOR_TEST_DATA");
  return std::filesystem::path(root && *root ? root : LARMOR_SOURCE_DIR "/../shared/data") / "osipi" / name;
}

using Row = std::map<std::string, std::string>;
inline std::vector<Row> rows(const std::string& name) {
  const auto table = larmor::io::read_table(path(name));
  std::vector<Row> all;
  for (const auto& cells : table.rows) {
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[table.columns[i]] = cells[i];
    all.push_back(row);
  }
  return all;
}
inline std::vector<double> numbers(const std::string& cell) {
  std::istringstream in(cell);
  std::vector<double> v;
  for (double x; in >> x;) v.push_back(x);
  return v;
}

/// One line of the table: how many are inside |measured - reference| <= atol + rtol |reference|, and the error's mean,
/// sd and largest value.
struct Tally {
  std::string dataset;
  double atol, rtol;
  int n = 0, inside = 0;
  double sum = 0, sum2 = 0, largest = 0;
  void add(double measured, double reference) {
    const double e = measured - reference;
    ++n, inside += std::abs(e) <= atol + rtol * std::abs(reference);
    sum += e, sum2 += e * e, largest = std::isnan(e) ? e : std::max(largest, std::abs(e));
  }
  double mean() const { return sum / n; }
  double sd() const { return std::sqrt(std::max(0.0, sum2 / n - mean() * mean())); }
  void print(const std::string& target) const {
    std::printf("%-34s %6d %6d  %+.3e  %.3e  %.3e  %s\n", dataset.c_str(), n, inside, mean(), sd(), largest,
                target.c_str());
  }
};
inline void header() {
  std::printf("%-34s %6s %6s  %10s  %9s  %9s  %s\n", "dataset", "cases", "inside", "mean error", "sd", "largest",
              "target");
}

}  // namespace osipi

#define REQUIRE_OSIPI(name)                        \
  if (!std::filesystem::exists(osipi::path(name))) \
  GTEST_SKIP() << "no " << osipi::path(name) << " (set LARMOR_TEST_DATA)"
