// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

namespace larmor::recon {

/// Eigenvectors of the largest eigenvalues of the operator in the n voxels of a row, by orthogonal iteration: voxels
/// lie side by side in every array, so that all of them advance together.
class EigenRow {
 public:
  EigenRow(std::int64_t n, std::int64_t coils, std::int64_t maps)
      : n_(static_cast<std::size_t>(n)),
        coils_(static_cast<std::size_t>(coils)),
        maps_(static_cast<std::size_t>(maps)),
        re(n_ * coils_ * (coils_ + 1) / 2),
        im(re.size()),
        v_re_(n_ * coils_ * maps_),
        v_im_(v_re_.size()),
        w_re_(n_ * coils_),
        w_im_(w_re_.size()),
        value(n_ * maps_),
        scratch_re_(n_),
        scratch_im_(n_) {
    // No eigenvector is orthogonal to all of these, and none is their multiple.
    for (std::size_t m = 0; m < maps_; ++m)
      for (std::size_t c = 0; c < coils_; ++c) {
        const std::complex<double> start =
            std::polar(1.0, 2.4 * static_cast<double>((m + 1) * c) + 0.3 * static_cast<double>(c * c));
        for (std::size_t i = 0; i < n_; ++i)
          v_re_[at(m, c) + i] = static_cast<float>(start.real()),
                           v_im_[at(m, c) + i] = static_cast<float>(start.imag());
      }
  }

  // Starts from the row before, which is near: few rounds are needed.
  void iterate() {
    for (int round = 0; round < 60; ++round) {
      float moved = 0;
      for (std::size_t m = 0; m < maps_; ++m) {
        multiply(m);
        for (std::size_t k = 0; k < m; ++k) project_out(k);
        moved = std::max(moved, normalise(m));
      }
      // Eigenvalues settle with the square of the vectors: these are good to 1e-3 then, values to 1e-6. Rows of
      // background, where nothing is to be found, end by the count.
      if (moved < 2e-6f) break;
    }
  }
  std::complex<double> map(std::size_t m, std::size_t c, std::size_t i) const {
    return {v_re_[at(m, c) + i], v_im_[at(m, c) + i]};
  }

 private:
  std::size_t at(std::size_t m, std::size_t c) const { return n_ * (c + coils_ * m); }
  void multiply(std::size_t m) {
    std::fill(w_re_.begin(), w_re_.end(), 0.0f), std::fill(w_im_.begin(), w_im_.end(), 0.0f);
    for (std::size_t a = 0; a < coils_; ++a)
      for (std::size_t b = 0; b <= a; ++b) {
        const float *gr = &re[n_ * (a * (a + 1) / 2 + b)], *gi = &im[n_ * (a * (a + 1) / 2 + b)];
        const float *br = &v_re_[at(m, b)], *bi = &v_im_[at(m, b)];
        float *wr = &w_re_[n_ * a], *wi = &w_im_[n_ * a];
        for (std::size_t i = 0; i < n_; ++i)
          wr[i] += gr[i] * br[i] - gi[i] * bi[i], wi[i] += gr[i] * bi[i] + gi[i] * br[i];
        if (a == b) continue;
        const float *ar = &v_re_[at(m, a)], *ai = &v_im_[at(m, a)];
        float *ur = &w_re_[n_ * b], *ui = &w_im_[n_ * b];
        for (std::size_t i = 0; i < n_; ++i)
          ur[i] += gr[i] * ar[i] + gi[i] * ai[i], ui[i] += gr[i] * ai[i] - gi[i] * ar[i];
      }
  }
  void project_out(std::size_t k) {  // w -= v_k (v_k^H w)
    std::fill(scratch_re_.begin(), scratch_re_.end(), 0.0f), std::fill(scratch_im_.begin(), scratch_im_.end(), 0.0f);
    for (std::size_t c = 0; c < coils_; ++c) {
      const float *vr = &v_re_[at(k, c)], *vi = &v_im_[at(k, c)], *wr = &w_re_[n_ * c], *wi = &w_im_[n_ * c];
      for (std::size_t i = 0; i < n_; ++i)
        scratch_re_[i] += vr[i] * wr[i] + vi[i] * wi[i], scratch_im_[i] += vr[i] * wi[i] - vi[i] * wr[i];
    }
    for (std::size_t c = 0; c < coils_; ++c) {
      const float *vr = &v_re_[at(k, c)], *vi = &v_im_[at(k, c)];
      float *wr = &w_re_[n_ * c], *wi = &w_im_[n_ * c];
      for (std::size_t i = 0; i < n_; ++i) {
        wr[i] -= vr[i] * scratch_re_[i] - vi[i] * scratch_im_[i];
        wi[i] -= vr[i] * scratch_im_[i] + vi[i] * scratch_re_[i];
      }
    }
  }
  // The vector of norm 1 goes to v, its norm to the value; returns the largest square of a change.
  float normalise(std::size_t m) {
    float* size = &value[n_ * m];
    std::fill(size, size + n_, 0.0f);
    for (std::size_t c = 0; c < coils_; ++c) {
      const float *wr = &w_re_[n_ * c], *wi = &w_im_[n_ * c];
      for (std::size_t i = 0; i < n_; ++i) size[i] += wr[i] * wr[i] + wi[i] * wi[i];
    }
    for (std::size_t i = 0; i < n_; ++i) size[i] = std::sqrt(size[i]);
    std::fill(scratch_re_.begin(), scratch_re_.end(), 0.0f);
    for (std::size_t i = 0; i < n_; ++i) scratch_im_[i] = size[i] > 1e-20f ? 1 / size[i] : 0.0f;
    for (std::size_t c = 0; c < coils_; ++c) {
      const float *wr = &w_re_[n_ * c], *wi = &w_im_[n_ * c];
      float *vr = &v_re_[at(m, c)], *vi = &v_im_[at(m, c)];
      for (std::size_t i = 0; i < n_; ++i) {
        const float x = wr[i] * scratch_im_[i], y = wi[i] * scratch_im_[i], dx = x - vr[i], dy = y - vi[i];
        scratch_re_[i] += dx * dx + dy * dy;
        vr[i] = x, vi[i] = y;
      }
    }
    return *std::max_element(scratch_re_.begin(), scratch_re_.end());
  }

  std::size_t n_, coils_, maps_;

 public:
  std::vector<float> re, im;  // the operator, (voxel, pair)

 private:
  std::vector<float> v_re_, v_im_, w_re_, w_im_;

 public:
  std::vector<float> value;  // (voxel, map)

 private:
  std::vector<float> scratch_re_, scratch_im_;
};

}  // namespace larmor::recon
