// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dsc/residue.hpp>
#include <span>
#include <vector>

namespace larmor::dsc {

/// Which residues a deconvolution allows.
enum class Structure {
  causal,    // lower triangular Toeplitz matrix: nothing before the input. Tissue that sees the bolus first is misfit
  circulant  // block-circulant: curves padded with as many zeros, the residue may begin before time 0
};
/// How the convolution integral is summed.
enum class Rule {
  rectangle,  // step x sum of products
  trapezoid   // input and residue linear between samples: (a[i-1] + 4 a[i] + a[i+1]) / 6
};
Structure structure_of(const std::string& name);  // "causal", "circulant"; Errors   Errc::unknown_name
Rule rule_of(const std::string& name);            // "rectangle", "trapezoid"

/// Convolution with one arterial input as a matrix (n_data, n_residue) [s mM], row-major: tissue = matrix residue.
///
/// The circulant one is truly block-circulant: n_residue = 2 n, and each column is the one before, moved by one with
/// what leaves at the end coming back at the start; of its 2 n rows the padding is left out here.
/// Source   Ostergaard et al., MRM 36:715 (1996) (causal, both rules); Wu et al., MRM 50:164 (2003) (circulant)
std::vector<double> convolution_matrix(std::span<const double> aif, double step, Structure structure, Rule rule);

/// Its singular value decomposition, once for all voxels. For the circulant matrix (all 2 n rows) it is the discrete
/// Fourier transform: singular values |A(f)|, in pairs of cosine and sine, whatever the bolus delay.
///
/// Residues are kept turned: sample i of V is the residue at time (i - before) step.
struct Basis {
  int n_data = 0, n_residue = 0, n_modes = 0, before = 0;
  double step = 0;
  Structure structure = Structure::circulant;
  std::vector<float> U, V;    // (n_modes, n_data), (n_modes, n_residue)
  std::vector<float> s;       // (n_modes) falling
  std::vector<int> step_end;  // modes up to here have the same singular value as the one before it
  std::vector<double> U64, V64, s64;
};
/// before   samples of negative time that the turned residue begins with (circulant)
/// Errors   Errc::range (fewer than 4 samples, step not above 0), Errc::numeric (an input that is 0 or not finite)
Basis decompose(std::span<const double> aif, double step, Structure structure, Rule rule, int before = 0);

/// Tissue curve of flow 1 at the times of the input: a residue model moved by `delay`.
///
/// trapezoid: the integral itself, with a smooth input through its samples (piecewise cubic). rectangle: the sums of
/// that rule, with the delay rounded to whole steps.
std::vector<double> tissue_curve(std::span<const double> aif, double step, const ResidueModel& residue, double MTT,
                                 double shape, double delay, Rule rule);
/// The exact one without delay every step / fine, for n + extra steps (the input's last value held).
std::vector<double> fine_tissue_curve(std::span<const double> aif, double step, const ResidueModel& residue, double MTT,
                                      double shape, int fine, std::size_t extra);

}  // namespace larmor::dsc
