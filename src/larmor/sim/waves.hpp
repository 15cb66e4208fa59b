// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>
#include <larmor/data/sequence.hpp>
#include <vector>

namespace larmor::sim {

/// A gradient of a block with its integrals, exact for the line through its corners.
class GradientWave {
 public:
  /// `scale` multiplies the values: gamma 1e-3 makes T/m to turns/(mm s).
  GradientWave(const Gradient* gradient, double scale);
  bool flat_zero() const { return at_.empty(); }
  double integral(double t) const;  // of g from the start of the block to t
  double moment(double t) const;    // of g t
  /// Integral over [a, b] of (integral of g from t to b)^2.
  double remaining_squared(double a, double b) const;
  double largest() const { return largest_; }

 private:
  struct At {
    double t, g, area, moment;
  };
  std::size_t piece(double t) const;
  double value(double t) const;
  std::vector<At> at_;
  double largest_ = 0;
};

/// B1 of a pulse with its frequency offset, as cells of constant field; its running integral.
class RfWave {
 public:
  /// `scale` multiplies the values: gamma makes T to turns/s.
  RfWave(const Rf& rf, double scale);
  double begin() const { return begin_; }
  double end() const { return begin_ + cell_ * static_cast<double>(sum_.size() - 1); }
  std::size_t cells() const { return sum_.size() - 1; }
  std::complex<double> integral(double t) const;  // from the start of the pulse to t of the block
 private:
  double begin_ = 0, cell_ = 0;
  std::vector<std::complex<double>> sum_;
};

}  // namespace larmor::sim
