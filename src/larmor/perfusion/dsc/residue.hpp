// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <string>
#include <vector>

namespace larmor::dsc {

/// Shape of an impulse response of area MTT, R(0) = 1 and 0 before 0: the share of a bolus still in the tissue.
struct ResidueModel {
  std::string title, source;
  std::vector<double> shapes;  // values of the shape parameter that a fit tries; one when there is none
  /// Mean of R over [t, t + dt], t >= 0, dt > 0, in units of 1: integrals, because R may jump.
  std::function<double(double t, double dt, double MTT, double shape)> mean;
};
using ResidueModels = Registry<ResidueModel>;
/// residue.exponential residue.gamma residue.box
const ResidueModels& residues();

/// Integral from 0 to t of R for t >= 0, from which means follow.
using ResidueArea = std::function<double(double t, double MTT, double shape)>;
std::function<double(double, double, double, double)> mean_from(ResidueArea area);

}  // namespace larmor::dsc
