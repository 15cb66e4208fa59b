// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/operators/basic_ops.hpp>

namespace larmor::recon {
namespace {

class Identity final : public LinearOp {
 public:
  explicit Identity(const Space& space) : LinearOp("identity", space, space) {}

 protected:
  Array run(const Array& x, const Cancel*) const override { return x.clone(); }
  Array run_adjoint(const Array& y, const Cancel*) const override { return y.clone(); }
};

class Fourier final : public LinearOp {
 public:
  Fourier(const Space& space, std::vector<int> axes) : LinearOp("fourier", space, space), axes_(std::move(axes)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    return fft(x, axes_, {.norm = FftNorm::unitary, .centred = true, .cancel = cancel});
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    return ifft(y, axes_, {.norm = FftNorm::unitary, .centred = true, .cancel = cancel});
  }
  Array run_normal(const Array& x, const Cancel*) const override { return x.clone(); }

 private:
  std::vector<int> axes_;
};

class Weights final : public LinearOp {
 public:
  Weights(const Space& space, const Array& w)
      : LinearOp("weights", space, space),
        w_(w),
        conj_(nd::apply(nd::Unary::conjugate, w)),
        squared_(nd::apply(nd::Unary::square, nd::apply(nd::Unary::abs, w))) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override { return times(x, w_, cancel); }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override { return times(y, conj_, cancel); }
  Array run_normal(const Array& x, const Cancel* cancel) const override { return times(x, squared_, cancel); }

 private:
  static Array times(const Array& x, const Array& w, const Cancel* cancel) {
    return nd::apply(nd::Binary::multiply, x, w, cancel);
  }
  Array w_, conj_, squared_;
};

// Voxels in a piece of parallel work, and in one run that stays in the first-level cache.
constexpr std::size_t grain = 4096;

class Sensitivities final : public LinearOp {
 public:
  // maps: packed (voxels of space, coil, map)
  Sensitivities(Array maps, Space domain, Space range, std::int64_t coils, std::int64_t sets)
      : LinearOp("sensitivities", std::move(domain), std::move(range)),
        maps_(std::move(maps)),
        coils_(coils),
        sets_(sets),
        voxels_(maps_.size() / std::max<std::int64_t>(1, coils * sets)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    Array out = range().zeros();
    visit([&](auto t) { multiply<decltype(t), false>(x, out, cancel); });
    return out;
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    Array out = domain().zeros();
    visit([&](auto t) { multiply<decltype(t), true>(y, out, cancel); });
    return out;
  }

 private:
  template <class F>
  void visit(F&& f) const {
    if (domain().type == DType::c64)
      f(float{});
    else
      f(double{});
  }
  template <class T, bool adjoint>
  void multiply(const Array& in, Array& out, const Cancel* cancel) const {
    const std::int64_t batches = in.size() / std::max<std::int64_t>(1, voxels_ * (adjoint ? coils_ : sets_));
    const T* from = reinterpret_cast<const T*>(in.data<std::complex<T>>());
    const T* maps = reinterpret_cast<const T*>(maps_.data<std::complex<T>>());
    T* to = reinterpret_cast<T*>(out.data<std::complex<T>>());
    parallel_for(
        static_cast<std::size_t>(voxels_), grain,
        [&](std::size_t begin, std::size_t end) {
          const auto first = static_cast<std::int64_t>(begin), n = static_cast<std::int64_t>(end) - first;
          for (std::int64_t b = 0; b < batches; ++b)
            for (std::int64_t c = 0; c < coils_; ++c)
              for (std::int64_t m = 0; m < sets_; ++m) {
                const T* s = maps + 2 * (first + voxels_ * (c + coils_ * m));
                const T* x = from + 2 * (first + voxels_ * (adjoint ? c + coils_ * b : m + sets_ * b));
                T* y = to + 2 * (first + voxels_ * (adjoint ? m + sets_ * b : c + coils_ * b));
                for (std::int64_t i = 0; i < n; ++i) {
                  const T re = s[2 * i], im = adjoint ? -s[2 * i + 1] : s[2 * i + 1];
                  y[2 * i] += re * x[2 * i] - im * x[2 * i + 1];
                  y[2 * i + 1] += re * x[2 * i + 1] + im * x[2 * i];
                }
              }
        },
        cancel);
  }

  Array maps_;
  std::int64_t coils_, sets_, voxels_;
};

class Differences final : public LinearOp {
 public:
  Differences(const Space& domain, Space range, std::vector<int> axes)
      : LinearOp("differences", domain, std::move(range)), axes_(std::move(axes)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    Array out = Array::uninitialised(range().type, range().shape, range().axes);
    visit([&](auto t) {
      for (std::size_t d = 0; d < axes_.size(); ++d)
        along<decltype(t), false>(x, 0, out, static_cast<std::int64_t>(d) * x.size(), axes_[d], cancel);
    });
    return out;
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    Array out = domain().zeros();
    visit([&](auto t) {
      for (std::size_t d = 0; d < axes_.size(); ++d)
        along<decltype(t), true>(y, static_cast<std::int64_t>(d) * out.size(), out, 0, axes_[d], cancel);
    });
    return out;
  }

