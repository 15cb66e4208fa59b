// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <span>

namespace larmor::asl {

/// Figures that say how good a CBF map is. NaN where what they need was not given.
struct Quality {
  double mean_GM = 0, mean_WM = 0;         // [mm3/(g s)] over voxels of at least 70 % of the tissue
  double ratio = 0;                        // grey to white
  double spatial_CoV = 0;                  // sd / mean of CBF in grey matter (without tissues: in the mask)
  double negative_GM = 0;                  // fraction of grey-matter voxels with CBF < 0
  double structure = 0;                    // correlation of CBF with 2.5 GM + WM
  double dispersion = 0;                   // pooled variance over mean of grey matter [mL/100g/min]
  double QEI = 0;                          // 0 (useless) to 1
  std::int64_t n_GM = 0, n_WM = 0, n = 0;  // voxels
};

/// cbf     (x, y, z) [mm3/(g s)], NaN where there is none; not smoothed (QEI was made for maps smoothed with 5 mm)
/// GM WM CSF  fractions of tissue (x, y, z), 0..1; empty when not known
/// Errors  Errc::shape
/// Source  Mutsaerts et al., JCBFM 37:3184 (2017), spatial CoV; Dolui et al., JMRI 60:2497 (2024), QEI
Quality quality_of(const Array& cbf, std::span<const std::uint8_t> mask, const Array& GM = {}, const Array& WM = {},
                   const Array& CSF = {});

}  // namespace larmor::asl
