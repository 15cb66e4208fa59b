// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/recon/nufft/plan.hpp>

namespace larmor::recon {
namespace nufft {
namespace {

using Complex = std::complex<float>;

struct Batch {
  Shape shape;
  Axes axes;
  std::int64_t count = 1;
};

/// What of `a` lies behind axes of the shape `need`.
Batch batch_of(const Array& a, const Shape& need, const char* what, const char* order) {
  const auto rank = static_cast<std::size_t>(a.rank());
  bool right = rank >= need.size();
  for (std::size_t i = 0; right && i < need.size(); ++i) right = a.shape()[i] == need[i];
  if (!right)
    throw Error(Errc::shape,
                fmt::format("NUFFT: {} are {} and the plan is for {}", what, a.describe(), to_string(need)),
                fmt::format("give {}", order));
  Batch out;
  for (std::size_t i = need.size(); i < rank; ++i) {
    out.shape.push_back(a.shape()[i]), out.axes.push_back(a.axes()[i]);
    out.count *= a.shape()[i];
  }
  return out;
}

Array joined(const Shape& shape, const Axes& axes, const Batch& batch, Device device) {
  Shape s = shape;
  Axes names = axes;
  s.insert(s.end(), batch.shape.begin(), batch.shape.end());
  for (const auto& name : batch.axes) {
    std::string unused = name;
    while (std::find(names.begin(), names.end(), unused) != names.end()) unused += "_";
    names.push_back(unused);
  }
  return Array::uninitialised(DType::c64, s, names, device);
}

Array ready(const Array& a, const char* what, Device device) {
  if (a.device() != device)
    throw Error(Errc::device,
                fmt::format("NUFFT: {} are on {} and the plan is on {}", what, a.device().str(), device.str()),
                "move one of them");
  return a.cast(DType::c64).contiguous_copy();
}

/// The density compensation as the kernels take it; rank 0: none.
Array ready_weights(const Nufft::Plan& plan, const Array& weights) {
  if (weights.rank() == 0) return {};
  if (weights.shape() != plan.samples)
    throw Error(Errc::shape, fmt::format("NUFFT: weights are {} and the trajectory has {} samples", weights.describe(),
                                         to_string(plan.samples)));
  const bool complex = weights.dtype() == DType::c64 || weights.dtype() == DType::c128;
  const Array w = weights.to(Device::cpu()).cast(complex ? DType::c64 : DType::f32).contiguous_copy();
  const auto* parts = static_cast<const float*>(w.raw());
  if (std::all_of(parts, parts + w.size() * (complex ? 2 : 1), [](float x) { return x == 0; }))
    throw Error(Errc::range, "NUFFT: every weight is 0, and so would be the image",
                "look at the density compensation, or leave it out");
  return w.to(plan.options.device);
}

void require_room(const Array& out, const Shape& shape, const Batch& batch, const char* what, Device device) {
  Shape need = shape;
  need.insert(need.end(), batch.shape.begin(), batch.shape.end());
  if (out.device() != device || out.dtype() != DType::c64 || out.shape() != need || !out.contiguous())
    throw Error(
        Errc::shape,
        fmt::format("NUFFT: {} are written into c64 {} on {}, contiguous, and {} is given", what, to_string(need),
                    device.str(), out.contiguous() ? out.describe() : "a view of " + out.describe()),
        "let the call without _into make it");
}

/// For kernels, which write one of samples and image and only read the other.
float* numbers(const Array& a) { return static_cast<float*>(const_cast<void*>(a.raw())); }

std::int64_t find_not_finite(const float* p, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    if (!std::isfinite(p[i])) return i;
  return -1;
}

/// A transform whose input is not finite anywhere is finite nowhere: one number of the result tells.
void check_finite(const Array& in, const Array& out, const Array& weights, std::int64_t n_in, std::int64_t n_out,
                  const char* what) {
  std::vector<BlockComplex> there;
  if (!out.device().is_cpu())
    there = probe_cuda(out.device(), static_cast<const BlockComplex*>(out.raw()), n_out, out.size() / n_out);
  for (std::int64_t b = 0; b * n_out < out.size(); ++b) {
    const Complex first = there.empty()
                              ? out.data<Complex>()[b * n_out]
                              : Complex(there[static_cast<std::size_t>(b)].re, there[static_cast<std::size_t>(b)].im);
    if (std::isfinite(first.real()) && std::isfinite(first.imag())) continue;
    if (!in.device().is_cpu()) {
      const Device cpu = Device::cpu();
      check_finite(in.to(cpu), out.to(cpu), weights.rank() > 0 ? weights.to(cpu) : weights, n_in, n_out, what);
    }
    const auto* given = reinterpret_cast<const float*>(in.data<Complex>() + b * n_in);
    if (const auto at = find_not_finite(given, 2 * n_in); at >= 0)
      throw Error(Errc::numeric, fmt::format("NUFFT: {} {} of transform {} is {}", what, at / 2, b, given[at]),
                  "replace what is not finite, by math.replace_nan for instance");
    if (weights.rank() > 0) {
      const std::int64_t parts = weights.dtype() == DType::c64 ? 2 : 1;
      const auto* w = static_cast<const float*>(weights.raw());
      if (const auto at = find_not_finite(w, parts * n_in); at >= 0)
        throw Error(Errc::numeric, fmt::format("NUFFT: weight {} is {}", at / parts, w[at]));
    }
    throw Error(Errc::numeric, fmt::format("NUFFT: transform {} goes beyond single precision", b),
                "scale the data down");
  }
}

}  // namespace
}  // namespace nufft

namespace {
constexpr const char *images_order = "(x, y[, z], batch ...)",
                     *samples_order = "(sample axes of the trajectory, batch ...)";
}

Array Nufft::forward(const Array& image, const Cancel* cancel) const {
  const auto batch = nufft::batch_of(image, plan_->image, "images", images_order);
  Array out = nufft::joined(plan_->samples, plan_->sample_axes, batch, plan_->options.device);
  forward_into(out, image, cancel);
  return out;
}

Array Nufft::adjoint(const Array& samples, const Array& weights, const Cancel* cancel) const {
  const auto batch = nufft::batch_of(samples, plan_->samples, "samples", samples_order);
  Array out = nufft::joined(plan_->image, plan_->image_axes, batch, plan_->options.device);
  adjoint_into(out, samples, weights, cancel);
  return out;
}

void Nufft::forward_into(Array& out, const Array& image, const Cancel* cancel) const {
  using namespace nufft;
  const Plan& plan = *plan_;
  const Batch batch = batch_of(image, plan.image, "images", images_order);
  const Array in = ready(image, "images", plan.options.device);
  require_room(out, plan.samples, batch, "samples", plan.options.device);
  if (out.size() == 0) return;
  (plan.blocks ? run_all_cuda : run_all)(plan, false, {}, numbers(out), numbers(in), batch.count, cancel);
  check_finite(in, out, {}, plan.n_voxels, plan.n_samples, "voxel");
}

void Nufft::adjoint_into(Array& out, const Array& samples, const Array& weights, const Cancel* cancel) const {
  using namespace nufft;
  const Plan& plan = *plan_;
  const Batch batch = batch_of(samples, plan.samples, "samples", samples_order);
  const Array in = ready(samples, "samples", plan.options.device);
  const Array w = ready_weights(plan, weights);
  require_room(out, plan.image, batch, "images", plan.options.device);
  if (out.size() == 0) return;
  (plan.blocks ? run_all_cuda : run_all)(plan, true, w, numbers(in), numbers(out), batch.count, cancel);
  check_finite(in, out, w, plan.n_samples, plan.n_voxels, "sample");
}

const Shape& Nufft::image_shape() const { return plan_->image; }
const Shape& Nufft::sample_shape() const { return plan_->samples; }
const Axes& Nufft::image_axes() const { return plan_->image_axes; }
const Axes& Nufft::sample_axes() const { return plan_->sample_axes; }
Device Nufft::device() const { return plan_->options.device; }
const NufftFacts& Nufft::facts() const { return plan_->facts; }

}  // namespace larmor::recon
