// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>

/// Packed complex arrays (c64, c128) as vectors. Sums are made in double, in pieces of a fixed size, so results do not
/// depend on the number of threads. Errors of all   Errc::type unless complex, Errc::shape for two sizes
namespace larmor::recon {

/// Sum of conj(a) b.
std::complex<double> dot(const Array& a, const Array& b);
/// Its real part: the inner product of the numbers' parts, half the work.
double real_dot(const Array& a, const Array& b);
/// Root of the sum of the squared magnitudes.
double norm(const Array& a);
/// y <- y + s x
void add_scaled(double s, const Array& x, Array& y);
/// y <- x + s y
void scale_add(const Array& x, double s, Array& y);
/// y <- s y
void scale(double s, Array& y);
/// a x + b y
Array combination(double a, const Array& x, double b, const Array& y);

/// Errors   Errc::range with the place and number of those that are NaN or infinite; `name` is what the caller calls it
void require_finite(const Array& a, const std::string& name);

}  // namespace larmor::recon
