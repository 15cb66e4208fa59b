// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/model_params.hpp>

namespace larmor::asl {

void register_asl_models(Models& registry);  // generated

const Models& models() {
  static const Models all = [] {
    Models m("ASL model", "larmor list asl-models");
    register_asl_models(m);
    return m;
  }();
  return all;
}

std::vector<double> design_of(std::span<const Sample> samples) {
  std::vector<double> design;
  for (const auto& s : samples)
    design.insert(design.end(), {s.time, s.LD, s.efficiency, s.readout_start, s.readout_rate});
  return design;
}

std::vector<double> signal(const Model& model, std::span<const Sample> samples, std::span<const double> params,
                           const VoxelFacts& voxel) {
  const double facts[]{voxel.T1_tissue, voxel.T1_blood, voxel.slice_delay, voxel.partition};
  std::vector<double> values(samples.size());
  fit::curve_signal(model, design_of(samples), params, facts, values);
  return values;
}

// CBF to 300 mL/100g/min: arterial voxels of patients with malformations reach 200.
fit::Param param_CBF() { return {"CBF", "mm3/(g s)", 0, 50, 10, "cerebral blood flow"}; }

namespace {

// Steps of no round length: a search must not begin where the bolus begins or ends at a sample (usual delays are
// round), for there the slope has a kink and one side of it says nothing of the other.
std::vector<double> arrivals(double step, double fine_to, double last) {
  std::vector<double> t{0.0631};
  while (t.back() < last) t.push_back(t.back() + step * (t.back() < fine_to ? 1 : 2.5));
  return t;
}

}  // namespace

fit::Param param_ATT(bool coarse) {
  fit::Param p{"ATT", "s", 0, 5, 1, "arterial transit time"};
  p.grid = arrivals(coarse ? 0.1473 : 0.0487, 2.2, 4.2);
  return p;
}
fit::Param param_sigma() {
  return {"sigma", "s", 0.02, 1, 0.2, "standard deviation of the transit times", {0.1, 0.3, 0.6}};
}
// The grid is of aBV where CBF is 6 mL/100g/min: they scale together.
fit::Param param_aBV() { return {"aBV", "1", 0, 0.2, 0.01, "arterial blood volume", {1e-5, 3e-4, 9e-4, 2e-3, 5e-3}}; }
fit::Param param_ATT_a() {
  fit::Param p{"ATT_a", "s", 0, 3, 0.5, "arrival in the arteries of the voxel"};
  p.grid = arrivals(0.0973, 1.3, 2.2);
  return p;
}

Model dispersed_model(const std::string& labelling, const fit::CurveModelKernels* kernels) {
  return {.title = "General kinetic model with dispersion, " + labelling,
          .source = "Hrabe and Lewis, J Magn Reson 167:49 (2004)",
          .params = {param_CBF(), param_ATT(), param_sigma()},
          .scale = 0,
          .design = design_names(),
          .covariates = covariate_names(),
          .kernels = kernels};
}
Model macrovascular_model(const std::string& labelling, const fit::CurveModelKernels* kernels) {
  return {.title = "General kinetic model with label in arteries, " + labelling,
          .source = "Chappell et al., MRM 63:1357 (2010)",
          .params = {param_CBF(), param_ATT(true), param_aBV(), param_ATT_a()},
          .scale = 0,
          .scale_too = {2},
          .second_scale = 2,
          .second_of = {3},
          .design = design_names(),
          .covariates = covariate_names(),
          .kernels = kernels};
}

std::vector<std::string> design_names() {
  return {"time [s]", "LD [s]", "efficiency [1]", "readout_start [s]", "readout_rate [1/s]"};
}
std::vector<std::string> covariate_names() {
  return {"T1_tissue [s]", "T1_blood [s]", "slice_delay [s]", "partition [mL/g]"};
}

}  // namespace larmor::asl
