// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/parameter_maps.hpp>
#include <larmor/fit/curve_fit.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>

/// What the operations of IVIM share.
namespace larmor::nodes {

/// A series of b-values as the operations take it: (x, y, z, b), and b [s/mm2] from the setting "b", else from the
/// sidecar (bValues, DiffusionBValue). Errors   Errc::shape, Errc::range when nobody says the b-values
struct DiffusionSeries {
  Image image;
  std::vector<double> b;
  std::vector<double> counts;      // volumes averaged into each by ivim.average; empty: 1
  std::vector<std::uint8_t> mask;  // empty: all
};
DiffusionSeries diffusion_series_in(const flow::Ports& io);
/// The setting "b" and its note when neither it nor the sidecar says anything.
flow::Setting b_values_setting();
void ask_for_b_values(flow::Form& form);

/// One map a parameter, with standard errors, R2 and status.
ParameterMaps maps_of(const fit::CurveFit& fit, const Image& series, const std::string& model);
/// The same of any method, with residual_sd, the flags of the posterior, and how they came about: Models, Method,
/// NoiseSd, Flow, BloodDiffusion.
ParameterMaps maps_of(const ivim::Estimate& estimate, const Image& series, const std::string& method,
                      const ivim::Signals& signals);
/// The signal of a voxel of such maps at b (and c); empty where it has no value. Errors   those of curve_signal()
std::vector<double> ivim_signal(const ParameterMaps& maps, std::span<const double> b, std::int64_t voxel);

}  // namespace larmor::nodes
