// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>
#include <larmor/perfusion/asl/m0.hpp>
#include <limits>

namespace larmor::asl {

void register_m0_methods(M0Methods& registry);  // generated

const M0Methods& m0_methods() {
  static const M0Methods all = [] {
    M0Methods m("M0 method", "larmor list m0-methods");
    register_m0_methods(m);
    return m;
  }();
  return all;
}

namespace {

void require_positive(double value, const char* what, const char* unit) {
  if (!(value > 0) || !std::isfinite(value))
    throw Error(Errc::range, fmt::format("M0: {} is {} {}", what, value, unit), "give a value above 0");
}

}  // namespace

Array blood_M0(const Array& image, const M0Options& o, std::span<const float> T1,
               std::span<const std::uint8_t> region) {
  const std::string id = m0_methods().resolve(o.method);
  const M0Method& method = m0_methods().get(id);
  const double partition = o.partition.value_or(method.partition), one_T1 = o.T1.value_or(method.T1);
  require_positive(partition, "the partition coefficient", "mL/g");
  require_positive(one_T1, "T1", "s");
  if (o.TR) require_positive(*o.TR, "the repetition time", "s");
  if (image.rank() < 3 || image.rank() > 4)
    throw Error(Errc::shape, fmt::format("the M0 image is {}", to_string(image.shape())),
                "give (x, y, z) or (x, y, z, t)");
  Array mean = image;
  if (image.rank() == 4) {
    const auto n = static_cast<std::size_t>(image.extent(3));
    mean = weighted_sums(image, WeightRows{std::vector<double>(n, 1.0 / static_cast<double>(n))}).slice(3, 0);
  }
  const Array packed = mean.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto signal = packed.span<float>();
  const auto need = [&](std::size_t n, const char* what) {
    if (n != 0 && n != signal.size())
      throw Error(Errc::shape, fmt::format("the {} holds {} voxels, the M0 image {}", what, n, signal.size()),
                  "give one on the grid of the M0 image");
  };
  need(T1.size(), "T1 map"), need(region.size(), "region");
  const auto recovery = [&](double t1) { return o.TR ? 1 - std::exp(-*o.TR / t1) : 1.0; };
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();

  Array out = Array::uninitialised(DType::f32, packed.shape(), packed.axes());
  const auto values = out.span<float>();
  if (method.voxelwise) {
    for (std::size_t v = 0; v < signal.size(); ++v) {
      const double t1 = T1.empty() ? one_T1 : static_cast<double>(T1[v]);
      const double M0 = static_cast<double>(signal[v]) / recovery(t1) / partition;
      values[v] = M0 > 0 && std::isfinite(M0) ? static_cast<float>(M0) : nan;
    }
    return out;
  }
  if (region.empty())
    throw Error(Errc::range, fmt::format("{} needs a mask of {}", id, method.region),
                fmt::format("give a mask of {}, or use m0.voxelwise", method.region));
  std::vector<float> inside;
  for (std::size_t v = 0; v < signal.size(); ++v)
    if (region[v] && signal[v] > 0 && std::isfinite(signal[v])) inside.push_back(signal[v]);
  if (inside.empty())
    throw Error(Errc::range, fmt::format("no voxel of {} has a signal in the M0 image", method.region),
                "check the mask and the M0 image");
  const auto middle = inside.begin() + static_cast<std::ptrdiff_t>(inside.size() / 2);
  std::nth_element(inside.begin(), middle, inside.end());
  double M0 = static_cast<double>(*middle) / recovery(one_T1) / partition;
  if (o.TE) {
    const double T2_star = o.T2_star.value_or(method.T2_star);
    require_positive(T2_star, "T2*", "s"), require_positive(o.T2_star_blood, "T2* of blood", "s");
    M0 *= std::exp(*o.TE * (1 / T2_star - 1 / o.T2_star_blood));
  }
  std::fill(values.begin(), values.end(), static_cast<float>(M0));
  return out;
}

}  // namespace larmor::asl
