// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/kernels/spgr_kernel.hpp>
#include <larmor/perfusion/dce/maps_cuda.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <limits>
#include <numbers>

extern "C" {
using SpgrKernel = void(const larmor::dce::SpgrBlock&);
SpgrKernel larmor_spgr_to_concentration_baseline;
#if defined(__x86_64__)
SpgrKernel larmor_spgr_to_concentration_v3, larmor_spgr_to_concentration_v4;
#endif
}

namespace larmor::dce {
namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr float nanf = std::numeric_limits<float>::quiet_NaN();
}  // namespace

SpgrToConcentration spgr_to_concentration() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return larmor_spgr_to_concentration_v4;
  if (isa() == Isa::v3) return larmor_spgr_to_concentration_v3;
#endif
  return larmor_spgr_to_concentration_baseline;
}

void Spgr::check() const {
  if (!(FA > 0 && FA < std::numbers::pi))
    throw Error(Errc::range, fmt::format("flip angle is {} rad ({:.4g} degrees)", FA, FA * 180 / std::numbers::pi),
                "give an angle above 0 and below 180 degrees");
  if (!(TR > 0 && TR < 1e3)) throw Error(Errc::range, fmt::format("TR is {} s", TR), "give a TR above 0 [s]");
  if (!(r1 > 0 && r1 < 1e4))
    throw Error(Errc::range, fmt::format("relaxivity r1 is {} 1/(s mM)", r1), "give a relaxivity above 0, as 4.5");
}

double spgr_signal(double M0, double T1, const Spgr& s) {
  if (!(T1 > 0)) return nan;
  const double x = s.TR / T1;  // 1 - E1 by expm1: E1 is near 1
  return M0 * std::sin(s.FA) * -std::expm1(-x) / (1 - std::cos(s.FA) * std::exp(-x));
}

void spgr_concentration(std::span<const double> signal, double S0, double T10, const Spgr& spgr,
                        std::span<double> out) {
  const double cos_FA = std::cos(spgr.FA), K0 = spgr_signal(1, T10, spgr) / std::sin(spgr.FA);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double K = S0 > 0 ? signal[i] / S0 * K0 : nan;
    out[i] = K >= 0 && K < 1 ? (std::log1p(K * (1 - cos_FA) / (1 - K)) / spgr.TR - 1 / T10) / spgr.r1 : nan;
  }
}

void spgr_signal(std::span<const double> concentration, double S0, double T10, const Spgr& spgr,
                 std::span<double> out) {
  const double M0 = S0 / spgr_signal(1, T10, spgr);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double R1 = 1 / T10 + spgr.r1 * concentration[i];
    out[i] = R1 > 0 ? spgr_signal(M0, 1 / R1, spgr) : R1 == 0 ? 0 : nan;
  }
}

int automatic_baseline(const Array& signal, std::span<const std::uint8_t> mask) {
  const auto rows = VoxelRows(signal, "signal");
  rows.check_mask(mask);
  std::vector<double> mean(rows.n_frames()), frame(rows.n_frames());
  std::vector<float> buffer(rows.n_voxels());
  for (std::size_t t = 0; t < mean.size(); ++t) {
    const float* row = rows.get(t, 0, rows.n_voxels(), buffer.data());
    double n = 0;
    for (std::size_t v = 0; v < rows.n_voxels(); ++v)
      if ((mask.empty() || mask[v]) && std::isfinite(row[v])) mean[t] += row[v], ++n;
    mean[t] /= n;
    frame[t] = static_cast<double>(t);
  }
  try {
    return std::max(1, static_cast<int>(std::floor(bolus_arrival(frame, mean) - 0.5)) + 1);
  } catch (Error& e) {
    throw e.at("automatic baseline of the mean signal").advise("give the baseline frames (first, last)");
  }
}

