// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/asl/model.hpp>

/// Parameters that the kinetic models share.
namespace larmor::asl {

fit::Param param_CBF();
/// `coarse`: a wider grid to start from, for models that search others too.
fit::Param param_ATT(bool coarse = false);
fit::Param param_sigma();
fit::Param param_aBV();
fit::Param param_ATT_a();
/// Models of both families but for their kernels; labelling: how they are titled.
Model dispersed_model(const std::string& labelling, const fit::CurveModelKernels* kernels);
Model macrovascular_model(const std::string& labelling, const fit::CurveModelKernels* kernels);
std::vector<std::string> design_names();
std::vector<std::string> covariate_names();

}  // namespace larmor::asl
