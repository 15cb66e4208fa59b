// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/sim/signals.hpp>
#include <limits>
#include <numbers>

namespace larmor::sim {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double pi = std::numbers::pi;

}  // namespace

double spgr_signal(double M0, double T1, double T2_star, double FA, double TR, double TE) {
  if (!(T1 > 0) || !(T2_star > 0)) return nan;
  const double E1 = std::exp(-TR / T1);
  return M0 * std::sin(FA) * (1 - E1) / (1 - std::cos(FA) * E1) * std::exp(-TE / T2_star);
}

double ernst_angle(double T1, double TR) { return T1 > 0 ? std::acos(std::exp(-TR / T1)) : nan; }

double inversion_recovery_signal(double M0, double T1, double T2, double TI, double TR, double TE,
                                 double FA_inversion) {
  if (!(T1 > 0) || !(T2 > 0)) return nan;
  const double c = std::cos(FA_inversion);
  return M0 * (1 - (1 - c) * std::exp(-TI / T1) - c * std::exp(-TR / T1)) * std::exp(-TE / T2);
}

std::complex<double> bssfp_signal(double M0, double T1, double T2, double FA, double TR, double df) {
  if (!(T1 > 0) || !(T2 > 0)) return nan;
  using C = std::complex<double>;
  const double E1 = std::exp(-TR / T1), E2 = std::exp(-TR / T2), c = std::cos(FA);
  // In the frame of the pulses each TR turns by half a turn more.
  const double turn = 2 * pi * df * TR + pi;
  const double d = (1 - E1 * c) * (1 - E2 * std::cos(turn)) - E2 * (E1 - c) * (E2 - std::cos(turn));
  const C after = C(0, 1) * M0 * (1 - E1) * std::sin(FA) * (1.0 - E2 * std::polar(1.0, turn)) / d;
  return after * std::polar(std::exp(-0.5 * TR / T2), -pi * df * TR);
}

double spin_echo_signal(double M0, double T1, double T2, double TR, double TE) {
  if (!(T1 > 0) || !(T2 > 0)) return nan;
  return M0 * (1 - 2 * std::exp(-(TR - 0.5 * TE) / T1) + std::exp(-TR / T1)) * std::exp(-TE / T2);
}

}  // namespace larmor::sim