namespace {

constexpr std::size_t block = 4096;  // its working rows (80 kB) stay in the second cache level

/// The steps of the conversion over runs of voxels: what each voxel needs, its frames, why one has no solution.
struct Converter {
  const VoxelRows& rows;
  const Spgr& spgr;
  std::span<const float> T10, B1;
  std::span<const std::uint8_t> mask;
  bool exact;
  Conversion& out;

  /// What the kernel takes beside the signal, one a voxel.
  struct Terms {
    std::vector<float> scale, offset, cosine, poison;
    explicit Terms(std::size_t n) : scale(n), offset(n), cosine(n), poison(n) {}
  };

  float* frame(std::size_t t) const { return out.concentration.data<float>() + t * rows.n_voxels(); }
  float rate() const { return static_cast<float>(1 / (spgr.TR * spgr.r1)); }

  /// Terms [at, at + n) for the voxels from b on, from their baseline; S0 and buffer hold n.
  void prepare(std::size_t b, std::size_t n, Terms& terms, std::size_t at, double* S0, float* buffer) const {
    using fit::FitStatus;
    std::fill(S0, S0 + n, 0.0);
    for (int t = out.baseline_first; t < out.baseline_last; ++t) {
      const float* row = rows.get(static_cast<std::size_t>(t), b, n, buffer);
      for (std::size_t i = 0; i < n; ++i) S0[i] += row[i];
    }
    float *scale = &terms.scale[at], *offset = &terms.offset[at], *cosine = &terms.cosine[at];
    float* poison = &terms.poison[at];
    double last_B1 = nan, cos_FA = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double base = S0[i] / (out.baseline_last - out.baseline_first);
      const double T1 = T10.size() == 1 ? T10[0] : T10[b + i], b1 = B1.empty() ? 1.0 : B1[b + i];
      auto& status = out.status[b + i];
      scale[i] = nanf, offset[i] = nanf, cosine[i] = 0, poison[i] = 0;
      if (!mask.empty() && !mask[b + i])
        status = FitStatus::outside;
      else if (!(T1 > 0 && std::isfinite(T1)) || !(b1 > 0 && b1 * spgr.FA < std::numbers::pi) || !std::isfinite(base))
        status = FitStatus::bad_data;
      else if (!(base > 0))
        status = FitStatus::no_signal;
      else {
        if (b1 != last_B1) cos_FA = std::cos(spgr.FA * b1), last_B1 = b1;
        const double saturation = -std::expm1(-spgr.TR / T1);  // 1 - E1
        const double K0 = saturation / (1 - cos_FA + cos_FA * saturation);
        scale[i] = static_cast<float>(exact ? K0 / base : 1 / (base * T1 * spgr.r1));
        offset[i] = static_cast<float>(1 / (T1 * spgr.r1));
        cosine[i] = static_cast<float>(cos_FA);
      }
    }
  }

  /// Voxels with a frame that has no solution: why.
  void explain(std::size_t b, std::size_t n, const float* poison) const {
    using fit::FitStatus;
    for (std::size_t i = 0; i < n; ++i) {
      auto& status = out.status[b + i];
      if (poison[i] == 0 || status != FitStatus::converged) continue;
      status = FitStatus::out_of_range;
      for (std::size_t t = 0; t < rows.n_frames(); ++t)
        if (float one; !std::isfinite(*rows.get(t, b + i, 1, &one))) status = FitStatus::bad_data;
      if (status == FitStatus::bad_data)
        for (std::size_t t = 0; t < rows.n_frames(); ++t) frame(t)[b + i] = nanf;
    }
  }

