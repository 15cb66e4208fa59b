// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/operators/nufft_op.hpp>
#include <larmor/recon/operators/vectors.hpp>

namespace larmor::recon {
namespace {

using F = std::complex<float>;

Space space_of(const Shape& shape, const Axes& axes, const Shape& batch, const Axes& batch_axes) {
  if (batch.size() != batch_axes.size())
    throw Error(Errc::shape,
                fmt::format("nufft: {} extents and {} names of batch axes", batch.size(), batch_axes.size()));
  Space out{shape, axes, DType::c64};
  out.shape.insert(out.shape.end(), batch.begin(), batch.end());
  out.axes.insert(out.axes.end(), batch_axes.begin(), batch_axes.end());
  return out;
}

double voxels_of(const Shape& image) {
  double n = 1;
  for (const auto extent : image) n *= static_cast<double>(extent);
  return n;
}

class NufftOp final : public LinearOp {
 public:
  NufftOp(Nufft plan, Space image, Space samples)
      : LinearOp("nufft", std::move(image), std::move(samples)),
        plan_(std::move(plan)),
        factor_(1 / std::sqrt(voxels_of(plan_.image_shape()))) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override { return scaled(plan_.forward(x, cancel)); }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    return scaled(plan_.adjoint(y, {}, cancel));
  }

 private:
  Array scaled(Array a) const {
    a = a.contiguous_copy();
    scale(factor_, a);
    return a;
  }
  Nufft plan_;
  double factor_;
};

// Sum over coils and voxels of conj(s(x)) s(x + d) at d = voxel - middle, over its value at d = 0.
Array autocorrelation(const Array& maps, const Nufft& plan, const std::vector<int>& axes, const Cancel* cancel) {
  Array one(DType::c64, plan.image_shape(), plan.image_axes());
  for (auto& v : one.span<F>()) v = 1;
  const Array s = maps.empty() ? one : maps.cast(DType::c64);
  // Twice the size, so that nothing comes around.
  Array wide = s;
  for (const int a : axes) wide = nd::resize(wide, a, 2 * s.extent(a), 0, cancel);
  const Array magnitude = nd::apply(nd::Unary::abs, fft(wide, axes, {.centred = true, .cancel = cancel}), cancel);
  Array power = nd::apply(nd::Unary::square, magnitude, cancel);
  std::vector<int> others;
  for (int a = static_cast<int>(axes.size()); a < power.rank(); ++a) others.push_back(a);
  if (!others.empty()) power = nd::reduce(nd::Reduction::sum, power, others, {.cancel = cancel});
  Array out = ifft(power.cast(DType::c64), axes, {.norm = FftNorm::by_n, .centred = true, .cancel = cancel});
  for (const int a : axes) out = nd::resize(out, a, s.extent(a), 0, cancel);
  out = out.contiguous_copy();
  std::int64_t at = 0, stride = 1;
  for (const int a : axes) at += out.extent(a) / 2 * stride, stride *= out.extent(a);
  const double middle = std::abs(out.data<F>()[at]);
  if (middle > 0) scale(1 / middle, out);
  return out;
}

}  // namespace

Op nufft_op(Nufft plan, const Shape& batch, const Axes& batch_axes) {
  Space image = space_of(plan.image_shape(), plan.image_axes(), batch, batch_axes),
        samples = space_of(plan.sample_shape(), plan.sample_axes(), batch, batch_axes);
  return std::make_shared<NufftOp>(std::move(plan), std::move(image), std::move(samples));
}

std::function<Array(const Array&)> circulant_preconditioner(const Nufft& plan, const Array& weights, double l2,
                                                            const Array& maps, const Cancel* cancel) {
  if (!(l2 >= 0)) throw Error(Errc::range, fmt::format("preconditioner: l2 = {}", l2), "give 0 or more");
  Array middle(DType::c64, plan.image_shape(), plan.image_axes());
  std::int64_t at = 0, stride = 1;
  std::vector<int> axes;
  for (int a = 0; a < middle.rank(); ++a)
    at += middle.extent(a) / 2 * stride, stride *= middle.extent(a), axes.push_back(a);
  middle.data<F>()[at] = 1;
  Array psf = plan.adjoint(plan.forward(middle, cancel), weights, cancel).contiguous_copy();
  scale(1 / voxels_of(plan.image_shape()), psf);
  psf = nd::apply(nd::Binary::multiply, psf, autocorrelation(maps, plan, axes, cancel), cancel);
  // Its centred transform is the circulant's spectrum: of a point in the middle, so real up to what is not circulant.
  const Array spectrum = fft(psf, axes, {.centred = true, .cancel = cancel});
  Array inverse(DType::f32, spectrum.shape(), spectrum.axes());
  float most = 0;
  for (const auto v : spectrum.span<F>()) most = std::max(most, v.real());
  // Corners that no sample reaches are nearly empty: bounded, so that they are not blown up.
  const float least = std::max(1e-2f * most, 1e-30f);
  for (std::int64_t i = 0; i < spectrum.size(); ++i)
    inverse.data<float>()[i] = 1 / (std::max(spectrum.data<F>()[i].real(), least) + static_cast<float>(l2));
  return [inverse, axes](const Array& r) {
    const FftOptions unitary{.norm = FftNorm::unitary, .centred = true};
    return ifft(nd::apply(nd::Binary::multiply, fft(r, axes, unitary), inverse), axes, unitary);
  };
}

}  // namespace larmor::recon
