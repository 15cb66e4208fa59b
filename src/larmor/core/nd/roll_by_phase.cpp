// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/broadcast.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <numbers>

namespace larmor::nd {

Array roll_by_phase(const Array& a, int axis, double by, const Cancel* cancel) {
  if (axis < 0 || axis >= a.rank()) throw Error(Errc::range, "axis " + std::to_string(axis) + " of " + a.describe());
  const DType work = arithmetic_type(std::span(&a, 1));
  const DType complex = work == DType::f32 || work == DType::c64 ? DType::c64 : DType::c128;
  const std::int64_t n = a.extent(axis);
  std::vector<std::complex<double>> turns(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k) {
    const double frequency = static_cast<double>(k <= (n - 1) / 2 ? k : k - n);
    const double angle = -2 * std::numbers::pi * frequency * by / static_cast<double>(n);
    // The Nyquist term stands for both +n/2 and -n/2; half of each keeps a real signal real.
    turns[static_cast<std::size_t>(k)] = 2 * k == n ? std::complex(std::cos(angle), 0.0) : std::polar(1.0, angle);
  }
  const Array phases =
      Array::from<std::complex<double>>(turns, {n}, {a.axes()[static_cast<std::size_t>(axis)]}).cast(complex);
  const Array spectrum = fft(a.cast(complex), {axis}, {.cancel = cancel});
  const Array moved =
      ifft(apply(Binary::multiply, spectrum, phases, cancel), {axis}, {.norm = FftNorm::by_n, .cancel = cancel});
  return is_complex(work) ? moved : apply(Unary::real, moved, cancel);
}

}  // namespace larmor::nd