  void on_cpu(const Cancel* cancel) const {
    const auto kernel = spgr_to_concentration();
    const auto convert = [&](std::size_t begin, std::size_t end) {
      std::vector<float> buffer(block);
      std::vector<double> S0(block);
      Terms terms(block);
      for (std::size_t b = begin; b < end; b += block) {
        const std::size_t n = std::min(block, end - b);
        prepare(b, n, terms, 0, S0.data(), buffer.data());
        SpgrBlock all{.n = n,
                      .n_frames = rows.n_frames(),
                      .signal = rows.get(0, b, n, buffer.data()),
                      .signal_stride = rows.n_voxels(),
                      .out = frame(0) + b,
                      .out_stride = rows.n_voxels(),
                      .scale = terms.scale.data(),
                      .cos_FA = terms.cosine.data(),
                      .offset = terms.offset.data(),
                      .rate = rate(),
                      .exact = exact,
                      .poison = terms.poison.data()};
        if (all.signal != buffer.data()) {
          kernel(all);
        } else {  // other types than f32, frame by frame
          all.n_frames = 1;
          for (std::size_t t = 0; t < rows.n_frames(); ++t) {
            all.signal = rows.get(t, b, n, buffer.data()), all.out = frame(t) + b;
            kernel(all);
          }
        }
        explain(b, n, terms.poison.data());
      }
    };
    parallel_for(rows.n_voxels(), block, convert, cancel);
  }

  void on_cuda(Device device, const Cancel* cancel) const {
    require_cuda(device);
    const std::size_t piece = std::min(rows.n_voxels(), cuda_piece(rows.n_frames()));
    Terms terms(piece);
    for (std::size_t first = 0; first < rows.n_voxels(); first += piece) {
      const std::size_t n = std::min(piece, rows.n_voxels() - first);
      const auto begin = [&](std::size_t b, std::size_t end) {
        std::vector<float> buffer(end - b);
        std::vector<double> S0(end - b);
        prepare(first + b, end - b, terms, b, S0.data(), buffer.data());
      };
      parallel_for(n, block, begin, cancel);
      spgr_on_cuda(device, rows, first,
                   {.n = n,
                    .n_frames = rows.n_frames(),
                    .signal = nullptr,
                    .scale = terms.scale.data(),
                    .cos_FA = terms.cosine.data(),
                    .offset = terms.offset.data(),
                    .rate = rate(),
                    .exact = exact,
                    .out = frame(0) + first,
                    .poison = terms.poison.data()});
      explain(first, n, terms.poison.data());
    }
  }
};

}  // namespace

Conversion signal_to_concentration(const Array& signal, std::span<const double> times, const Spgr& spgr,
                                   std::span<const float> T10, std::span<const float> B1,
                                   std::span<const std::uint8_t> mask, const ConversionOptions& options,
                                   const Cancel* cancel) {
  using fit::FitStatus;
  const auto rows = VoxelRows(signal, "signal");
  const std::size_t n_voxels = rows.n_voxels(), n_frames = rows.n_frames();
  rows.check_mask(mask);
  rows.check_times(times);
  const std::array<std::string, 2> methods{"spgr", "linear"};
  const bool exact = options.method == "spgr";
  if (!exact && options.method != "linear") throw unknown_name("conversion method", options.method, methods);
  spgr.check();
  if (T10.size() != 1) rows.check_count(T10.size(), "T10");
  if (!B1.empty()) rows.check_count(B1.size(), "B1");

  Conversion out{.concentration = Array::uninitialised(DType::f32, signal.shape(), signal.axes()),
                 .status = std::vector<FitStatus>(n_voxels, FitStatus::converged),
                 .baseline_first = options.baseline_first,
                 .baseline_last = options.baseline_last};
  if (out.baseline_last == 0) out.baseline_last = std::max(automatic_baseline(signal, mask), out.baseline_first + 1);
  if (out.baseline_first < 0 || out.baseline_first >= out.baseline_last ||
      out.baseline_last > static_cast<int>(n_frames))
    throw Error(Errc::range,
                fmt::format("baseline frames {} to {} of {}", out.baseline_first, out.baseline_last, n_frames),
                fmt::format("give 0 <= first < last <= {}", n_frames));

  const Converter converter{rows, spgr, T10, B1, mask, exact, out};
  const Device device = signal.device().is_cpu() ? options.device : signal.device();
  device.is_cpu() ? converter.on_cpu(cancel) : converter.on_cuda(device, cancel);
  return out;
}

}  // namespace larmor::dce