 private:
  template <class F>
  void visit(F&& f) const {
    if (domain().type == DType::c64)
      f(float{});
    else
      f(double{});
  }
  // forward: out(i) = in(i + 1) - in(i); adjoint: out(i) += in(i - 1) - in(i)
  template <class T, bool adjoint>
  void along(const Array& in, std::int64_t in_at, Array& out, std::int64_t out_at, int axis,
             const Cancel* cancel) const {
    std::int64_t inner = 2;  // real numbers between neighbours
    for (int a = 0; a < axis; ++a) inner *= domain().shape[static_cast<std::size_t>(a)];
    const std::int64_t n = domain().shape[static_cast<std::size_t>(axis)], total = 2 * domain().size();
    if (total == 0) return;
    const T* x = reinterpret_cast<const T*>(in.data<std::complex<T>>() + in_at);
    T* y = reinterpret_cast<T*>(out.data<std::complex<T>>() + out_at);
    const std::int64_t lines = total / inner;
    parallel_for(
        static_cast<std::size_t>(lines), std::max<std::size_t>(1, 2 * grain / static_cast<std::size_t>(inner)),
        [&](std::size_t begin, std::size_t end) {
          for (auto k = static_cast<std::int64_t>(begin); k < static_cast<std::int64_t>(end); ++k) {
            const std::int64_t i = k % n, other = adjoint ? (i == 0 ? n - 1 : i - 1) : (i + 1 == n ? 0 : i + 1);
            const T *here = x + k * inner, *there = x + (k - i + other) * inner;
            T* to = y + k * inner;
            if (adjoint)
              for (std::int64_t j = 0; j < inner; ++j) to[j] += there[j] - here[j];
            else
              for (std::int64_t j = 0; j < inner; ++j) to[j] = there[j] - here[j];
          }
        },
        cancel);
  }
  std::vector<int> axes_;
};

}  // namespace

Op identity_op(const Space& space) { return std::make_shared<Identity>(space); }

Op fourier_op(const Space& space, const Axes& axes) {
  std::vector<int> at;
  for (const auto& name : axes) at.push_back(space.axis(name));
  if (at.empty() || at.size() > 3)
    throw Error(Errc::range, fmt::format("fourier: {} axes to transform", at.size()), "give 1 to 3 axes");
  return std::make_shared<Fourier>(space, at);
}

Op weights_op(Space space, const Array& weights) {
  for (int i = 0; i < weights.rank(); ++i) {
    const auto& name = weights.axes()[static_cast<std::size_t>(i)];
    const std::int64_t n = space.shape[static_cast<std::size_t>(space.axis(name))];
    if (weights.extent(i) != n && weights.extent(i) != 1)
      throw Error(Errc::shape, fmt::format("weights: {} of axis {} for {}", weights.extent(i), name, n),
                  "give one for each, or one for all");
  }
  const bool complex = weights.dtype() == DType::c64 || weights.dtype() == DType::c128;
  const DType real = space.type == DType::c64 ? DType::f32 : DType::f64;
  Array w = weights.to(Device::cpu()).cast(complex ? space.type : real).contiguous_copy();
  const Array finite = nd::reduce(nd::Reduction::all, nd::apply(nd::Unary::is_finite, w), {});
  if (w.size() && !finite.data<bool>()[0])
    throw Error(Errc::range, "weights: some of " + weights.describe() + " are NaN or infinite");
  return std::make_shared<Weights>(space, w);
}

Op sensitivities_op(const Array& maps, const std::string& coil_axis, const Shape& batch, const Axes& batch_axes) {
  if (maps.dtype() != DType::c64 && maps.dtype() != DType::c128)
    throw Error(Errc::type, "sensitivities are complex and these are " + maps.describe());
  const int coil = maps.axis(coil_axis);
  int set = -1;
  std::vector<int> order;
  Space domain{{}, {}, maps.dtype()};
  for (int i = 0; i < maps.rank(); ++i) {
    const auto& name = maps.axes()[static_cast<std::size_t>(i)];
    if (name == "map")
      set = i;
    else if (i != coil)
      order.push_back(i), domain.shape.push_back(maps.extent(i)), domain.axes.push_back(name);
  }
  Space range = domain;
  order.push_back(coil), range.shape.push_back(maps.extent(coil)), range.axes.push_back(coil_axis);
  if (set >= 0) order.push_back(set), domain.shape.push_back(maps.extent(set)), domain.axes.push_back("map");
  if (batch.size() != batch_axes.size())
    throw Error(Errc::shape, fmt::format("{} extents and {} names of batch axes", batch.size(), batch_axes.size()));
  for (std::size_t b = 0; b < batch.size(); ++b) {
    if (std::find(maps.axes().begin(), maps.axes().end(), batch_axes[b]) != maps.axes().end())
      throw Error(Errc::shape, "sensitivities have the axis " + batch_axes[b] + " themselves: " + maps.describe());
    for (Space* s : {&domain, &range}) s->shape.push_back(batch[b]), s->axes.push_back(batch_axes[b]);
  }
  const std::int64_t sets = set >= 0 ? maps.extent(set) : 1;
  return std::make_shared<Sensitivities>(maps.to(Device::cpu()).permuted(order).contiguous_copy(), domain, range,
                                         maps.extent(coil), sets);
}

Op differences_op(const Space& space, const Axes& axes) {
  if (axes.empty()) throw Error(Errc::usage, "differences along no axis", "name one or more of " + space.describe());
  std::vector<int> at;
  for (const auto& name : axes) at.push_back(space.axis(name));
  Space range = space;
  range.shape.push_back(static_cast<std::int64_t>(axes.size())), range.axes.push_back("direction");
  return std::make_shared<Differences>(space, range, at);
}

}  // namespace larmor::recon
