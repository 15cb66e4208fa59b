// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/recon/operators/wavelet.hpp>
#include <string>

namespace larmor::recon {

/// f(T x): what an image is wanted to have little of, weight and all.
struct Penalty {
  std::string name;
  /// T; none: the identity. A penalty with a closed form in the image (wavelets that are orthogonal) needs no T.
  Op transform = {};
  /// argmin over u of step f(u) + |u - v|^2 / 2 for v = T x. `iteration` chooses a random shift where there is one.
  std::function<Array(const Array& v, double step, int iteration)> prox;
  std::function<double(const Array& v)> value;
};

/// Magnitudes made smaller by `by`, phases kept; 0 where they are smaller: the proximal map of by |x|.
Array soft_threshold(const Array& x, double by);
/// The same for vectors along the last axis, by their lengths.
Array group_threshold(const Array& x, double by);

/// weight x sum |x|
Penalty l1(double weight);
/// weight x sum |W x| of an orthogonal wavelet transform. With `shift` the image is moved by another random distance in
/// every iteration (cycle spinning: Figueiredo and Nowak, IEEE Trans. Image Process. 12:906 (2003)), so that no grid of
/// blocks shows; the value is then that of the transform without shift, and the cost need not fall in every step.
Penalty l1_wavelet(const Space& image, const Axes& axes, double weight, const WaveletOptions& wavelet = {},
                   bool shift = true);
/// Isotropic total variation, weight x sum of the lengths of the gradients. Not orthogonal: for admm.
/// Source   Rudin, Osher and Fatemi, Physica D 60:259 (1992)
Penalty total_variation(const Space& image, const Axes& axes, double weight);
/// weight x sum of the singular values of the matrices (voxels of a block, all along `across`), for blocks that tile
/// space; they move by a random distance in every iteration when `shift`.
/// Errors   Errc::range for a block under 1, Errc::unknown_name
/// Source   Trzasko and Manduca, ISMRM 2011, 4371; Zhang, Pauly and Levesque, MRM 73:655 (2015)
Penalty locally_low_rank(const Space& image, const Axes& axes, const std::string& across, std::int64_t block,
                         double weight, bool shift = true);

}  // namespace larmor::recon
