// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/parameter_maps.hpp>
#include <larmor/fit/curve_fit.hpp>
#include <larmor/flow/node_type.hpp>

/// What the operations of IVIM share.
namespace larmor::nodes {

/// A series of b-values as the operations take it: (x, y, z, b), and b [s/mm2] from the setting "b", else from the
/// sidecar (bValues, DiffusionBValue). Errors   Errc::shape, Errc::range when nobody says the b-values
struct DiffusionSeries {
  Image image;
  std::vector<double> b;
  std::vector<std::uint8_t> mask;  // empty: all
};
DiffusionSeries diffusion_series_in(const flow::Ports& io);
/// The setting "b" and its note when neither it nor the sidecar says anything.
flow::Setting b_values_setting();
void ask_for_b_values(flow::Form& form);

/// One map a parameter, with standard errors, R2 and status.
ParameterMaps maps_of(const fit::CurveFit& fit, const Image& series, const std::string& model);

}  // namespace larmor::nodes
