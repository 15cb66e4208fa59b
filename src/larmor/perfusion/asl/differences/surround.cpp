// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>

namespace larmor::asl {
namespace {

// The line through the nearest volumes of the other kind before and after, at the place of each volume.
WeightRows surround_weights(std::span<const Role> roles) {
  const std::size_t n = roles.size();
  WeightRows rows, ends;
  std::size_t controls = 0;
  for (std::size_t i = 0; i < n; ++i) {
    controls += roles[i] == Role::control;
    const double sign = roles[i] == Role::control ? 1 : -1;
    std::size_t before = i, after = i;
    while (before > 0 && roles[before] == roles[i]) --before;
    while (after + 1 < n && roles[after] == roles[i]) ++after;
    const bool has_before = roles[before] != roles[i], has_after = roles[after] != roles[i];
    std::vector<double> row(n);
    row[i] = sign;
    if (has_before && has_after) {
      const double gap = static_cast<double>(after - before);
      row[before] = -sign * static_cast<double>(after - i) / gap;
      row[after] = -sign * static_cast<double>(i - before) / gap;
      rows.push_back(std::move(row));
    } else if (has_before || has_after) {
      row[has_before ? before : after] = -sign;
      ends.push_back(std::move(row));
    }
  }
  if (controls == 0 || controls == n)
    throw Error(Errc::shape, fmt::format("{} control and {} label volumes", controls, n - controls),
                "a difference needs both; check the volume types (aslcontext.tsv)");
  // At the ends nothing cancels a drift; they are used only when there is nothing else.
  if (rows.empty()) rows.push_back(ends.front());
  return rows;
}

}  // namespace

void register_surround(DifferenceMethods& all) {
  all.add("difference.surround",
          {.title = "Each volume minus the line through its neighbours of the other kind",
           .source = "Wong et al., NMR Biomed 10:237 (1997); Liu and Wong, NeuroImage 24:207 (2005)",
           .weights = surround_weights});
}

}  // namespace larmor::asl
