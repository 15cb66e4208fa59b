// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// Normal volumes by structure, side, sex and age, from a table (CSV or TSV):
///
///   structure,side,sex,age_low,age_high,mean_mm3,sd_mm3
///   total,left,F,60,70,3120,310
///
/// side and sex may be "any"; ages are in years, the lower included. A first line "# title: ..." names the table.
struct Norms {
  struct Row {
    std::string structure, side, sex;
    double age_low = 0, age_high = 0, mean_mm3 = 0, sd_mm3 = 0;
  };
  std::string title;
  std::vector<Row> rows;
};
/// Errors   Errc::file, Errc::format, Errc::range (row, value and what is allowed; overlapping rows)
Norms read_norms(const std::filesystem::path& path);
/// Percentile of each volume under the normal distribution of its row. Where the table has no row for age, sex and side
/// there is none, and the volume says why: a table is never stretched beyond its range.
void add_percentiles(Results& results, const Norms& norms);

}  // namespace larmor::clinic
