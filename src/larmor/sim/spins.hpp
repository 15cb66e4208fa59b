// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <complex>
#include <cstdint>
#include <larmor/core/array.hpp>
#include <string>
#include <vector>

namespace larmor::sim {

/// Spins as a structure of arrays. Those left empty mean: at 0 (places, df, v, D), 1 (M0, B1), one coil of
/// sensitivity 1.
///
/// T1, T2   [s], > 0, T2 <= 2 T1 (what relaxation theory allows)
/// x y z    [mm];  v [mm/s];  D [mm2/s]
/// df       off-resonance with chemical shift [Hz]; positive turns clockwise, exp(-2 pi i df t)
/// B1       transmit field over the nominal one [1];  M0 [a.u.]
/// coil     receive sensitivities (spin, coil), first index fastest
struct Spins {
  std::vector<double> x, y, z, df, vx, vy, vz;
  std::vector<float> T1, T2, M0, B1, D;
  std::vector<std::complex<float>> coil;
  /// How the spins lie, first axis fastest, so that results can be shown along one; empty: (spin).
  Shape shape;
  Axes axes;
  /// Places along each axis of `axes`; empty where they are only counted.
  std::vector<std::vector<double>> ticks;

  std::size_t size() const { return T1.size(); }
  int coils() const { return coil.empty() || T1.empty() ? 1 : static_cast<int>(coil.size() / T1.size()); }
  /// Errors   Errc::shape (counts), Errc::range with the spin: no spins, T1 or T2 that are not > 0, T2 > 2 T1, numbers
  /// that are not finite, T2 below 1 us, B1 < 0, D < 0
  void check() const;
};

/// Every combination of the values given, x fastest, then y, z, df, T1, T2, B1.
struct SpinGrid {
  std::vector<double> x{0}, y{0}, z{0};       // [mm]
  std::vector<double> df{0};                  // [Hz]
  std::vector<double> T1{1}, T2{0.1}, B1{1};  // [s], [1]
  /// Reversible decay: `isochromats` offsets at even quantiles of a Lorentzian of width 1 / (2 pi T2_prime) around each
  /// df, an axis "isochromat"; 0: none. Their mean follows exp(-t / T2_prime) up to about isochromats / 8 decays.
  double T2_prime = 0;
  int isochromats = 1;
  std::array<double, 3> velocity{};  // [mm/s]
  double D = 0, M0 = 1;              // [mm2/s], of every spin
};
/// Errors   Errc::range, Errc::shape as Spins::check; Errc::range for more than 1e9 spins, T2_prime < 0
Spins spin_grid(const SpinGrid& grid);

/// `n` spins evenly at random in a box, the same on every machine for one seed.
struct SpinCloud {
  std::int64_t n = 1000;
  std::array<double, 3> low{-5, -5, -5}, high{5, 5, 5};  // [mm]
  double T1 = 1, T2 = 0.1;
  double df = 0, df_sd = 0;  // normal spread [Hz]
  double T2_prime = 0;       // further Lorentzian spread; 0: none
  std::array<double, 3> velocity{};
  double D = 0, M0 = 1;
  std::uint64_t seed = 1;
};
Spins spin_cloud(const SpinCloud& cloud);

/// n values from `first` to `last`, both included; the middle when n is 1.
std::vector<double> spaced(double first, double last, int n);

/// Voxel maps as spins: those of positive density, `per_axis` places a voxel along each axis that has more than one.
/// All arrays real, of one shape (x, y[, z]).
struct VoxelMaps {
  Array PD, T1, T2;                      // [a.u.], [s]
  Array df = {};                         // [Hz], or empty
  Array T2_star = {};                    // [s], or empty: 1 / T2' = 1 / T2_star - 1 / T2 as `isochromats` offsets
  Array coils = {};                      // complex (x, y[, z], coil), or empty
  std::array<double, 3> voxel{1, 1, 1};  // [mm]; voxel i of n lies at i - floor(n / 2)
  int per_axis = 1, isochromats = 1;
};
/// M0 is PD over the number of spins of a voxel. Errors   Errc::shape, and those of Spins::check
Spins voxel_spins(const VoxelMaps& maps);

}  // namespace larmor::sim
