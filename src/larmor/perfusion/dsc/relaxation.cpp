// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/steps.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>
#include <larmor/perfusion/dsc/relaxation.hpp>
#include <limits>

namespace larmor::dsc {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t block = 512;

/// -ln(S / S_first) averaged over the mask: what the automatic baseline is found in. Weak voxels are left out, whose
/// logarithm is mostly noise.
std::vector<double> mean_drop(const dce::VoxelRows& rows, Mask mask, std::size_t first) {
  std::vector<double> sum(rows.n_frames(), 0.0);
  double top = 0;
  float one;
  const auto wanted = [&](std::size_t v) { return mask.empty() || mask[v]; };
  for (std::size_t v = 0; v < rows.n_voxels(); ++v)
    if (const float s = *rows.get(first, v, 1, &one); wanted(v) && std::isfinite(s)) top = std::max(top, double(s));
  std::vector<float> buffer(rows.n_voxels());
  const float* start = rows.get(first, 0, rows.n_voxels(), buffer.data());
  const std::vector<float> reference(start, start + rows.n_voxels());
  for (std::size_t t = 0; t < rows.n_frames(); ++t) {
    double signal = 0, base = 0;
    const float* S = rows.get(t, 0, rows.n_voxels(), buffer.data());
    for (std::size_t v = 0; v < rows.n_voxels(); ++v)
      if (wanted(v) && reference[v] > 0.1 * top && std::isfinite(S[v]) && std::isfinite(reference[v]))
        signal += S[v], base += reference[v];
    sum[t] = signal > 0 && base > 0 ? -std::log(signal / base) : 0;
  }
  return sum;
}

}  // namespace

Relaxation relaxation_change(const Array& signal, std::span<const double> times, Mask mask, const RelaxationOptions& o,
                             const Cancel* cancel) {
  const dce::VoxelRows rows(signal, "signal");
  rows.check_times(times);
  rows.check_mask(mask);
  if (!(o.TE > 0) || !(o.TE < 1))
    throw Error(Errc::range, fmt::format("an echo time of {} s", o.TE), "give TE [s], above 0 and below 1");
  const auto frames = static_cast<int>(rows.n_frames());
  if (o.baseline_first < 0 || o.baseline_last < 0 || o.baseline_last > frames || o.baseline_first >= frames ||
      (o.baseline_last > 0 && o.baseline_first >= o.baseline_last))
    throw Error(Errc::range,
                fmt::format("baseline frames {} to {} of {} frames", o.baseline_first, o.baseline_last, frames),
                "give 0 <= first < last <= frames (the last is not included; 0: automatic)");
  Relaxation out;
  out.baseline_first = o.baseline_first, out.baseline_last = o.baseline_last;
  const auto first = static_cast<std::size_t>(o.baseline_first);
  if (o.baseline_last > 0) {
    out.arrival = times[static_cast<std::size_t>(o.baseline_last) - 1];
  } else {
    const auto drop = mean_drop(rows, mask, first);
    try {
      out.arrival = arrivals().get(o.arrival).find(times.subspan(first), std::span(drop).subspan(first));
    } catch (Error& e) {
      throw e.advise("give the baseline frames, or a series in which the bolus arrives");
    }
    // Half a frame is kept from the arrival: frames are means over the time that they take.
    const double step = times[first + 1] - times[first];
    int last = o.baseline_first + 1;
    while (last < frames && times[static_cast<std::size_t>(last)] <= out.arrival - 0.5 * step) ++last;
    out.baseline_last = last;
  }
  const auto last = static_cast<std::size_t>(out.baseline_last);

  const std::size_t n_voxels = rows.n_voxels(), n_frames = rows.n_frames();
  out.dR2 = Array::uninitialised(DType::f32, signal.shape(), signal.axes());
  out.status.assign(n_voxels, fit::FitStatus::outside);
  out.S0.assign(n_voxels, nan), out.CNR.assign(n_voxels, nan);
  float* to = out.dR2.data<float>();
  const auto rate = static_cast<float>(-1 / o.TE);
  parallel_for(
      n_voxels, block,
      [&](std::size_t begin, std::size_t end) {
        std::vector<float> buffer(block), S0(block), poison(block), least(block), peak(block);
        std::vector<float> squares(block), sum(block);
        for (std::size_t b = begin; b < end; b += block) {
          const std::size_t n = std::min(block, end - b);
          for (auto* f : {&S0, &poison, &peak, &squares, &sum}) std::fill(f->begin(), f->end(), 0.0f);
          std::fill(least.begin(), least.end(), std::numeric_limits<float>::infinity());
          for (std::size_t t = first; t < last; ++t) {
            const float* S = rows.get(t, b, n, buffer.data());
            for (std::size_t i = 0; i < n; ++i) S0[i] += S[i] / static_cast<float>(last - first);
          }
          for (std::size_t t = 0; t < n_frames; ++t) {
            const float* S = rows.get(t, b, n, buffer.data());
            float* row = to + t * n_voxels + b;
            for (std::size_t i = 0; i < n; ++i) {
              poison[i] += S[i] - S[i], least[i] = std::min(least[i], S[i]);
              row[i] = rate * std::log(S[i] / S0[i]);
            }
            if (t >= first && t < last)
              for (std::size_t i = 0; i < n; ++i) sum[i] += row[i], squares[i] += row[i] * row[i];
            if (t >= last)
              for (std::size_t i = 0; i < n; ++i) peak[i] = std::max(peak[i], row[i]);
          }
          const auto count = static_cast<float>(last - first);
          for (std::size_t i = 0; i < n; ++i) {
            const std::size_t v = b + i;
            auto& status = out.status[v];
            if (!mask.empty() && !mask[v]) {
              status = fit::FitStatus::outside;
            } else if (!(poison[i] == 0)) {
              status = fit::FitStatus::bad_data;
            } else if (!(S0[i] > 0)) {
              status = fit::FitStatus::no_signal;
            } else if (!(least[i] > 0)) {
              status = fit::FitStatus::out_of_range;
            } else {
              status = fit::FitStatus::converged;
              out.S0[v] = S0[i];
              const float mean = sum[i] / count, variance = (squares[i] - count * mean * mean) / (count - 1);
              if (count > 1 && variance > 0) out.CNR[v] = (peak[i] - mean) / std::sqrt(variance);
              continue;
            }
            for (std::size_t t = 0; t < n_frames; ++t) to[t * n_voxels + v] = nan;
          }
        }
      },
      cancel);
  return out;
}

