// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/bloch.hpp>
#include <larmor/sim/bloch_cuda.hpp>

extern "C" {
void larmor_bloch_baseline(const larmor::sim::BlochRun*, std::size_t, std::size_t, float*, double*);
void larmor_bloch_one_by_one(const larmor::sim::BlochRun*, std::size_t, std::size_t, float*, double*);
#if defined(__x86_64__)
void larmor_bloch_v3(const larmor::sim::BlochRun*, std::size_t, std::size_t, float*, double*);
void larmor_bloch_v4(const larmor::sim::BlochRun*, std::size_t, std::size_t, float*, double*);
#endif
}

namespace larmor::sim {
namespace {

BlochKernel kernel(bool one_by_one) {
  if (one_by_one) return larmor_bloch_one_by_one;
#if defined(__x86_64__)
  if (isa() == Isa::v4) return larmor_bloch_v4;
  if (isa() == Isa::v3) return larmor_bloch_v3;
#endif
  return larmor_bloch_baseline;
}

/// Rows of whole tiles; the spins added have no magnetisation.
struct Padded {
  std::size_t n;
  std::vector<double> x, y, z, df, vx, vy, vz;
  std::vector<float> R1, R2, M0, B1, D, coil_re, coil_im, mx, my, mz, record;
};

template <class T, class U>
std::vector<T> padded(const std::vector<U>& v, std::size_t n, T otherwise) {
  std::vector<T> out(n, otherwise);
  for (std::size_t i = 0; i < v.size(); ++i) out[i] = static_cast<T>(v[i]);
  return out;
}

Padded rows_of(const Spins& s, const Program& program, const Reach& reach, const Array* start) {
  const std::size_t count = s.size(), n = (count + bloch_tile - 1) / bloch_tile * bloch_tile;
  Padded p;
  p.n = n;
  p.x = padded(s.x, n, 0.0), p.y = padded(s.y, n, 0.0), p.z = padded(s.z, n, 0.0), p.df = padded(s.df, n, 0.0);
  if (reach.flowing) p.vx = padded(s.vx, n, 0.0), p.vy = padded(s.vy, n, 0.0), p.vz = padded(s.vz, n, 0.0);
  if (reach.diffusing) p.D = padded(s.D, n, 0.0f);
  if (!s.B1.empty()) p.B1 = padded(s.B1, n, 1.0f);
  p.R1.assign(n, 1), p.R2.assign(n, 1), p.M0.assign(n, 0), p.mx.assign(n, 0), p.my.assign(n, 0), p.mz.assign(n, 0);
  for (std::size_t i = 0; i < count; ++i) {
    p.R1[i] = 1 / s.T1[i], p.R2[i] = 1 / s.T2[i];
    p.M0[i] = s.M0.empty() ? 1 : s.M0[i];
    p.mz[i] = p.M0[i];
  }
  if (start) {
    if (start->shape() != Shape{3, static_cast<std::int64_t>(count)})
      throw Error(Errc::shape, fmt::format("magnetisation to begin with is {} for {} spins", start->describe(), count),
                  "give (component, spin), like the magnetisation that a simulation ends with");
    const Array m = start->to(Device::cpu()).cast(DType::f32).contiguous_copy();
    for (std::size_t i = 0; i < count; ++i) {
      const float* at = m.data<float>() + 3 * i;
      if (!std::isfinite(at[0] + at[1] + at[2]))
        throw Error(Errc::range, fmt::format("magnetisation of spin {} is no number", i), "give finite numbers");
      p.mx[i] = at[0], p.my[i] = at[1], p.mz[i] = at[2];
    }
  }
  const auto coils = static_cast<std::size_t>(s.coils());
  if (!s.coil.empty()) {
    p.coil_re.assign(n * coils, 0), p.coil_im.assign(n * coils, 0);
    for (std::size_t q = 0; q < coils; ++q)
      for (std::size_t i = 0; i < count; ++i)
        p.coil_re[q * n + i] = s.coil[q * count + i].real(), p.coil_im[q * n + i] = s.coil[q * count + i].imag();
  }
  p.record.resize(3 * n * program.record_times.size());
  return p;
}

template <class T>
const T* or_null(const std::vector<T>& v) {
  return v.empty() ? nullptr : v.data();
}

}  // namespace

BlochResult simulate(const Sequence& sequence, const Spins& spins, const BlochOptions& options, const Cancel* cancel,
                     const Progress& progress) {
  spins.check();
  const Reach reach = reach_of(spins);
  const Program program = compile(sequence, reach, options.compile);
  const auto n_samples = program.sample_times.size(), coils = static_cast<std::size_t>(spins.coils());
  const double bytes = 12.0 * static_cast<double>(spins.size()) * static_cast<double>(program.record_times.size());
  if (bytes > 16e9)
    throw Error(Errc::range,
                fmt::format("{} spins recorded at {} times take {:.0f} GB", spins.size(), program.record_times.size(),
                            bytes * 1e-9),
                "record fewer times, or fewer spins");
  Padded p = rows_of(spins, program, reach, options.start);
  BlochRun run{.x = p.x.data(),
               .y = p.y.data(),
               .z = p.z.data(),
               .df = p.df.data(),
               .vx = or_null(p.vx),
               .vy = or_null(p.vy),
               .vz = or_null(p.vz),
               .R1 = p.R1.data(),
               .R2 = p.R2.data(),
               .M0 = p.M0.data(),
               .B1 = or_null(p.B1),
               .D = or_null(p.D),
               .coil_re = or_null(p.coil_re),
               .coil_im = or_null(p.coil_im),
               .n = p.n,
               .n_coils = static_cast<int>(coils),
               .segments = program.segments.data(),
               .rf = program.rf.data(),
               .adc = program.adc.data(),
               .instances = program.instances.data(),
               .n_instances = static_cast<int>(program.instances.size()),
               .maps = program.maps.data(),
               .n_maps = static_cast<int>(program.maps.size()),
               .map_instances = program.map_instances.data(),
               .decay_times = program.decay_times.data(),
               .n_decays = static_cast<int>(program.decay_times.size()),
               .n_samples = static_cast<int>(n_samples),
               .seed = options.seed,
               .mx = p.mx.data(),
               .my = p.my.data(),
               .mz = p.mz.data(),
               .record = p.record.empty() ? nullptr : p.record.data()};
  const std::size_t sums = 2 * n_samples * coils;
  std::vector<double> signal(sums);
  if (options.device.is_cpu()) {
    // Shares of the spins with sums of their own, so that results do not depend on threads; 256 MB of sums at most.
    const std::size_t tiles = p.n / bloch_tile;
    const std::size_t shares = std::clamp<std::size_t>(std::size_t{256000000} / std::max<std::size_t>(8 * sums, 1), 1,
                                                       std::min<std::size_t>(64, tiles));
    std::vector<std::vector<double>> parts(shares);
    const BlochKernel tile = kernel(options.one_by_one);
    progress.begin("Bloch equations", tiles);
    parallel_for(
        shares, 1,
        [&](std::size_t first, std::size_t last) {
          // 64 bytes aligned: packs stand at the end.
          const std::size_t floats = bloch_scratch(run, bloch_tile) + 2 * adc_chunk * 16 * coils + 32;
          const auto scratch = allocate(floats * sizeof(float), Device::cpu());
          for (std::size_t s = first; s < last; ++s) {
            parts[s].assign(sums, 0.0);
            for (std::size_t t = tiles * s / shares; t < tiles * (s + 1) / shares; ++t) {
              if (cancel) cancel->check();
              tile(&run, t * bloch_tile, bloch_tile, reinterpret_cast<float*>(scratch.get()), parts[s].data());
              progress.add(1);
            }
          }
        },
        cancel);
    progress.end();
    for (const auto& part : parts)
      for (std::size_t i = 0; i < sums; ++i) signal[i] += part[i];
  } else {
    bloch_on_cuda(options.device, run, program, signal);
  }

  BlochResult out;
  const auto count = static_cast<std::int64_t>(spins.size());
  const bool even = !program.readouts.empty() && std::all_of(program.readouts.begin(), program.readouts.end(),
                                                             [&](std::int64_t r) { return r == program.readouts[0]; });
  const auto samples = static_cast<std::int64_t>(n_samples),
             readouts = static_cast<std::int64_t>(program.readouts.size());
  out.signal = even ? Array(DType::c64, {program.readouts[0], readouts, static_cast<std::int64_t>(coils)},
                            {"sample", "readout", "coil"})
                    : Array(DType::c64, {samples, static_cast<std::int64_t>(coils)}, {"sample", "coil"});
  for (std::size_t q = 0; q < coils; ++q)
    for (std::size_t i = 0; i < n_samples; ++i) {
      const std::complex<double> m(signal[2 * q * n_samples + i], signal[(2 * q + 1) * n_samples + i]);
      out.signal.data<std::complex<float>>()[q * n_samples + i] = std::complex<float>(m * program.demodulation[i]);
    }
  out.magnetisation = Array(DType::f32, {3, count}, {"component", "spin"});
  for (std::int64_t i = 0; i < count; ++i) {
    float* m = out.magnetisation.data<float>() + 3 * i;
    m[0] = p.mx[static_cast<std::size_t>(i)], m[1] = p.my[static_cast<std::size_t>(i)],
    m[2] = p.mz[static_cast<std::size_t>(i)];
  }
  if (const auto frames = static_cast<std::int64_t>(program.record_times.size()); frames > 0) {
    out.record = Array::uninitialised(DType::f32, {3, count, frames}, {"component", "spin", "t"});
    for (std::int64_t f = 0; f < frames; ++f)
      for (std::int64_t c = 0; c < 3; ++c) {
        const float* from = p.record.data() + static_cast<std::size_t>(3 * f + c) * p.n;
        float* to = out.record.data<float>() + 3 * count * f + c;
        for (std::int64_t i = 0; i < count; ++i) to[3 * i] = from[i];
      }
  }
  out.record_times = program.record_times, out.sample_times = program.sample_times;
  out.sample_k = program.sample_k, out.readouts = program.readouts;
  out.duration = program.duration, out.error_bound = program.error_bound;
  out.rf_steps = program.rf_steps * count, out.jumps = program.jumps * count, out.samples = samples * count;
  out.mapped = program.mapped * count;
  return out;
}

}  // namespace larmor::sim
