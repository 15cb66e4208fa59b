// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <larmor/core/registry.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace larmor::asl {

/// Where M0 of arterial blood comes from: the tissue of each voxel, or one value for all.
struct M0Method {
  std::string title, source;
  bool voxelwise = false;
  std::string region;  // what the mask of a single value covers: "brain", "CSF", "white matter"
  double T1;           // [s] of that tissue at 3 T, for the repetition time
  double partition;    // tissue to blood [mL/g]: M0 of blood = M0 of tissue / partition
  double T2_star;      // [s] of that tissue at 3 T, for the echo time
};
using M0Methods = Registry<M0Method>;
/// m0.voxelwise m0.single m0.csf m0.white_matter
const M0Methods& m0_methods();

struct M0Options {
  std::string method = "m0.voxelwise";
  std::optional<double> TR = {};         // [s] of the M0 scan; none: long enough
  std::optional<double> T1 = {};         // [s] instead of the method's
  std::optional<double> partition = {};  // instead of the method's
  std::optional<double> TE = {};       // [s]; given, single values are brought from T2* of the tissue to that of blood
  std::optional<double> T2_star = {};  // [s] of the tissue instead of the method's
  double T2_star_blood = 0.05;         // [s] at 3 T. Source   Petersen et al., MRM 55:219 (2006)
};

/// M0 of arterial blood from images of M0, which are averaged over their last axis when there are more than three.
///
///   M0_blood = S / (1 - exp(-TR / T1)) / partition x exp(TE (1 / T2*_tissue - 1 / T2*_blood))   (last factor: TE
///   given)
///
/// image       (x, y, z[, t]) real
/// T1          one a voxel [s], for the correction of m0.voxelwise; empty: the method's
/// region      voxels that single values are the median of; NaN and values <= 0 are left out
/// Result      f32 (x, y, z); NaN where a voxel has no signal
/// Errors      Errc::unknown_name; Errc::range (region missing or empty, no signal in it, TR, T1, partition not above
/// 0)
Array blood_M0(const Array& image, const M0Options& options, std::span<const float> T1 = {},
               std::span<const std::uint8_t> region = {});

}  // namespace larmor::asl
