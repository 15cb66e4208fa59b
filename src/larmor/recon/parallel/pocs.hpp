// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/progress.hpp>
#include <larmor/recon/homodyne.hpp>
#include <vector>

namespace larmor::recon {

struct PocsOptions {
  int iterations = 20;
  double tolerance = 1e-4;  // ends when k-space changes by less, relative to its norm; 0: never
  const Cancel* cancel = nullptr;
  Progress progress = {};
};
struct Pocs {
  Array image;                 // complex, unitary scaling
  std::vector<double> change;  // of k-space in every iteration, relative
};
/// Image of partly sampled k-space by projections in turn onto two sets: images with the phase that the symmetric part
/// shows (their magnitude is kept), and k-space that holds what was measured. Unlike homodyne, nothing that was
/// measured is changed.
///
/// kspace, axis, axes, sampled as homodyne() has them, with its errors; Errc::range for iterations under 1 and for NaN
/// Source   Haacke, Lindskog and Lin, J. Magn. Reson. 92:126 (1991)
Pocs pocs(const Array& kspace, int axis, std::span<const int> axes, const Sampled& sampled,
          const PocsOptions& options = {});

}  // namespace larmor::recon
