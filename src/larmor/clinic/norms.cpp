// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/clinic/norms.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/table.hpp>
#include <numbers>

namespace larmor::clinic {
namespace {

bool meets(const std::string& a, const std::string& b) { return a == "any" || b == "any" || a == b; }

void need(bool good, const io::Table& t, std::size_t row, const std::string& what, const std::string& advice) {
  if (!good) throw Error(Errc::range, fmt::format("row {} of the norm table: {}", row + 1, what), advice).at(t.source);
}

}  // namespace

Norms read_norms(const std::filesystem::path& path) {
  const auto t = io::read_table(path);
  Norms norms{.title = path.stem().string(), .rows = {}};
  const std::string text = io::read_text(path), mark = "# title:";
  if (text.starts_with(mark)) {
    norms.title = text.substr(mark.size(), text.find('\n') - mark.size());
    norms.title.erase(0, norms.title.find_first_not_of(' '));
    while (!norms.title.empty() && (norms.title.back() == '\r' || norms.title.back() == ' ')) norms.title.pop_back();
  }
  for (std::size_t r = 0; r < t.rows.size(); ++r) {
    Norms::Row row{t.cell(r, "structure"),  t.cell(r, "side"),       t.cell(r, "sex"),     t.number(r, "age_low"),
                   t.number(r, "age_high"), t.number(r, "mean_mm3"), t.number(r, "sd_mm3")};
    const auto one_of = [](const std::string& v, std::initializer_list<const char*> all) {
      return std::find(all.begin(), all.end(), v) != all.end();
    };
    need(one_of(row.structure, {"anterior", "posterior", "total"}), t, r, "structure is '" + row.structure + "'",
         "write anterior, posterior or total");
    need(one_of(row.side, {"left", "right", "any"}), t, r, "side is '" + row.side + "'", "write left, right or any");
    need(one_of(row.sex, {"F", "M", "any"}), t, r, "sex is '" + row.sex + "'", "write F, M or any");
    need(row.age_low >= 0 && row.age_high > row.age_low, t, r,
         fmt::format("ages are {} to {}", row.age_low, row.age_high), "write years, the lower first");
    need(row.mean_mm3 > 0 && row.sd_mm3 > 0, t, r, fmt::format("mean is {} and sd {} mm3", row.mean_mm3, row.sd_mm3),
         "both are above 0");
    for (std::size_t k = 0; k < norms.rows.size(); ++k) {
      const auto& o = norms.rows[k];
      need(!(o.structure == row.structure && meets(o.side, row.side) && meets(o.sex, row.sex) &&
             row.age_low < o.age_high && o.age_low < row.age_high),
           t, r, fmt::format("it covers the same people as row {}", k + 1), "one row a structure, side, sex and age");
    }
    norms.rows.push_back(row);
  }
  if (norms.rows.empty())
    throw Error(Errc::format, fmt::format("{} holds no norms", path.string()),
                "add rows: structure,side,sex,age_low,age_high,mean_mm3,sd_mm3");
  return norms;
}

void add_percentiles(Results& r, const Norms& norms) {
  r.norms = norms.title;
  for (auto& side : r.sides)
    for (auto& v : side.volumes) {
      v.percentile.reset();
      v.no_percentile.clear();
      if (!r.subject.years) {
        v.no_percentile = "the age is not known";
        continue;
      }
      const Norms::Row* found = nullptr;
      std::string ages;
      for (const auto& row : norms.rows) {
        if (row.structure != v.structure || !(row.side == "any" || row.side == side.side) ||
            !(row.sex == "any" || row.sex == r.subject.sex))
          continue;
        ages += fmt::format("{}{} to {}", ages.empty() ? "" : ", ", row.age_low, row.age_high);
        if (*r.subject.years >= row.age_low && *r.subject.years < row.age_high) found = &row;
      }
      if (found)
        v.percentile = 50 * std::erfc(-(v.mm3 - found->mean_mm3) / (found->sd_mm3 * std::numbers::sqrt2));
      else if (!ages.empty())
        v.no_percentile = fmt::format("the age of {:.0f} years is outside the table ({})", *r.subject.years, ages);
      else
        v.no_percentile = fmt::format("the table has no {} hippocampus of {} side and sex '{}'", v.structure,
                                      side.side.empty() ? "unknown" : "the " + side.side, r.subject.sex);
    }
}

}  // namespace larmor::clinic
