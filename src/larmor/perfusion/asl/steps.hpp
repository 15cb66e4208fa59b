// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/parameter_maps.hpp>
#include <larmor/perfusion/asl/m0.hpp>
#include <larmor/perfusion/asl/outliers.hpp>
#include <larmor/perfusion/asl/partial_volume.hpp>
#include <larmor/perfusion/asl/protocol.hpp>
#include <larmor/perfusion/asl/quality.hpp>

/// The steps from a labelled series to maps, one by one: run_pipeline calls them in their order, graphs as they like.
namespace larmor::asl {

using Mask = std::span<const std::uint8_t>;

struct DifferenceOptions {
  std::string method = "difference.pairwise";
  double outlier_sd = 0;  // threshold of find_outliers; 0: keep all
};

/// Difference images control - label of one mean image a timing.
struct Differences {
  Image mean;                   // (x, y, z, timing) f32
  Array standard_error;         // the same; NaN where a timing has one difference only
  std::vector<Sample> samples;  // [timing]
  std::vector<double> weights;  // [timing] relative inverse variance of the mean for equal noise of the volumes
  Image all;                    // (x, y, z, difference) f32, in the order of `group`
  std::vector<int> group;       // [difference] its timing
  Outliers outliers;            // [difference]
};

/// Subtracts, looks for outliers and averages. With time-encoded labelling the series is decoded instead.
///
/// series   (x, y, z, t); roles one a volume (time-encoded: Role::encoded in the order of the encodings, repeated)
/// Errors   those of timings_of and the method; Errc::shape (roles, encodings that do not fill the series)
///
/// The standard error is exact for white noise whatever the method: differences that share volumes are correlated, and
/// their weights say how much.
Differences differences_of(const Image& series, std::span<const Role> roles, const Protocol& protocol,
                           const DifferenceOptions& options, Mask mask = {}, const Progress& progress = {},
                           const Cancel* cancel = nullptr);

/// Mean of the volumes of one role, (x, y, z). Errors   Errc::range when there is none
Image mean_of_role(const Image& series, std::span<const Role> roles, Role role);

/// What is known of the tissue besides its signal.
struct Tissue {
  std::vector<float> T1{1.33f};  // [s] one a voxel, or one for all
  double partition = 0.9;        // [mL/g]
};

struct QuantifyOptions {
  bool consensus = false;          // the formula of one delay instead of the kinetic model
  std::string model = {};          // empty: the labelling's without dispersion and arteries
  fit::ParamSettings params = {};  // ATT must be fixed when there is one delay only
  /// With priors (log-normal about the start of each parameter, sd of ln 1.5, where none are given), or plain least
  /// squares; none: priors when more than two parameters are free.
  std::optional<bool> map = {};
  Device device = {};
};

/// Divides difference images (x, y, z, n) by M0 of arterial blood (x, y, z): 1 is all of the blood's magnetisation.
Array normalised(const Array& differences, const Array& M0_blood);

/// CBF [mm3/(g s)] and, by model, ATT and others, with standard errors, R2, AICc, residual_sd and status.
///
/// signal    (x, y, z, timing), normalised; error of it or empty (used by the formula)
/// weights   [timing] or empty
/// reference gives grid and geometry
/// Errors    Errc::range (the formula with several timings; a fit of one with a free ATT); those of fit_curves
ParameterMaps quantify(const Array& signal, const Array& error, std::span<const Sample> samples,
                       std::span<const double> weights, const Protocol& protocol, const Tissue& tissue, Mask mask,
                       const Image& reference, const QuantifyOptions& options, const Progress& progress = {},
                       const Cancel* cancel = nullptr);

/// A map with symbol and title from the table of quantities.
ParameterMap make_map(const std::string& name, const std::string& unit, const std::string& title,
                      std::span<const float> values, std::span<const float> standard_error, const Shape& grid);

}  // namespace larmor::asl
