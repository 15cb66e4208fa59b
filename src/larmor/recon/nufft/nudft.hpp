// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/data/trajectory.hpp>
#include <span>

namespace larmor::recon {

/// The exact sums that `Nufft` approximates, in double precision: the truth of tests and benches, and a reference for
/// small problems. One complex exponential a voxel row and sample, then turns: error below 1e-12 of the sum of moduli.
///
/// image    complex or real (x, y[, z], batch ...)
/// samples  complex (sample axes ..., batch ...)
/// weights  empty, or real of the sample axes
/// result   c128, with the axes that Nufft gives
/// Errors   those of Trajectory::check, Errc::shape, Errc::cancelled
Array nudft_forward(const Trajectory& traj, const Array& image, const Cancel* cancel = nullptr);
Array nudft_adjoint(const Trajectory& traj, const Shape& image, const Array& samples, const Array& weights = {},
                    const Cancel* cancel = nullptr);

/// The same at some samples, or voxels, only: (count, batch ...). `at` are indices into the samples (voxels), first
/// axis fastest. Errors   also Errc::range for an index beyond
Array nudft_forward_at(const Trajectory& traj, const Array& image, std::span<const std::int64_t> at,
                       const Cancel* cancel = nullptr);
Array nudft_adjoint_at(const Trajectory& traj, const Shape& image, const Array& samples, const Array& weights,
                       std::span<const std::int64_t> at, const Cancel* cancel = nullptr);

}  // namespace larmor::recon
