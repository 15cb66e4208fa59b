// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dsc/basis.hpp>
#include <optional>
#include <span>
#include <vector>

namespace larmor::dsc {

/// Filter factors of the singular values, one row a choice of the regularisation: kept or not, or s^2 / (s^2 + l^2).
struct Filters {
  int n_choices = 0, n_modes = 0;
  std::vector<double> f;  // (n_choices, n_modes)
  std::span<const double> row(int c) const {
    return std::span(f).subspan(static_cast<std::size_t>(c) * static_cast<std::size_t>(n_modes),
                                static_cast<std::size_t>(n_modes));
  }
  double freedom(int c) const;  // sum of the factors
};

/// What a regularised deconvolution makes of a residue's peak.
///
/// A residue of model R, flow 1 and transit time m comes out with a peak gain(m) < 1, `lag` after its start, because
/// the regularisation widens it. Area is not touched, so what is seen is the transit time m / gain(m); it grows with m,
/// and the table is read backwards. Mean over delays between two frames.
class PeakTable {
 public:
  PeakTable() = default;
  /// n_search   samples of the turned residue that the peak is looked for in
  PeakTable(const Basis& basis, const Filters& filters, const ResidueModel& residue, std::span<const double> aif,
            Rule rule, int n_search);
  struct Entry {
    double gain = 1, lag = 0, sensitivity = 1;  // d ln(flow) / d ln(peak)
    double bend = 0;                            // how far the neighbours of the peak are below it, both together
    bool inside = true;                         // false: no transit time of the table looks like that
  };
  /// choice of the filters; seen: area over peak [s]
  Entry at(int choice, double seen) const;
  static constexpr double shortest = 1, longest = 60;  // [s] transit times of the table

 private:
  std::vector<double> MTT_;
  std::vector<double> seen_, gain_, lag_, bend_;  // (choice, MTT)
};

}  // namespace larmor::dsc
