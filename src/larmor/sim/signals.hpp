// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>

/// Steady-state signals in closed form. Times in s, angles in rad, signals in units of M0; NaN for times that are not
/// positive, as a voxel outside the object is.
namespace larmor::sim {

/// Spoiled gradient echo, M0 sin FA (1 - E1) / (1 - cos FA E1) exp(-TE / T2_star), E1 = exp(-TR / T1).
/// Source   Ernst and Anderson, Rev. Sci. Instrum. 37:93 (1966)
double spgr_signal(double M0, double T1, double T2_star, double FA, double TR, double TE);
/// acos(exp(-TR / T1)), the flip angle of most signal.
double ernst_angle(double T1, double TR);

/// Inversion by the angle FA_inversion, 90 degrees after TI, repeated each TR:
/// M0 (1 - (1 - c) exp(-TI / T1) - c exp(-TR / T1)) exp(-TE / T2), c = cos FA_inversion. Negative before the zero.
/// Source   Bernstein et al., Handbook of MRI Pulse Sequences (2004), ch. 14.2
double inversion_recovery_signal(double M0, double T1, double T2, double TI, double TR, double TE, double FA_inversion);

/// Balanced SSFP with alternating pulses at TE = TR / 2, of a spin of off-resonance df [Hz]; complex, in the frame of
/// the pulse that turns Mz to +y. Source   Freeman and Hill, J. Magn. Reson. 4:366 (1971)
std::complex<double> bssfp_signal(double M0, double T1, double T2, double FA, double TR, double df);

/// 90 - TE / 2 - 180 - TE / 2: M0 (1 - 2 exp(-(TR - TE / 2) / T1) + exp(-TR / T1)) exp(-TE / T2).
/// Source   Bernstein et al., Handbook of MRI Pulse Sequences (2004), ch. 14.3
double spin_echo_signal(double M0, double T1, double T2, double TR, double TE);

}  // namespace larmor::sim
