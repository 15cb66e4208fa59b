// SPDX-License-Identifier: Apache-2.0
// OSIPI DCE-DSC-MRI_CodeCollection (Apache-2.0): digital reference objects with known parameters. Pass rule of the
// collection: |measured - reference| <= atol + rtol |reference|; the limits on the error's sd are tighter, set at what
// a least-squares fit with an exact convolution leaves (the noise of the curves and their own discretisation).
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <larmor/perfusion/dce/fit.hpp>
#include <map>
#include <sstream>

using namespace larmor;
using namespace larmor::dce;

namespace {

std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("LARMOR_TEST_DATA"); folder && *folder) return folder;
  return std::filesystem::path(LARMOR_SOURCE_DIR) / ".." / "shared" / "data";
}

std::vector<double> numbers(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> out;
  for (double v; in >> v;) out.push_back(v);
  return out;
}

std::vector<std::map<std::string, std::string>> rows(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::map<std::string, std::string>> out;
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (names.empty() && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    std::vector<std::string> cells;
    std::istringstream fields(line);
    for (std::string cell; std::getline(fields, cell, ',');) cells.push_back(cell);
    if (names.empty()) {
      names = cells;
      continue;
    }
    auto& row = out.emplace_back();
    for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) row[names[i]] = cells[i];
  }
  return out;
}

struct Quantity {
  std::string name, column;
  double per_unit;  // engine units to the collection's
  double atol, rtol, limit_sd;
};

void check(const std::string& file, const std::string& model_id, const std::string& data_column,
           const std::string& aif_column, const std::string& time_column, const std::vector<Quantity>& quantities) {
  const auto path = data_folder() / "osipi" / "dce" / file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto cases = rows(path);
  ASSERT_FALSE(cases.empty());
  const Model& model = models().get(model_id);
  std::vector<std::vector<double>> errors(quantities.size());
  std::vector<int> inside(quantities.size());
  for (const auto& row : cases) {
    const auto t = numbers(row.at(time_column)), c = numbers(row.at(data_column)), ca = numbers(row.at(aif_column));
    const Aif aif{.times = t, .values = ca, .plasma = true};
    std::vector<float> data(c.begin(), c.end());
    const Array y = Array::from<float>(data, {1, static_cast<std::int64_t>(t.size())}, {"voxel", "t"});
    const FitResult r = fit_model(model, y, t, {&aif, 1});
    ASSERT_TRUE(usable(r.status[0])) << row.at("label");
    for (std::size_t q = 0; q < quantities.size(); ++q) {
      std::size_t at = 0;
      while (model.params[at].name != quantities[q].name) ++at;
      const double reference = std::stod(row.at(quantities[q].column));
      const double error = r.values[at][0] * quantities[q].per_unit - reference;
      errors[q].push_back(error);
      inside[q] += std::abs(error) <= quantities[q].atol + quantities[q].rtol * std::abs(reference);
    }
  }
  for (std::size_t q = 0; q < quantities.size(); ++q) {
    const double n = static_cast<double>(errors[q].size());
    double mean = 0, variance = 0;
    for (const double e : errors[q]) mean += e / n;
    for (const double e : errors[q]) variance += (e - mean) * (e - mean) / n;
    std::printf("osipi %-20s %-7s %3d/%2.0f within tolerance   mean error %+.2e   sd %.2e   limit %.1e\n",
                model_id.c_str(), quantities[q].name.c_str(), inside[q], n, mean, std::sqrt(variance),
                quantities[q].limit_sd);
    EXPECT_EQ(inside[q], static_cast<int>(errors[q].size())) << quantities[q].name;
    EXPECT_LE(std::sqrt(variance), quantities[q].limit_sd) << quantities[q].name;
  }
}

TEST(OsipiDce, Tofts) {
  check("dce_DRO_data_tofts.csv", "dce.tofts", "C", "ca", "t",
        {{"Ktrans", "Ktrans", 60, 0.005, 0.1, 0.0010}, {"ve", "ve", 1, 0.05, 0, 0.0012}});
}
TEST(OsipiDce, ExtendedTofts) {
  check("dce_DRO_data_extended_tofts.csv", "dce.extended_tofts", "C", "ca", "t",
        {{"Ktrans", "Ktrans", 60, 0.005, 0.1, 0.0007},
         {"ve", "ve", 1, 0.05, 0, 0.0010},
         {"vp", "vp", 1, 0.025, 0, 0.0006}});
}
TEST(OsipiDce, Patlak) {
  check("patlak_sd_0.02_delay_0.csv", "dce.patlak", "C_t", "cp_aif", "t",
        {{"PS", "ps", 60, 0.005, 0.1, 0.0003}, {"vp", "vp", 1, 0.025, 0, 0.025}});
}

}  // namespace
