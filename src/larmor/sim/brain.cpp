// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/brain.hpp>

namespace larmor::sim {
namespace {

enum Label : std::uint8_t { air, scalp, skull, csf, grey, white };

constexpr std::array<TissueRow, 6> rows{{{"air", 0, 0, 0, 0, 0},
                                         {"scalp", 0.9, 0.382, 0.068, 0.03, -440},
                                         {"skull", 0.12, 0.3, 0.01, 0.002, 0},
                                         {"CSF", 1.0, 3.817, 2.0, 0.5, 0},
                                         {"grey matter", 0.82, 1.82, 0.099, 0.066, 0},
                                         {"white matter", 0.7, 1.084, 0.069, 0.053, 0}}};

bool within(double x, double y, double z, double a, double b, double c) {
  const double u = x / a, v = y / b, w = z / c;
  return u * u + v * v + w * w <= 1;
}

/// Label at a place of the field of view [-1, 1)^3, y to the front, z up.
Label label_at(double x, double y, double z) {
  if (!within(x, y, z, 0.74, 0.92, 0.9)) return air;
  if (!within(x, y, z, 0.69, 0.87, 0.86)) return scalp;
  if (!within(x, y, z, 0.635, 0.815, 0.8)) return skull;
  // Radius in units of the inner skull; sulci are waves of it, gyri between them.
  const double r = std::sqrt(x * x / (0.635 * 0.635) + y * y / (0.815 * 0.815) + z * z / 0.64);
  const double around = std::atan2(y / 0.815, x / 0.635),
               up = std::asin(std::max(-1.0, std::min(1.0, z / (0.8 * std::max(r, 1e-9)))));
  const double fold =
      0.5 * std::sin(13 * around + 2.2 * std::sin(3 * up)) + 0.5 * std::sin(11 * up + 1.7 * std::cos(5 * around));
  const double middle = std::abs(x);  // the fissure between the halves
  if (r > 0.955 + 0.02 * fold) return csf;
  if (fold < -0.72 && r > 0.8) return csf;
  if (middle < 0.012 && r > 0.45) return csf;
  // Ventricles: two horns and a third between them.
  const double side = std::abs(x);
  if (within(side - 0.11 - 0.1 * y * y, y - 0.02, z - 0.08, 0.055, 0.3, 0.12)) return csf;
  if (within(x, y + 0.02, z + 0.06, 0.02, 0.12, 0.14)) return csf;
  // Deep grey: caudate and putamen, thalamus.
  if (within(side - 0.2, y - 0.2, z - 0.04, 0.055, 0.12, 0.13)) return grey;
  if (within(side - 0.29, y - 0.04, z + 0.02, 0.05, 0.17, 0.13)) return grey;
  if (within(side - 0.12, y + 0.14, z + 0.02, 0.075, 0.11, 0.1)) return grey;
  if (r > 0.845 + 0.045 * fold) return grey;
  if (fold < -0.45 && r > 0.74) return grey;
  if (middle < 0.04 && r > 0.5) return grey;
  return white;
}

/// A field as of an air cavity below and in front: like that of a dipole along z, smooth, 1 at most in the brain.
double field_at(double x, double y, double z) {
  const double dy = y - 0.72, dz = z + 0.42, rr = x * x + dy * dy + dz * dz;
  const double r = std::sqrt(rr + 0.06);
  return std::max(-1.0, std::min(1.0, 0.03 * (3 * dz * dz / (rr + 0.06) - 1) / (r * r * r)));
}

}  // namespace

std::span<const TissueRow> brain_tissues() { return rows; }

BrainMaps brain_phantom(const Shape& shape, double df_peak, const Cancel* cancel) {
  bool good = shape.size() == 2 || shape.size() == 3;
  for (const auto n : shape) good = good && n >= 1;
  if (!good)
    throw Error(Errc::shape, fmt::format("a brain of {}", to_string(shape)), "give two or three extents of 1 or more");
  if (!std::isfinite(df_peak))
    throw Error(Errc::range, fmt::format("off-resonance of {:g} Hz", df_peak), "give a finite number");
  BrainMaps out{.labels = Array::uninitialised(DType::u8, shape),
                .PD = Array::uninitialised(DType::f32, shape),
                .T1 = Array::uninitialised(DType::f32, shape),
                .T2 = Array::uninitialised(DType::f32, shape),
                .T2_star = Array::uninitialised(DType::f32, shape),
                .df = Array::uninitialised(DType::f32, shape)};
  parallel_for(
      static_cast<std::size_t>(out.PD.size()), 1024,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t p = first; p < last; ++p) {
          auto rest = static_cast<std::int64_t>(p);
          std::array<double, 3> at{0, 0, 0.06};  // a slice through ventricles and nuclei in two dimensions
          for (std::size_t a = 0; a < shape.size(); ++a)
            at[a] = 2.0 * static_cast<double>(rest % shape[a] - shape[a] / 2) / static_cast<double>(shape[a]),
            rest /= shape[a];
          const Label label = label_at(at[0], at[1], at[2]);
          const TissueRow& t = rows[label];
          out.labels.data<std::uint8_t>()[p] = label;
          out.PD.data<float>()[p] = static_cast<float>(t.PD);
          out.T1.data<float>()[p] = static_cast<float>(t.T1), out.T2.data<float>()[p] = static_cast<float>(t.T2);
          out.T2_star.data<float>()[p] = static_cast<float>(t.T2_star);
          out.df.data<float>()[p] =
              label == air ? 0.0f : static_cast<float>(t.shift + df_peak * field_at(at[0], at[1], at[2]));
        }
      },
      cancel);
  return out;
}

}  // namespace larmor::sim
