// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/operators/hankel.hpp>

namespace larmor::recon {
namespace {

// Offsets of a box of points in memory, first axis fastest.
std::vector<std::int64_t> offsets(const Shape& box, const Shape& strides) {
  std::vector<std::int64_t> out{0};
  for (std::size_t a = 0; a < box.size(); ++a) {
    std::vector<std::int64_t> next;
    for (std::int64_t i = 0; i < box[a]; ++i)
      for (const auto at : out) next.push_back(at + i * strides[a]);
    out = std::move(next);
  }
  return out;
}

class Hankel final : public LinearOp {
 public:
  Hankel(const Space& domain, Space range, std::vector<std::int64_t> windows, std::vector<std::int64_t> elements)
      : LinearOp("hankel", domain, std::move(range)), windows_(std::move(windows)), elements_(std::move(elements)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    Array out = Array::uninitialised(range().type, range().shape, range().axes);
    visit([&](auto t) {
      using T = decltype(t);
      const T* from = x.data<T>();
      T* to = out.data<T>();
      parallel_for(
          elements_.size(), 8,
          [&](std::size_t begin, std::size_t end) {
            for (auto e = begin; e < end; ++e)
              for (std::size_t w = 0; w < windows_.size(); ++w)
                to[w + windows_.size() * e] = from[windows_[w] + elements_[e]];
          },
          cancel);
    });
    return out;
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    Array out = domain().zeros();
    if (cancel) cancel->check();
    visit([&](auto t) {
      using T = decltype(t);
      const T* from = y.data<T>();
      T* to = out.data<T>();
      // Windows overlap, so this runs on one thread.
      for (std::size_t e = 0; e < elements_.size(); ++e)
        for (std::size_t w = 0; w < windows_.size(); ++w)
          to[windows_[w] + elements_[e]] += from[w + windows_.size() * e];
    });
    return out;
  }

 private:
  template <class F>
  void visit(F&& f) const {
    if (domain().type == DType::c64)
      f(std::complex<float>{});
    else
      f(std::complex<double>{});
  }
  std::vector<std::int64_t> windows_, elements_;
};

}  // namespace

Op hankel_op(Space space, const Axes& axes, const Shape& kernel) {
  if (axes.size() != kernel.size() || axes.empty())
    throw Error(Errc::shape, fmt::format("a kernel of {} extents for {} axes", kernel.size(), axes.size()));
  Shape strides{1};
  for (const auto n : space.shape) strides.push_back(strides.back() * n);
  Shape places, window_strides, element = kernel, element_strides;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const auto at = static_cast<std::size_t>(space.axis(axes[a]));
    if (kernel[a] < 1 || kernel[a] > space.shape[at])
      throw Error(Errc::shape,
                  fmt::format("a kernel of {} along axis {} of {} samples", kernel[a], axes[a], space.shape[at]),
                  fmt::format("give 1 to {}", space.shape[at]));
    places.push_back(space.shape[at] - kernel[a] + 1);
    window_strides.push_back(strides[at]), element_strides.push_back(strides[at]);
  }
  for (std::size_t i = 0; i < space.shape.size(); ++i)
    if (std::find(axes.begin(), axes.end(), space.axes[i]) == axes.end())
      element.push_back(space.shape[i]), element_strides.push_back(strides[i]);
  auto windows = offsets(places, window_strides), elements = offsets(element, element_strides);
  Space range{{static_cast<std::int64_t>(windows.size()), static_cast<std::int64_t>(elements.size())},
              {"window", "element"},
              space.type};
  return std::make_shared<Hankel>(space, range, std::move(windows), std::move(elements));
}

}  // namespace larmor::recon
