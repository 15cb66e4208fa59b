// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/sequence.hpp>
#include <larmor/data/trajectory.hpp>
#include <larmor/recon/trajectory/arms.hpp>

/// Trajectories out of others, and out of pulse sequences.
namespace larmor::recon {

/// A plane trajectory in n partitions along z, partition p at kz = p - floor(n / 2), each turned by `angle` against the
/// one before: (sample, arm, ..., partition, 3).
/// Errors   Errc::shape unless it has 2 axes, Errc::range
Trajectory stack(const Trajectory& plane, std::int64_t partitions, double fov_z_mm, double angle = 0);

/// Samples at t - delay of each axis [s], by a parabola through the nearest three; before the first and after the last
/// sample the parabola goes on.
/// Errors   Errc::shape for a trajectory of fewer than 3 samples, Errc::range
Trajectory delayed(const Trajectory& traj, double dwell, const Vec3& delay);

/// Positions that come as numbers.
enum class KUnit { cycles_per_fov, cycles_per_pixel, radians_per_pixel, cycles_per_metre };
KUnit k_unit(std::string_view name);
/// positions   real (sample, arm, ..., d); matrix [d], fov [mm] (empty only where the unit does not need it)
/// Errors   those of Trajectory::check; Errc::usage for cycles/m without a field of view
Trajectory from_positions(const Array& positions, KUnit unit, std::vector<std::int64_t> matrix,
                          std::vector<double> fov);

/// The arms as a sequence: for each a block of an optional block pulse and one of the gradients and the sampling (one a
/// run, cut between them), waiting until TR. Gradient corners are the points of the raster.
///
/// Sampling begins on a whole microsecond, as Pulseq's files want it: the arm waits a few rasters for that. Where no
/// number of them does, gradients are played by a part of a microsecond later, as interpolated on the raster: samples
/// then lie off by less than slew rate x part x raster / 2 (0.003 cycles/FOV for 120 T/m/s, 0.5 us, 10 us and 240 mm).
struct SequenceOptions {
  double flip_angle = 0;           // [rad]; 0: no pulse
  double pulse_duration = 500e-6;  // [s], whole microseconds
  double TR = 0;                   // [s]; 0: as short as it can be
};
/// Errors   Errc::range for a TR that is too short (both times), those of Sequence::check
Sequence to_sequence(const ArmWaveforms& waves, const SequenceOptions& options = {});

/// k at all samples of a sequence: the integral of the gradients since the last excitation, with its sign turned at
/// each refocusing pulse. A pulse that does not say what it is for refocuses from 120 degrees on and excites below.
///
/// (sample, arm, d), one arm a sampling; d = 3, or 2 when z is never encoded
/// Errors   Errc::shape for samplings of different lengths or none, Errc::range
Trajectory sequence_trajectory(const Sequence& sequence, std::vector<double> fov,
                               std::vector<std::int64_t> matrix = {});

}  // namespace larmor::recon
