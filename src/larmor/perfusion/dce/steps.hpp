// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/image.hpp>
#include <larmor/data/parameter_maps.hpp>
#include <larmor/perfusion/dce/aif_detect.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The steps from a dynamic series to maps, one by one: run_pipeline calls them in their order, graphs as they like.
///
/// A mask holds one value a voxel, or none for all. Statuses go from step to step: a voxel that one gave up on keeps
/// that reason.
namespace larmor::dce {

using Mask = std::span<const std::uint8_t>;
using Statuses = std::vector<fit::FitStatus>;

/// Errors   Errc::shape (not (x, y, z, t), times that are not one a frame), Errc::range (fewer than 3 frames, times
/// that do not increase)
void check_series(const Image& series);
/// Errors   Errc::shape, naming `what`, unless n is 0 or the number of voxels
void check_voxels(std::size_t n, std::int64_t voxels, const char* what);

/// A map with the symbol and title that the table of quantities has for `name` (`title` when it has none).
ParameterMap make_map(const std::string& name, const std::string& unit, const std::string& title,
                      std::span<const float> values, std::span<const float> standard_error, const Shape& grid);

/// Voxels whose T1 and concentration are wanted: those to fit and those of the artery. Empty: all.
std::vector<std::uint8_t> wanted_voxels(Mask mask, Mask aif_region);

/// T1 before contrast.
struct BaselineT1 {
  std::vector<float> T1;           // [s] one a voxel, NaN where there is none; or one for all
  Statuses status;                 // one a voxel; empty: nothing was lost
  std::vector<ParameterMap> maps;  // T10, and of a series M0; T10 has no value outside the mask
};
/// From a series, where `wanted`. Errors   Errc::unknown_name, those of the method
BaselineT1 baseline_T1(const Array& series, const std::string& method, const T1Protocol& protocol,
                       std::span<const float> B1, Mask mask, Mask wanted, const Progress& progress,
                       const Cancel* cancel);
/// Of a map that is there.
BaselineT1 baseline_T1(std::vector<float> T1, Mask mask, const Shape& grid);

/// T1, M0, R2 and efficiency of a T1 mapping on their own, with its status. `reference` gives grid and geometry.
ParameterMaps maps_of(const T1Result& t1, const Image& reference);

/// Statuses of a step after those of the steps before it (or none).
Statuses after(const Statuses& before, Statuses now);

/// When the bolus reaches the mean tissue curve [s]. Errors   Errc::numeric when nothing rises, unless there is a value
/// to take then
double tissue_arrival(std::span<const double> times, std::span<const double> mean_tissue,
                      std::optional<double> otherwise = {});

enum class AifSource { model, curve, region, automatic };

/// Where the arterial input comes from.
struct InputOptions {
  AifSource source = AifSource::model;
  std::string model = "aif.parker";
  double Hct = 0.42;
  std::optional<double> arrival = {};  // [s] of a population curve; empty: the one found in the tissue
  double delay = 0;                    // [s] the curve is moved to later times
  double step = 1;                     // [s] sampling of a population curve around its bolus
};
struct InputFunctions {
  std::vector<Aif> curves;  // plasma: arterial, then venous
  std::optional<AifDetection> detection = {};
};
/// curves   measured: arterial (for AifSource::curve), then venous
/// Errors   Errc::range when what the source needs is not there, and those of aif_from_mask and detect_aif
InputFunctions find_inputs(const InputOptions& options, const Array& concentration, std::span<const double> times,
                           std::span<const Aif> curves, Mask mask, Mask aif_region, double tissue_arrival);

/// A population curve as plasma concentration, sampled at `frames` and every `step` [s] for 45 s from its arrival:
/// a first pass is narrower than most frame intervals.
Aif sampled_for_fit(const std::string& model, std::span<const double> frames, double arrival, double Hct, double step);

/// Mean over the mask of f32 (voxels..., t), skipping what is not finite.
std::vector<double> mean_curve(const Array& series, Mask mask);

/// iAUC60, iAUC90, iAUC180, TTP, peak, wash_in and wash_out as maps.
std::vector<ParameterMap> uptake_maps(const Array& concentration, std::span<const double> times, double arrival,
                                      Mask mask, const Cancel* cancel);

}  // namespace larmor::dce
