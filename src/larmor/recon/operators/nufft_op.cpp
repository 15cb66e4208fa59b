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

Array times(double factor, Array a) {
  a = a.contiguous_copy();
  scale(factor, a);
  return a;
}

/// Plan is a Nufft or has its functions.
template <class Plan>
class NufftOp : public LinearOp {
 public:
  NufftOp(std::string name, Plan plan, const Nufft& like, const Shape& batch, const Axes& batch_axes)
      : LinearOp(std::move(name), space_of(like.image_shape(), like.image_axes(), batch, batch_axes),
                 space_of(like.sample_shape(), like.sample_axes(), batch, batch_axes)),
        plan_(std::move(plan)),
        factor_(1 / std::sqrt(voxels_of(like.image_shape()))) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override { return times(factor_, plan_.forward(x, cancel)); }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    return times(factor_, plan_.adjoint(y, {}, cancel));
  }
  double factor() const { return factor_; }

 private:
  Plan plan_;
  double factor_;
};

class ToeplitzNufftOp final : public NufftOp<Nufft> {
 public:
  ToeplitzNufftOp(const Nufft& plan, ToeplitzNormal normal, const Shape& batch, const Axes& batch_axes)
      : NufftOp("nufft", plan, plan, batch, batch_axes), normal_(std::move(normal)) {}

 protected:
  Array run_normal(const Array& x, const Cancel* cancel) const override {
    return times(factor() * factor(), normal_.apply(x, cancel));
  }

 private:
  ToeplitzNormal normal_;
};

class ToeplitzOp final : public LinearOp {
 public:
  ToeplitzOp(ToeplitzNormal normal, const Space& image)
      : LinearOp("toeplitz", image, image), normal_(std::move(normal)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    return times(1 / voxels_of(normal_.image_shape()), normal_.apply(x, cancel));
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override { return run(y, cancel); }

 private:
  ToeplitzNormal normal_;
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

Op nufft_op(const Nufft& plan, const Shape& batch, const Axes& batch_axes) {
  return std::make_shared<NufftOp<Nufft>>("nufft", plan, plan, batch, batch_axes);
}
Op nufft_op(const Nufft& plan, ToeplitzNormal normal, const Shape& batch, const Axes& batch_axes) {
  if (plan.image_shape() != normal.image_shape())
    throw Error(Errc::shape, fmt::format("nufft: the convolution is for an image of {} and the plan for {}",
                                         to_string(normal.image_shape()), to_string(plan.image_shape())));
  return std::make_shared<ToeplitzNufftOp>(plan, std::move(normal), batch, batch_axes);
}
Op toeplitz_op(ToeplitzNormal normal, const Shape& batch, const Axes& batch_axes) {
  const Axes axes = normal.image_shape().size() == 3 ? Axes{"x", "y", "z"} : Axes{"x", "y"};
  const Space image = space_of(normal.image_shape(), axes, batch, batch_axes);
  return std::make_shared<ToeplitzOp>(std::move(normal), image);
}
Op off_resonance_op(OffResonanceNufft plan, const Shape& batch, const Axes& batch_axes) {
  const Nufft like = plan.plan();
  return std::make_shared<NufftOp<OffResonanceNufft>>("nufft with off-resonance", std::move(plan), like, batch,
                                                      batch_axes);
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
