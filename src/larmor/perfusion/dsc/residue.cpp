// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/residue.hpp>

namespace larmor::dsc {

void register_residues(ResidueModels& registry);  // generated

const ResidueModels& residues() {
  static const ResidueModels all = [] {
    ResidueModels r("residue model", "larmor list residues");
    register_residues(r);
    return r;
  }();
  return all;
}

std::function<double(double, double, double, double)> mean_from(ResidueArea area) {
  return [area = std::move(area)](double t, double dt, double MTT, double shape) {
    return (area(t + dt, MTT, shape) - area(t, MTT, shape)) / dt;
  };
}

}  // namespace larmor::dsc
