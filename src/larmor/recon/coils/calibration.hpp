// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>

/// Sensitivities of coils from the middle of k-space.
///
/// kspace   complex, centred along `axes`, with a coil axis; further axes (slices) are calibrated one by one
/// axes     the axes of space, 2 or 3
/// Errors of all   Errc::type unless complex; Errc::unknown_name; Errc::range for NaN; Errc::range when samples in the
/// middle are missing (0 in every coil), with how many of how many
namespace larmor::recon {

/// The middle samples along the axes, at most `calibration` of each.
Array calibration_region(const Array& kspace, const Axes& axes, std::int64_t calibration);
/// The largest such region, up to `most`, in which every sample was measured (is not 0 in all coils); 0: none.
std::int64_t measured_middle(const Array& kspace, const Axes& axes, std::int64_t most);

struct EspiritOptions {
  std::int64_t calibration = 24;  // samples along each axis
  std::int64_t kernel = 6;
  double threshold = 0.02;  // of singular values of the calibration matrix, relative to the largest
  int maps = 1;             // sets of sensitivities: 2 where one does not do (a field of view that folds)
  double crop = 0.8;        // eigenvalues below count as background
  bool soft_crop = false;   // fade over crop +- 0.1 instead of cutting
  const Cancel* cancel = nullptr;
  Progress progress = {};
};
struct Espirit {
  Array maps;         // as k-space, of norm 1 over the coils, 0 in the background; "map" last when there are several
  Array eigenvalues;  // f32, without coils: 1 where the data are what sensitivities can explain
};
/// Sensitivities as the eigenvectors to eigenvalue 1 of what the row space of the calibration matrix says of each
/// voxel. The operator is evaluated voxel by voxel from the correlations of the kernels (2 kernel - 1 wide), without a
/// transform a kernel. The phase is that of the strongest virtual coil.
/// Errors   Errc::range for a kernel larger than the calibration, a threshold or crop outside [0, 1), maps not 1..coils
/// Source   Uecker et al., MRM 71:990 (2014)
Espirit espirit(const Array& kspace, const Axes& axes, const std::string& coil_axis,
                const EspiritOptions& options = {});

struct LowResolutionOptions {
  std::int64_t calibration = 24;
  double threshold = 0.05;  // of the largest root of the sum of squares: less counts as background
  const Cancel* cancel = nullptr;
};
/// Images of the middle of k-space (Hann window) over the root of their sum of squares. As k-space, 0 in the
/// background. Source   McKenzie et al., MRM 47:529 (2002)
Array low_resolution_maps(const Array& kspace, const Axes& axes, const std::string& coil_axis,
                          const LowResolutionOptions& options = {});

}  // namespace larmor::recon
