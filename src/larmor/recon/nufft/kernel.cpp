// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/nufft/kernel.hpp>
#include <map>
#include <mutex>
#include <numbers>

namespace larmor::recon {
namespace {

// The normal equations have a condition of about 1 / error^2, which for the widest windows is beyond a double.
using Real = long double;
constexpr Real pi = std::numbers::pi_v<Real>;

struct Quadrature {
  std::vector<Real> at, weight;
};

/// Gauss-Legendre on [0, 1].
Quadrature gauss_legendre(int n) {
  Quadrature q;
  for (int i = 0; i < n; ++i) {
    Real x = std::cos(pi * (static_cast<Real>(i) + 0.75L) / (static_cast<Real>(n) + 0.5L)), slope = 0;
    for (int step = 0; step < 50; ++step) {
      Real before = 1, p = x;
      for (int k = 2; k <= n; ++k) {
        const Real next = (static_cast<Real>(2 * k - 1) * x * p - static_cast<Real>(k - 1) * before) / Real(k);
        before = p, p = next;
      }
      slope = Real(n) * (x * p - before) / (x * x - 1);
      const Real d = p / slope;
      x -= d;
      if (std::abs(d) < 1e-18L) break;
    }
    q.at.push_back((1 + x) / 2), q.weight.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return q;
}

// Both integrands are even or entire and turn at most width / 2 times: these orders are exact to rounding.
constexpr int n_u = 16, n_x = 20;
// Each turn of c and p lowers the error; after 12 it moves by less than 1 % more.
constexpr int turns = 12;

class Fit {
 public:
  Fit(int width, double oversampling)
      : width_(width), u_(gauss_legendre(n_u)), x_(gauss_legendre(n_x)), p_(n_x), c_(n_u * width) {
    for (auto& x : x_.at) x /= 2 * Real(oversampling);  // x / N in [0, 1 / (2 a)], by symmetry
    for (int u = 0; u < n_u; ++u)
      for (int l = 0; l < width; ++l)
        for (int x = 0; x < n_x; ++x) {
          const Real phase = 2 * pi * z(u_.at[std::size_t(u)], l) * x_.at[std::size_t(x)];
          cos_.push_back(std::cos(phase)), sin_.push_back(std::sin(phase));
        }
    // Start: the transform of the Kaiser-Bessel window, which is near.
    const Real beta = kaiser_bessel_beta(width, oversampling);
    for (int x = 0; x < n_x; ++x) {
      const Real q = beta * beta - std::pow(pi * Real(width) * x_.at[std::size_t(x)], Real(2)),
                 root = std::sqrt(std::abs(q));
      p_[std::size_t(x)] = root / (q > 0 ? std::sinh(root) : std::sin(root));
    }
  }

  void optimise() {
    factorise();
    for (int u = 0; u < n_u; ++u) {
      const auto c = weights(u_.at[std::size_t(u)]);
      std::copy(c.begin(), c.end(), c_.begin() + u * width_);
    }
    update_scaling();
  }
  /// For windows that are given: c at the nodes.
  template <class Window>
  void use(const Window& window) {
    for (int u = 0; u < n_u; ++u)
      for (int l = 0; l < width_; ++l) c_[std::size_t(u * width_ + l)] = window(z(u_.at[std::size_t(u)], l));
    update_scaling();
  }

  Real z(Real u, int l) const { return u + Real(l) - Real(width_) / 2; }

  /// The best c(u) for the p of now.
  std::vector<Real> weights(Real u) const {
    std::vector<Real> b(static_cast<std::size_t>(width_));
    for (int l = 0; l < width_; ++l)
      for (std::size_t x = 0; x < n_x; ++x)
        b[std::size_t(l)] += x_.weight[x] * p_[x] * std::cos(2 * pi * z(u, l) * x_.at[x]);
    const auto L = [&](int i, int j) { return factor_[std::size_t(i * width_ + j)]; };
    for (int i = 0; i < width_; ++i) {
      for (int k = 0; k < i; ++k) b[std::size_t(i)] -= L(i, k) * b[std::size_t(k)];
      b[std::size_t(i)] /= L(i, i);
    }
    for (int i = width_ - 1; i >= 0; --i) {
      for (int k = i + 1; k < width_; ++k) b[std::size_t(i)] -= L(k, i) * b[std::size_t(k)];
      b[std::size_t(i)] /= L(i, i);
    }
    return b;
  }

  double error() const {
    Real total = 0;
    for (int x = 0; x < n_x; ++x)
      for (int u = 0; u < n_u; ++u) {
        const auto [re, im] = sum(u, x);
        const Real p = p_[std::size_t(x)], d = p * re - 1;
        total += x_.weight[std::size_t(x)] * u_.weight[std::size_t(u)] * (d * d + p * p * im * im);
      }
    return static_cast<double>(std::sqrt(total));
  }

 private:
  std::pair<Real, Real> sum(int u, int x) const {
    Real re = 0, im = 0;
    for (int l = 0; l < width_; ++l) {
      const auto at = std::size_t((u * width_ + l) * n_x + x);
      re += c_[std::size_t(u * width_ + l)] * cos_[at], im -= c_[std::size_t(u * width_ + l)] * sin_[at];
    }
    return {re, im};
  }
  void update_scaling() {
    for (int x = 0; x < n_x; ++x) {
      Real re_sum = 0, rr = 0;
      for (int u = 0; u < n_u; ++u) {
        const auto [re, im] = sum(u, x);
        re_sum += u_.weight[std::size_t(u)] * re, rr += u_.weight[std::size_t(u)] * (re * re + im * im);
      }
      p_[std::size_t(x)] = re_sum / rr;
    }
  }
  void factorise() {
    factor_.assign(std::size_t(width_ * width_), 0);
    std::vector<Real> a(static_cast<std::size_t>(width_));
    for (std::size_t m = 0; m < a.size(); ++m)
      for (std::size_t x = 0; x < n_x; ++x)
        a[m] += x_.weight[x] * p_[x] * p_[x] * std::cos(2 * pi * Real(m) * x_.at[x]);
    const auto L = [&](int i, int j) -> Real& { return factor_[std::size_t(i * width_ + j)]; };
    for (int i = 0; i < width_; ++i)
      for (int j = 0; j <= i; ++j) {
        Real t = a[std::size_t(i - j)];
        for (int k = 0; k < j; ++k) t -= L(i, k) * L(j, k);
        L(i, j) = i == j ? std::sqrt(std::max(t, Real(1e-30L))) : t / L(j, j);
      }
  }

  int width_;
  Quadrature u_, x_;
  std::vector<Real> p_, c_, cos_, sin_, factor_;
};

/// Polynomials in 2 u - 1 through c(u), by Chebyshev sums cut where what is left out is a tenth of the error.
template <class Weights>
void to_polynomials(SpreadKernel& kernel, const Weights& weights) {
  constexpr int n = 24;
  const auto w = static_cast<std::size_t>(kernel.width);
  std::vector<std::vector<Real>> cheb(n, std::vector<Real>(w));
  for (int j = 0; j < n; ++j) {
    const Real angle = pi * (Real(j) + 0.5L) / n;
    const auto c = weights((std::cos(angle) + 1) / 2);
    for (int k = 0; k < n; ++k)
      for (std::size_t l = 0; l < w; ++l) cheb[std::size_t(k)][l] += (k ? 2 : 1) * c[l] * std::cos(Real(k) * angle) / n;
  }
  // p sum c - 1 is the measure: weights near the middle of the image have p of 1 / sum c.
  Real sum = 0;
  for (const Real c : weights(0.5L)) sum += c;
  const auto left_out = [&](int degree) {
    Real worst = 0;
    for (std::size_t l = 0; l < w; ++l) {
      Real tail = 0;
      for (int k = degree + 1; k < n; ++k) tail += cheb[std::size_t(k)][l] * cheb[std::size_t(k)][l];
      worst += tail;
    }
    return std::sqrt(worst) / std::abs(sum);
  };
  int degree = 3;
  // Below 1e-8 a float does not see it.
  while (degree < 15 && left_out(degree) > std::max(0.1L * Real(kernel.error), 1e-8L)) ++degree;
  kernel.degree = degree;

  // T_k as monomials, by T_k = 2 x T_(k - 1) - T_(k - 2).
  std::vector<std::vector<Real>> T{{1}, {0, 1}};
  for (int k = 2; k <= degree; ++k) {
    std::vector<Real> next(std::size_t(k) + 1);
    for (std::size_t i = 0; i < T[std::size_t(k) - 1].size(); ++i) next[i + 1] += 2 * T[std::size_t(k) - 1][i];
    for (std::size_t i = 0; i < T[std::size_t(k) - 2].size(); ++i) next[i] -= T[std::size_t(k) - 2][i];
    T.push_back(next);
  }
  kernel.coefficients.assign(std::size_t(degree + 1) * w, 0);
  for (int power = 0; power <= degree; ++power)
    for (std::size_t l = 0; l < w; ++l) {
      Real c = 0;
      for (int k = power; k <= degree; ++k) c += cheb[std::size_t(k)][l] * T[std::size_t(k)][std::size_t(power)];
      kernel.coefficients[std::size_t(degree - power) * w + l] = static_cast<double>(c / sum);
    }
}

void check(int width, double oversampling) {
  if (width < 2 || width > max_kernel_width || !(oversampling >= 1.05 && oversampling <= 8))
    throw Error(Errc::range, fmt::format("NUFFT: a window of {} points at {:.4g} x oversampling", width, oversampling),
                fmt::format("give 2 to {} points and 1.05 to 8 x", max_kernel_width));
}

}  // namespace

double SpreadKernel::weight(int l, double u) const {
  const double v = 2 * u - 1;
  double c = 0;
  for (int k = 0; k <= degree; ++k) c = c * v + coefficients[static_cast<std::size_t>(k * width + l)];
  return c;
}

std::vector<double> SpreadKernel::scaling(std::int64_t n, std::int64_t N) const {
  static const Quadrature u = gauss_legendre(n_u);
  std::vector<double> c;
  for (const Real at : u.at)
    for (int l = 0; l < width; ++l) c.push_back(weight(l, static_cast<double>(at)));
  std::vector<double> p(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t x = i - n / 2;
    if (x > 0) {  // p is even
      p[static_cast<std::size_t>(i)] = p[static_cast<std::size_t>(n / 2 - x)];
      continue;
    }
    const double step = 2 * std::numbers::pi * static_cast<double>(x) / static_cast<double>(N);
    double re_sum = 0, rr = 0;
    for (int k = 0; k < n_u; ++k) {
      // sum_l c_l exp(-i step z_l), one turn a point
      const double z0 = static_cast<double>(u.at[static_cast<std::size_t>(k)]) - width / 2.0;
      double cr = std::cos(step * z0), ci = -std::sin(step * z0), re = 0, im = 0;
      const double tr = std::cos(step), ti = -std::sin(step);
      for (int l = 0; l < width; ++l) {
        const double w = c[static_cast<std::size_t>(k * width + l)];
        re += w * cr, im += w * ci;
        const double next = cr * tr - ci * ti;
        ci = cr * ti + ci * tr, cr = next;
      }
      const auto weight = static_cast<double>(u.weight[static_cast<std::size_t>(k)]);
      re_sum += weight * re, rr += weight * (re * re + im * im);
    }
    p[static_cast<std::size_t>(i)] = re_sum / rr;
  }
  return p;
}

double kaiser_bessel_beta(double width, double oversampling) {
  const double r = width / oversampling * (oversampling - 0.5);
  return std::numbers::pi * std::sqrt(std::max(r * r - 0.8, 0.01));
}

const SpreadKernel& spread_kernel(int width, double oversampling) {
  check(width, oversampling);
  static std::mutex mutex;
  static std::map<std::pair<int, double>, SpreadKernel>& known = *new std::map<std::pair<int, double>, SpreadKernel>;
  const std::lock_guard lock(mutex);
  const auto [at, fresh] = known.try_emplace({width, oversampling});
  if (!fresh) return at->second;
  Fit fit(width, oversampling);
  for (int i = 0; i < turns; ++i) fit.optimise();
  SpreadKernel& kernel = at->second;
  kernel.width = width, kernel.oversampling = oversampling;
  kernel.error = fit.error();
  fit.optimise();  // its p goes with the c that `weights` gives
  to_polynomials(kernel, [&](Real u) { return fit.weights(u); });
  return kernel;
}

SpreadKernel kaiser_bessel_kernel(int width, double oversampling) {
  check(width, oversampling);
  const double beta = kaiser_bessel_beta(width, oversampling);
  const auto window = [&](Real z) {
    const Real q = 1 - 4 * z * z / Real(width * width);
    return q > 0 ? std::cyl_bessel_i(Real(0), Real(beta) * std::sqrt(q)) : Real(0);
  };
  Fit fit(width, oversampling);
  fit.use(window);
  SpreadKernel kernel;
  kernel.width = width, kernel.oversampling = oversampling, kernel.error = fit.error();
  to_polynomials(kernel, [&](Real u) {
    std::vector<Real> c;
    for (int l = 0; l < width; ++l) c.push_back(window(fit.z(u, l)));
    return c;
  });
  return kernel;
}

}  // namespace larmor::recon
