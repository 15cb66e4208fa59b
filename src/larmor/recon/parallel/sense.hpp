// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/progress.hpp>
#include <larmor/recon/parallel/sampling.hpp>

namespace larmor::recon {

struct SenseOptions {
  double l2 = 0;  // added to the squared sensitivities (of sum 1 a voxel where they are normed)
  std::vector<std::int64_t> factors = {};  // by axis; see find_lattice
  const Cancel* cancel = nullptr;
  Progress progress = {};
};
struct Sense {
  Array image;  // c64, without coils
  /// Noise above what the number of samples alone explains, sqrt((M^-1)_jj M_jj) with M = E^H E; f32, 1 at least
  /// unless regularised, 0 where no coil receives. With l2, of the estimate that is biased by it.
  Array g;
  Lattice lattice;
};

/// Image of regularly undersampled Cartesian k-space: the voxels that fold onto one are told apart by what the coils
/// see of each.
///
///   R a_c(x) = sum over j of exp(-2 pi i j q / R) s_c(x_j) m(x_j),   x_j = x + j n / R
///
/// kspace   complex, centred along `axes`, full size with 0 where nothing was sampled, noise whitened, with a coil
/// axis;
///          further axes (slices, times) as the maps have them, or repeated
/// maps     sensitivities, complex; 0 in every coil where there is no object: those voxels stay out
/// axes     axes to transform, 1 to 3; samples beside the lattice are not used
/// Voxels whose equations are singular are NaN (with l2 > 0 there are none).
/// Errors   Errc::shape for maps of another size, or an extent that is no multiple of the factor, with both;
///          Errc::range for NaN, for samples that form no lattice, and l2 < 0
/// Source   Pruessmann et al., MRM 42:952 (1999)
Sense sense(const Array& kspace, const Array& maps, const Axes& axes, const std::string& coil_axis,
            const SenseOptions& options = {});

}  // namespace larmor::recon
