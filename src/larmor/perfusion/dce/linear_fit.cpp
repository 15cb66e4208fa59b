// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <larmor/fit/linear.hpp>
#include <larmor/perfusion/dce/fit_kernel.hpp>
#include <larmor/perfusion/dce/linear_fit.hpp>
#include <limits>

namespace larmor::dce {
namespace {

/// The regressors that do not depend on the voxel, at the fitted frames.
struct Inputs {
  std::vector<double> t, ca, ca1, ca2;  // time, input, its first and second integral
};

Inputs make_inputs(const FitSetup& s) {
  const TimeGrid& g = s.grid->view();
  Inputs in;
  in.t = s.frame_times;
  const std::span<const double> nodes(g.node_time, static_cast<std::size_t>(g.n_nodes));
  // Second integral of the piecewise-linear input, exact: Simpson's rule on its (quadratic) first integral needs the
  // midpoints, which are known.
  std::vector<double> twice(nodes.size(), 0.0);
  for (std::size_t j = 0; j + 1 < nodes.size(); ++j) {
    const double h = g.dt[j], c0 = g.input[0][j], c1 = g.input[0][j + 1];
    twice[j + 1] = twice[j] + h * g.integral[0][j] + h * h * (2 * c0 + c1) / 6;
  }
  for (int i = 0; i < g.n_out; ++i) {
    const auto at = static_cast<std::size_t>(g.out_node[i]);
    const bool before = i < g.n_before;
    in.ca.push_back(before ? 0 : g.input[0][at]);
    in.ca1.push_back(before ? 0 : g.integral[0][at]);
    in.ca2.push_back(before ? 0 : twice[at]);
  }
  return in;
}

/// Model equations in integrated form, C = sum of b_i x_i with x from {int C, int int C, ca, int ca, int int ca};
/// `solve` turns b into parameters, false when b has no such parameters.
struct Form {
  bool C1 = false, C2 = false, ca = false, ca1 = false, ca2 = false;
  bool (*solve)(const double* b, double* p) = nullptr;
};

bool tofts(const double* b, double* p) {  // C = -kep int C + Ktrans int ca
  p[0] = b[1], p[1] = b[1] / -b[0];
  return true;
}
bool extended_tofts(const double* b, double* p) {  // C = -kep int C + vp ca + (Ktrans + kep vp) int ca
  const double kep = -b[0], vp = b[1];
  p[0] = b[2] - kep * vp, p[1] = p[0] / kep, p[2] = vp;
  return true;
}
bool patlak(const double* b, double* p) {
  p[1] = b[0], p[0] = b[1];
  return true;
}
bool one_compartment(const double* b, double* p) {  // C = -Fp/vp int C + Fp int ca
  p[0] = b[1], p[1] = b[1] / -b[0];
  return true;
}
bool two_cxm(const double* b, double* p) {
  // C = -(K1 + K2) int C - K1 K2 int int C + Fp int ca + Fp K1 K2 T int int ca, T = (ve + vp) / Fp
  const double sum = -b[0], product = -b[1], Fp = b[2], Fp_T = b[3] / product;
  if (!(product > 0) || !(Fp > 0)) return false;
  const double T = Fp_T / Fp;
  // With c = Fp/vp, b = PS/ve: product = b c, and T product = (ve + vp)/Fp b c = PS/vp + b = a - c + b = sum - c.
  const double c = sum - T * product, rate = product / c, a = sum - rate;
  p[3] = Fp / c, p[0] = Fp, p[1] = a * p[3] - Fp, p[2] = p[1] / rate;
  return true;
}
bool two_cum(const double* b, double* p) {  // C = -K int C + Fp int ca + Fp E K int int ca
  const double K = -b[0], Fp = b[1], E = b[2] / (Fp * K);
  p[0] = Fp, p[1] = Fp * E / (1 - E), p[2] = (Fp + p[1]) / K;
  return true;
}

Form form_of(const Model& model) {
  const auto is = [&](const char* id) { return &models().get(id) == &model; };
  if (is("dce.tofts")) return {.C1 = true, .ca1 = true, .solve = tofts};
  if (is("dce.extended_tofts")) return {.C1 = true, .ca = true, .ca1 = true, .solve = extended_tofts};
  if (is("dce.patlak")) return {.ca = true, .ca1 = true, .solve = patlak};
  if (is("dce.one_compartment")) return {.C1 = true, .ca1 = true, .solve = one_compartment};
  if (is("dce.2cxm")) return {.C1 = true, .C2 = true, .ca1 = true, .ca2 = true, .solve = two_cxm};
  if (is("dce.2cum")) return {.C1 = true, .ca1 = true, .ca2 = true, .solve = two_cum};
  throw Error(Errc::usage, model.title + " has no linear form", "use fitter.lm");
}

}  // namespace

TileFit linear_fit(const FitSetup& s, double delay) {
  const Form form = form_of(*s.model);
  if (s.with_delay)
    throw Error(Errc::usage, "the linear fitter cannot fit a delay", "use fitter.lm, or give the delay");
  for (std::size_t i = 0; i < s.params.size(); ++i)
    if (s.options.fixed[i])
      throw Error(Errc::usage, "the linear fitter cannot hold " + s.params[i].name + " fixed", "use fitter.lm");
  const Curve curve = s.kernels->baseline()->curve[0];
  const DerivedAt derived_at = s.kernels->baseline()->derived;

  return [&s, form, curve, derived_at, delay, in = make_inputs(s)](const Tile& t) {
    using fit::FitStatus;
    const std::size_t n = in.t.size(), np = s.params.size(), nd = s.model->derived.size();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> y(n), y1(n), y2(n), model(n), jacobian(n * np), derived(nd), gradient(nd * np);
    for (int v = 0; v < t.n; ++v) {
      double sum = 0, squares = 0;
      for (std::size_t i = 0; i < n; ++i)
        y[i] = t.y[i * static_cast<std::size_t>(t.y_stride) + static_cast<std::size_t>(v)], sum += y[i],
        squares += y[i] * y[i];
      t.sst[v] = squares - sum * sum / static_cast<double>(n);
      FitStatus status = FitStatus::converged;
      if (!std::isfinite(squares))
        status = FitStatus::bad_data;
      else if (!(t.sst[v] > 1e-13 * squares))
        status = FitStatus::no_signal;
      double p[fit::max_params], error[fit::max_params];
      std::fill(p, p + np, nan), std::fill(error, error + np, nan);
      t.iterations[v] = 0;
      double residual_sd = nan, R2 = nan, AICc = nan;
      if (status == FitStatus::converged) {
        y1[0] = y2[0] = 0;  // the curve starts at the first frame
        for (std::size_t i = 1; i < n; ++i) {
          const double h = in.t[i] - in.t[i - 1];
          y1[i] = y1[i - 1] + 0.5 * h * (y[i] + y[i - 1]);
          y2[i] = y2[i - 1] + h * y1[i - 1] + h * h * (2 * y[i - 1] + y[i]) / 6;
        }
        std::array<const double*, 5> columns{};
        int k = 0;
        if (form.C1) columns[static_cast<std::size_t>(k++)] = y1.data();
        if (form.C2) columns[static_cast<std::size_t>(k++)] = y2.data();
        if (form.ca) columns[static_cast<std::size_t>(k++)] = in.ca.data();
        if (form.ca1) columns[static_cast<std::size_t>(k++)] = in.ca1.data();
        if (form.ca2) columns[static_cast<std::size_t>(k++)] = in.ca2.data();
        double b[5];
        const bool solved = fit::least_squares({columns.data(), static_cast<std::size_t>(k)}, y, b) && form.solve(b, p);
        bool finite = solved;
        for (std::size_t i = 0; i < np; ++i) finite = finite && std::isfinite(p[i]);
        if (!solved)
          status = FitStatus::singular;
        else if (!finite)
          status = FitStatus::out_of_range;
      }
      if (status == FitStatus::converged) {
        curve(*t.grid, delay, p, model.data(), jacobian.data());
        double sse = 0;
        for (std::size_t i = 0; i < n; ++i) sse += (y[i] - model[i]) * (y[i] - model[i]);
        fit::goodness<double>(sse, t.sst[v], static_cast<int>(n), static_cast<int>(np), residual_sd, R2, AICc);
        if (!std::isfinite(sse))
          status = FitStatus::out_of_range;
        else {
          const double variance = sse / static_cast<double>(n - np);
          fit::standard_errors(jacobian, n, np, variance, {error, np});
          derived_at(p, derived.data(), gradient.data());
          fit::propagated_errors(jacobian, n, np, variance, gradient, derived);
        }
      }
      t.status[v] = static_cast<std::uint8_t>(status);
      const bool good = status == FitStatus::converged;
      t.residual_sd[v] = static_cast<float>(good ? residual_sd : nan), t.R2[v] = static_cast<float>(good ? R2 : nan);
      t.AICc[v] = static_cast<float>(good ? AICc : nan);
      for (std::size_t i = 0; i < nd; ++i)
        t.derived[i * static_cast<std::size_t>(t.stride) + static_cast<std::size_t>(v)] =
            static_cast<float>(good ? derived[i] : nan);
      for (std::size_t i = 0; i < np; ++i) {
        const auto at = i * static_cast<std::size_t>(t.stride) + static_cast<std::size_t>(v);
        t.values[at] = static_cast<float>(status == FitStatus::converged ? p[i] : nan);
        t.errors[at] = static_cast<float>(status == FitStatus::converged ? error[i] : nan);
      }
    }
  };
}

}  // namespace larmor::dce
