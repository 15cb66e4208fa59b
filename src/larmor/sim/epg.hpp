// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <vector>

/// Extended phase graphs: the configurations F(k), Z(k) that pulses mix and gradients shift.
///
/// The sense of rotation is that of the Bloch equations here: a pulse of phase 0 turns Mz to +y,
///
///   F(k)' = cos^2(a/2) F(k) + e^{2 i p} sin^2(a/2) conj F(-k) + i e^{i p} sin(a) Z(k)
///   Z(k)' = (i/2) sin(a) (e^{-i p} F(k) - e^{i p} conj F(-k)) + cos(a) Z(k).
///
/// Source   Hennig, J. Magn. Reson. 78:397 (1988); Weigel, JMRI 41:266 (2015); diffusion: Weigel et al., J. Magn.
/// Reson. 205:276 (2010)
namespace larmor::sim {

/// One operation of a phase graph.
struct EpgOp {
  enum class Kind { pulse, evolve, read };
  Kind kind = Kind::pulse;
  double FA = 0, phase = 0;  // [rad]; read: phase of the receiver
  double tau = 0;            // evolve [s]
  int shift = 0;             // evolve: orders that the gradient adds

  static EpgOp pulse(double FA, double phase = 0) { return {.FA = FA, .phase = phase}; }
  static EpgOp evolve(double tau, int shift = 0) { return {.kind = Kind::evolve, .tau = tau, .shift = shift}; }
  static EpgOp read(double phase = 0) { return {.kind = Kind::read, .phase = phase}; }
};
using EpgSequence = std::vector<EpgOp>;

/// Tissues, one a place of a dictionary. Empty: B1 and M0 1, df [Hz] and D [mm2/s] 0.
struct EpgTissue {
  std::vector<float> T1, T2, B1 = {}, df = {}, D = {}, M0 = {};
  /// Errors   Errc::shape, Errc::range as Spins::check
  void check() const;
};

/// `n` echoes of a spoiled gradient echo: pulse, TE, read, TR - TE with one order. RF phase of pulse n is
/// increment n (n + 1) / 2; the receiver follows.
EpgSequence epg_spgr(double FA, double TR, double TE, int n,
                     double phase_increment = 117 * 3.14159265358979323846 / 180);
/// Balanced: nothing is left over a TR; pulses alternate in sign. `half` begins with FA / 2 and TR / 2.
EpgSequence epg_bssfp(double FA, double TR, int n, bool half = true);
/// 90 degrees, then refocusing pulses of these angles, echoes `spacing` apart; crushers of one order on both sides.
/// cpmg: refocusing pulses 90 degrees ahead of the excitation.
EpgSequence epg_fse(const std::vector<double>& FA, double spacing, bool cpmg = true);

struct EpgOptions {
  double dk = 0;       // [rad/mm] of one order, for diffusion
  int max_orders = 0;  // 0: all that can still be seen at a read
};
/// F(0) at each read, c64 (tissue, read). Orders that cannot return to 0 by the last read are left out; nothing else
/// is. Errors   Errc::range: no read, negative times, angles that are not finite; those of EpgTissue::check
Array epg_run(const EpgSequence& sequence, const EpgTissue& tissue, const EpgOptions& options = {},
              const Cancel* cancel = nullptr);

}  // namespace larmor::sim
