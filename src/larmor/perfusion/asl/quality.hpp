// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/core/array.hpp>
#include <optional>
#include <span>

namespace larmor::asl {

/// Figures that say how good a CBF map is. NaN where what they need was not given.
struct Quality {
  double mean_GM = 0, mean_WM = 0;         // [mm3/(g s)] over voxels of at least 70 % of the tissue
  double ratio = 0;                        // grey to white
  double spatial_CoV = 0;                  // sd / mean of CBF in grey matter (without tissues: in the mask)
  double negative_GM = 0;                  // fraction of grey-matter voxels with CBF < 0
  double structure = 0;                    // QEI: correlation of CBF with 2.5 GM + WM
  double dispersion = 0;                   // QEI: pooled variance over mean of grey matter [mL/100g/min]
  double QEI = 0;                          // 0 (useless) to 1
  std::int64_t n_GM = 0, n_WM = 0, n = 0;  // voxels
};

/// Geometric mean of three parts: likeness to structure 1 - exp(-3.0126 r^2.4419), scatter exp(-0.054 d^0.9272), and
/// negative flow exp(-2.8478 p^0.5196).
///
/// structure   correlation r of CBF with 2.5 GM + WM; below 0 counts as 0
/// dispersion  pooled variance over the mean of grey matter d [mL/100g/min]
/// negative    fraction p of grey-matter voxels with CBF < 0
/// Source   Dolui et al., JMRI 60:2497 (2024); constants as ASLPrep 0.7 has them (Adebimpe et al., Nat Methods 19:683
///          (2022))
double evaluation_index(double structure, double dispersion, double negative);

/// cbf     (x, y, z) [mm3/(g s)], NaN where there is none
/// GM WM CSF  fractions of tissue (x, y, z), 0..1; empty when not known
/// spacing [mm] of the voxels: QEI and its parts are of the map smoothed with 5 mm, as they were made for; none: as is
/// Errors  Errc::shape; Errc::range (fractions that are none)
/// Source  Mutsaerts et al., JCBFM 37:3184 (2017), spatial CoV
Quality quality_of(const Array& cbf, std::span<const std::uint8_t> mask, const Array& GM = {}, const Array& WM = {},
                   const Array& CSF = {}, std::optional<std::array<double, 3>> spacing = {});

}  // namespace larmor::asl
