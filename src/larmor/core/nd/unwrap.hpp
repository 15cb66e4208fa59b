// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>

/// Phases without jumps of a full turn. Real arrays [rad]; f32 and f64 stay, integers give f32 or f64.
namespace larmor::nd {

/// v wrapped into (-pi, pi].
double wrapped(double v);
Array wrap(const Array& phase, const Cancel* cancel = nullptr);

/// Along one axis: every step becomes the one nearest to 0. Exact where the true steps are smaller than pi.
/// NaN is left out and kept. Source   Itoh, Applied Optics 21:2470 (1982)
Array unwrap_axis(const Array& phase, int axis, const Cancel* cancel = nullptr);

/// In the plane or the volume of the first two or three axes (further ones are a batch): pairs of neighbours are joined
/// in the order of their reliability, the inverse of the second differences of the phase around them, so that errors of
/// noisy regions stay there. Elements where `mask` is 0 are left out and become NaN; separate regions differ by a
/// multiple of 2 pi that is chosen such that each keeps the mean nearest to that of its wrapped phase.
/// Source   2D: Herraez et al., Applied Optics 41:7437 (2002); 3D: Abdul-Rahman et al., Applied Optics 46:6623 (2007)
Array unwrap_by_quality(const Array& phase, int dimensions, const Array* mask = nullptr,
                        const Cancel* cancel = nullptr);

}  // namespace larmor::nd
