// SPDX-License-Identifier: Apache-2.0
#pragma once
// Objects and measures that the tests of DSC share.
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/dro.hpp>
#include <larmor/perfusion/dsc/relaxation.hpp>
#include <vector>

namespace larmor::dsc {

inline double median(std::vector<double> v) {
  if (v.empty()) return NAN;
  const auto middle = v.begin() + std::ssize(v) / 2;
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

/// An object, its concentrations and its measured artery.
struct Object {
  DroOptions options;
  Dro dro;
  Relaxation relaxation;
  Array curves;
  std::vector<double> aif;
  double arrival;
  std::vector<std::uint8_t> mask;
};
inline Object make_object(DroOptions o) {
  Object x{
      .options = o, .dro = make_dro(o), .relaxation = {}, .curves = {}, .aif = {}, .arrival = o.arrival, .mask = {}};
  x.mask = mask_from(x.dro.mask);
  const auto artery = mask_from(x.dro.artery);
  x.relaxation = relaxation_change(x.dro.dynamic.data, x.dro.dynamic.times, {}, {.TE = o.TE, .baseline_last = 9});
  x.curves = concentration(x.relaxation.dR2, o.tissue);
  x.aif = mean_curve(concentration(x.relaxation.dR2, o.blood), artery);
  return x;
}
/// Relative errors of a flow against the truth, of the voxels that `which` wants.
template <class Which>
std::vector<double> flow_errors(const Object& x, const Deconvolved& d, Which&& which) {
  std::vector<double> out;
  const auto truth = x.dro.truth.get("CBF").values.span<float>();
  const double factor = x.options.factors.per_mass();
  for (std::size_t v = 0; v < truth.size(); ++v)
    if (x.mask[v] && fit::usable(d.status[v]) && which(v)) out.push_back(d.CBF[v] * factor / truth[v] - 1);
  return out;
}

}  // namespace larmor::dsc