void Relation::check() const {
  if (!(linear >= 0) || !(quadratic >= 0) || !(linear + quadratic > 0) || !std::isfinite(linear + quadratic))
    throw Error(Errc::range, fmt::format("a relation of {} C + {} C^2", linear, quadratic),
                "give numbers of 0 or more [1/(s mM), 1/(s mM2)], one of them above 0");
}
double Relation::concentration(double dR2) const {
  if (quadratic == 0) return dR2 / linear;
  const double size = std::abs(dR2), C = 2 * size / (linear + std::sqrt(linear * linear + 4 * quadratic * size));
  return size == 0 ? 0.0 : std::copysign(C, dR2);
}
double Relation::relaxation(double C) const { return linear * C + quadratic * C * std::abs(C); }

Array concentration(const Array& dR2, const Relation& relation) {
  relation.check();
  const Array in = dR2.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  Array out = Array::uninitialised(DType::f32, in.shape(), in.axes());
  const float* from = in.data<float>();
  float* to = out.data<float>();
  const auto inverse = static_cast<float>(1 / relation.linear);
  parallel_for(static_cast<std::size_t>(in.size()), 1 << 14, [&](std::size_t begin, std::size_t end) {
    if (relation.quadratic == 0)
      for (std::size_t i = begin; i < end; ++i) to[i] = from[i] * inverse;
    else
      for (std::size_t i = begin; i < end; ++i)
        to[i] = static_cast<float>(relation.concentration(static_cast<double>(from[i])));
  });
  return out;
}

std::vector<double> mean_curve(const Array& series, Mask mask) { return dce::mean_curve(series, mask); }

}  // namespace larmor::dsc
