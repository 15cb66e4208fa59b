// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/error.hpp>
#include <larmor/io/table.hpp>
#include <larmor/nodes/curve_file.hpp>

namespace larmor::nodes {

Aif read_curve(const std::filesystem::path& path, double time_factor, bool plasma) {
  const auto table = io::read_table(path);
  if (table.columns.size() < 2)
    throw Error(Errc::format, fmt::format("{} column, not 2", table.columns.size()),
                "give a column of times and one of concentrations [mM]")
        .at(path.string());
  std::size_t t = 0;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    for (const char* name : {"time", "times", "t", "time_s"})
      if (table.columns[c] == name) t = c;
  Aif a;
  a.times = table.numbers(table.columns[t]);
  a.values = table.numbers(table.columns[t == 0 ? 1 : 0]);
  for (double& x : a.times) x *= time_factor;
  a.plasma = plasma;
  a.source = path.string();
  try {
    a.check();
  } catch (Error& e) {
    throw e.at(path.string());
  }
  return a;
}

void write_curve(const std::filesystem::path& path, const Aif& aif, const std::string& column) {
  io::Table t{.columns = {"time", column}, .rows = {}, .source = {}};
  for (std::size_t k = 0; k < aif.size(); ++k)
    t.rows.push_back({fmt::format("{:.9g}", aif.times[k]), fmt::format("{:.9g}", aif.values[k])});
  io::write_table(path, t);
}

}  // namespace larmor::nodes
