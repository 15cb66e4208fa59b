// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

namespace larmor::sim {

/// What a tissue is at 3 T. PD [1], times [s], shift [Hz].
struct TissueRow {
  const char* name;
  double PD, T1, T2, T2_star, shift;
};
/// Air, scalp, skull, CSF, grey matter, white matter: labels 0 to 5.
/// Source   T1, T2 of grey and white matter: Stanisz et al., MRM 54:507 (2005); fat: de Bazelaire et al., Radiology
/// 230:652 (2004); T1 of CSF: Lu et al., JMRI 22:13 (2005); T2_star: Peters et al., MRI 25:748 (2007); the rest nominal
std::span<const TissueRow> brain_tissues();

struct BrainMaps {
  Array labels;                   // u8
  Array PD, T1, T2, T2_star, df;  // f32; times 0 in air
};
/// A head of smooth and folded surfaces in the field of view [-1, 1): scalp, skull, CSF, a folded cortex, white matter,
/// ventricles and deep grey nuclei. Labels are those of voxel centres. df is the shift of the tissue and `df_peak` [Hz]
/// times a smooth field, strongest above the nose. Errors   Errc::shape unless 2 or 3 extents
BrainMaps brain_phantom(const Shape& shape, double df_peak = 100, const Cancel* cancel = nullptr);

}  // namespace larmor::sim
