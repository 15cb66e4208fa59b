// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <complex>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/plan.hpp>
#include <numbers>

extern "C" {
const larmor::recon::nufft::Kernels* larmor_nufft_kernels_baseline(int dims, int lanes);
#if defined(__x86_64__)
const larmor::recon::nufft::Kernels* larmor_nufft_kernels_v3(int dims, int lanes);
const larmor::recon::nufft::Kernels* larmor_nufft_kernels_v4(int dims, int lanes);
#endif
}

namespace larmor::recon {
namespace nufft {

const Kernels& kernels_for(int dims, int lanes) {
#if defined(__x86_64__)
  const Isa level = isa();
  const auto* found = level == Isa::v4   ? larmor_nufft_kernels_v4(dims, lanes)
                      : level == Isa::v3 ? larmor_nufft_kernels_v3(dims, lanes)
                                         : larmor_nufft_kernels_baseline(dims, lanes);
#else
  const auto* found = larmor_nufft_kernels_baseline(dims, lanes);
#endif
  if (!found) throw Error(Errc::internal, fmt::format("NUFFT: no kernel of {} lanes", lanes));
  return *found;
}

int most_lanes() {
#if defined(__x86_64__)
  // Sixteen fill a register of AVX-512, but then a line no longer fits the first cache: 30 % more time a transform.
  return isa() == Isa::baseline ? 4 : 8;
#else
  return 4;
#endif
}

namespace {

using Complex = std::complex<float>;

// So many transforms go one after the other. On the spiral of bench/nufft one alone takes 1.0 ms, three in four lanes
// 3.65 ms, four 3.65 ms, eight in eight 4.4 ms.
constexpr std::int64_t alone = 3;

/// A block of the pool that goes back by itself.
class Borrowed {
 public:
  Borrowed(const Pool& pool, std::size_t bytes) : pool_(pool), bytes_(bytes), memory_(pool.take(bytes)) {}
  ~Borrowed() { pool_.give(bytes_, std::move(memory_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  float* get() const { return reinterpret_cast<float*>(memory_.get()); }

 private:
  const Pool& pool_;
  std::size_t bytes_;
  std::shared_ptr<std::byte> memory_;
};

/// Lanes of the next group when `left` transforms are left: a narrow register costs more a lane, an idle lane all.
int lanes_for(std::int64_t left, int most) {
  int lanes = most;
  if (left <= alone) return 1;
  while (lanes > 4 && left <= lanes / 2) lanes /= 2;
  return lanes;
}

void run_slabs(const Nufft::Plan& plan, const Group& group, float* middle, bool adjoint, const Cancel* cancel) {
  const Kernels& kernels = kernels_for(plan.dims, group.lanes);
  parallel_for(
      plan.slabs.size(), 1,
      [&](std::size_t begin, std::size_t end) {
        const Borrowed slab(plan.pool, plan.slab_bytes(group.lanes)), lines(plan.pool, plan.line_bytes(group.lanes));
        for (std::size_t s = begin; s < end; ++s) {
          const Slab &here = plan.slabs[s], &before = plan.slabs[s == 0 ? plan.slabs.size() - 1 : s - 1];
          const SlabRun run{.layout = &plan.layout,
                            .group = group,
                            .first = here.first,
                            .last = here.last,
                            .begin = here.begin,
                            .end = here.end,
                            .before_begin = before.border,
                            .before_end = before.end,
                            .slab = slab.get(),
                            .lines = lines.get(),
                            .middle = middle};
          (adjoint ? kernels.slab_adjoint : kernels.slab_forward)(run);
        }
      },
      cancel);
}

void run_columns(const Nufft::Plan& plan, const Group& group, float* middle, bool adjoint, const Cancel* cancel) {
  const Kernels& kernels = kernels_for(plan.dims, group.lanes);
  std::int64_t columns = 1;
  for (int d = 0; d + 1 < plan.dims; ++d) columns *= plan.layout.n[d];
  if (group.lanes == 1) columns = single_columns(plan.layout, kernels.cell_lanes);
  const std::int64_t grain = (group.lanes == 1 ? 1 : 4) * column_block;
  parallel_for(
      static_cast<std::size_t>((columns + grain - 1) / grain), 1,
      [&](std::size_t begin, std::size_t end) {
        const Borrowed lines(plan.pool, plan.line_bytes(group.lanes));
        const ColumnRun run{.layout = &plan.layout,
                            .group = group,
                            .begin = static_cast<std::int64_t>(begin) * grain,
                            .end = std::min(columns, static_cast<std::int64_t>(end) * grain),
                            .lines = lines.get(),
                            .middle = middle};
        (adjoint ? kernels.columns_adjoint : kernels.columns_forward)(run);
      },
      cancel);
}

/// All transforms of a call, group after group.
void run_all(const Nufft::Plan& plan, bool adjoint, const Array& weights, float* samples, float* image,
             std::int64_t batch, const Cancel* cancel) {
  for (std::int64_t done = 0; done < batch;) {
    const int lanes = lanes_for(batch - done, std::min(plan.facts.lanes, most_lanes()));
    const Group group{.lanes = lanes,
                      .active = static_cast<std::int32_t>(std::min<std::int64_t>(lanes, batch - done)),
                      .weights = weights.rank() == 0 ? nullptr : static_cast<const float*>(weights.raw()),
                      .complex_weights = weights.dtype() == DType::c64,
                      .samples = samples + done * plan.n_samples * 2,
                      .sample_stride = plan.n_samples * 2,
                      .image = image + done * plan.n_voxels * 2,
                      .image_stride = plan.n_voxels * 2};
    const Borrowed middle(plan.pool, plan.middle_bytes(lanes));
    if (adjoint) {
      run_slabs(plan, group, middle.get(), true, cancel);
      run_columns(plan, group, middle.get(), true, cancel);
    } else {
      run_columns(plan, group, middle.get(), false, cancel);
      run_slabs(plan, group, middle.get(), false, cancel);
    }
    done += group.active;
  }
}

/// The same on a CUDA device, as many transforms at a time as the plan says.
void run_all_cuda(const Nufft::Plan& plan, bool adjoint, const Array& weights, Complex* samples, Complex* image,
                  std::int64_t batch, const Cancel* cancel) {
  const BlockPlan& blocks = *plan.blocks;
  const std::int64_t at_once = std::min<std::int64_t>(plan.facts.lanes, batch);
  const auto copies = static_cast<std::size_t>(at_once);
  const Borrowed grid(plan.pool, copies * blocks.grid_bytes()), partials(plan.pool, copies * blocks.partial_bytes());
  for (std::int64_t done = 0; done < batch; done += at_once) {
    if (cancel) cancel->check();
    run_blocks_cuda(blocks,
                    {.count = static_cast<std::int32_t>(std::min(at_once, batch - done)),
                     .complex_weights = weights.dtype() == DType::c64,
                     .weights = weights.rank() == 0 ? nullptr : static_cast<const float*>(weights.raw()),
                     .samples = reinterpret_cast<BlockComplex*>(samples + done * plan.n_samples),
                     .grid = reinterpret_cast<BlockComplex*>(grid.get()),
                     .partials = reinterpret_cast<BlockComplex*>(partials.get()),
                     .image = reinterpret_cast<BlockComplex*>(image + done * plan.n_voxels)},
                    adjoint);
  }
}

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

Array Nufft::forward(const Array& image, const Cancel* cancel) const {
  using namespace nufft;
  const Plan& plan = *plan_;
  const Batch batch = batch_of(image, plan.image, "images", "(x, y[, z], batch ...)");
  const Array in = ready(image, "images", plan.options.device);
  Array out = joined(plan.samples, plan.sample_axes, batch, plan.options.device);
  if (out.size() == 0) return out;
  if (plan.blocks)
    run_all_cuda(plan, false, {}, static_cast<Complex*>(out.raw()), static_cast<Complex*>(const_cast<void*>(in.raw())),
                 batch.count, cancel);
  else
    run_all(plan, false, {}, reinterpret_cast<float*>(out.data<Complex>()),
            const_cast<float*>(reinterpret_cast<const float*>(in.data<Complex>())), batch.count, cancel);
  check_finite(in, out, {}, plan.n_voxels, plan.n_samples, "voxel");
  return out;
}

Array Nufft::adjoint(const Array& samples, const Array& weights, const Cancel* cancel) const {
  using namespace nufft;
  const Plan& plan = *plan_;
  const Batch batch = batch_of(samples, plan.samples, "samples", "(sample axes of the trajectory, batch ...)");
  const Array in = ready(samples, "samples", plan.options.device);
  Array w;
  if (weights.rank() > 0) {
    if (weights.shape() != plan.samples)
      throw Error(Errc::shape, fmt::format("NUFFT: weights are {} and the trajectory has {} samples",
                                           weights.describe(), to_string(plan.samples)));
    const bool complex = weights.dtype() == DType::c64 || weights.dtype() == DType::c128;
    w = weights.to(Device::cpu()).cast(complex ? DType::c64 : DType::f32).contiguous_copy();
    const auto* parts = static_cast<const float*>(w.raw());
    if (std::all_of(parts, parts + w.size() * (complex ? 2 : 1), [](float x) { return x == 0; }))
      throw Error(Errc::range, "NUFFT: every weight is 0, and so would be the image",
                  "look at the density compensation, or leave it out");
    w = w.to(plan.options.device);
  }
  Array out = joined(plan.image, plan.image_axes, batch, plan.options.device);
  if (out.size() == 0) return out;
  if (plan.blocks)
    run_all_cuda(plan, true, w, static_cast<Complex*>(const_cast<void*>(in.raw())), static_cast<Complex*>(out.raw()),
                 batch.count, cancel);
  else
    run_all(plan, true, w, const_cast<float*>(reinterpret_cast<const float*>(in.data<Complex>())),
            reinterpret_cast<float*>(out.data<Complex>()), batch.count, cancel);
  check_finite(in, out, w, plan.n_samples, plan.n_voxels, "sample");
  return out;
}

Array shift_phase(const Trajectory& traj, const Shape& image, const Array& weights, std::span<const double> voxels) {
  const auto dims = static_cast<std::size_t>(traj.dimensions());
  if (voxels.size() != dims || image.size() != dims)
    throw Error(Errc::shape, fmt::format("a shift along {} axes of an image of {}, for {} coordinates", voxels.size(),
                                         to_string(image), dims));
  if (weights.rank() > 0 && weights.shape() != traj.sample_shape())
    throw Error(Errc::shape, fmt::format("weights are {} and the trajectory has {} samples", weights.describe(),
                                         to_string(traj.sample_shape())));
  const Array k = traj.k.cast(DType::f64).contiguous_copy();
  const std::int64_t n = traj.size();
  Array out = Array::uninitialised(DType::c64, traj.sample_shape(), traj.sample_axes());
  const Array w = weights.rank() > 0 ? weights.cast(DType::c64).contiguous_copy() : Array{};
  for (std::int64_t j = 0; j < n; ++j) {
    double phase = 0;
    for (std::size_t d = 0; d < dims; ++d)
      phase -= k.data<double>()[static_cast<std::int64_t>(d) * n + j] * voxels[d] / static_cast<double>(image[d]);
    const auto turn = std::polar(1.0, 2 * std::numbers::pi * phase);
    const std::complex<float> c(static_cast<float>(turn.real()), static_cast<float>(turn.imag()));
    out.data<std::complex<float>>()[j] = w.rank() > 0 ? c * w.data<std::complex<float>>()[j] : c;
  }
  return out;
}

const Shape& Nufft::image_shape() const { return plan_->image; }
const Shape& Nufft::sample_shape() const { return plan_->samples; }
const Axes& Nufft::image_axes() const { return plan_->image_axes; }
const Axes& Nufft::sample_axes() const { return plan_->sample_axes; }
Device Nufft::device() const { return plan_->options.device; }
const NufftFacts& Nufft::facts() const { return plan_->facts; }

}  // namespace larmor::recon
