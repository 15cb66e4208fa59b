// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace larmor {

/// Arterial input: contrast agent concentration against time, linear between samples and 0 before the first.
///
/// times [s], strictly increasing, any spacing, starting anywhere. values [mM].
/// `plasma` says which: plasma Cp = Cb / (1 - Hct), or whole blood Cb.
struct Aif {
  std::vector<double> times = {}, values = {};
  bool plasma = true;
  double Hct = 0.0;  // the haematocrit used to get here; 0 when none was applied
  std::string source = {};

  std::size_t size() const { return times.size(); }
  /// Errors   Errc::shape (lengths), Errc::range (fewer than 2 samples, times not increasing, not finite)
  void check() const;
  /// Whole blood to plasma; itself when already plasma. Errors   Errc::range unless 0 <= Hct < 1
  Aif to_plasma(double haematocrit) const;
};

}  // namespace larmor
