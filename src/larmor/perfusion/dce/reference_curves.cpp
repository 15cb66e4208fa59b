// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <limits>
#include <mutex>

namespace larmor::dce {
namespace {

using Vec = std::array<double, 2>;
using Mat = std::array<Vec, 2>;

/// x' = A x + B u, C = c x + d u[0]: two states and two inputs are enough for every model here. The second input is
/// the first one `lag` later, or the portal vein.
struct System {
  Mat A{};
  Mat B{};  // [state][input]
  Vec c{};
  double d = 0;
  double lag = 0;
};

/// The differential equations, from the papers; states are amounts per volume of tissue.
System system_of(const std::string& model, std::span<const double> p) {
  const auto positive = [&](double x, const char* name) {
    if (!(x > 0)) throw Error(Errc::range, fmt::format("{}: {} is {}", model, name, x), "give a value above 0");
    return x;
  };
  if (model == "dce.tofts") return {.A = {{{-p[0] / positive(p[1], "ve")}}}, .B = {{{p[0]}}}, .c = {1}};
  if (model == "dce.extended_tofts")
    return {.A = {{{-p[0] / positive(p[1], "ve")}}}, .B = {{{p[0]}}}, .c = {1}, .d = p[2]};
  if (model == "dce.patlak") return {.B = {{{p[0]}}}, .c = {1}, .d = p[1]};
  if (model == "dce.one_compartment") return {.A = {{{-p[0] / positive(p[1], "vp")}}}, .B = {{{p[0]}}}, .c = {1}};
  if (model == "dce.dual_input")
    return {.A = {{{-p[0] / positive(p[2], "vd")}}}, .B = {{{p[0] * p[1], p[0] * (1 - p[1])}}}, .c = {1}};
  const double Fp = p[0], PS = p[1];
  if (model == "dce.2cum") {
    const double vp = positive(p[2], "vp");
    return {.A = {{{-(Fp + PS) / vp, 0}, {PS / vp, 0}}}, .B = {{{Fp}}}, .c = {1, 1}};
  }
  const double ve = positive(p[2], "ve"), vp = positive(p[3], "vp");
  if (model == "dce.2cxm")
    return {.A = {{{-(Fp + PS) / vp, PS / ve}, {PS / vp, -PS / ve}}}, .B = {{{Fp}}}, .c = {1, 1}};
  // AATH: plug flow through the capillary for Tc, then E Fp leaks and washes out with kep.
  const double E = 1 - std::exp(-PS / positive(Fp, "Fp")), Tc = vp / Fp;
  return {.A = {{{0, 0}, {0, -E * Fp / ve}}}, .B = {{{Fp, -Fp}, {0, E * Fp}}}, .c = {1, 1}, .lag = Tc};
}

Mat multiply(const Mat& a, const Mat& b) {
  Mat r{};
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) r[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
  return r;
}
/// exp(A h) by its series at a small enough h, squared back: no eigenvalues, which the models' own formulas use.
Mat exponential(const Mat& A, double h) {
  double norm = 0;
  for (const auto& row : A) norm = std::max(norm, (std::abs(row[0]) + std::abs(row[1])) * h);
  const int squarings = norm > 0.25 ? static_cast<int>(std::ceil(std::log2(norm / 0.25))) : 0;
  const double s = h / std::pow(2.0, squarings);
  Mat sum{{{1, 0}, {0, 1}}}, term = sum;
  for (int n = 1; n <= 12; ++n) {  // 0.25^13 / 13! = 2e-18
    term = multiply(term, A);
    for (auto& row : term)
      for (double& x : row) x *= s / n;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) sum[i][j] += term[i][j];
  }
  for (int i = 0; i < squarings; ++i) sum = multiply(sum, sum);
  return sum;
}

/// The inputs at the nodes of three-point Gauss quadrature on every step, and which frame each step ends at.
struct Nodes {
  struct Step {
    double h;
    int frame;  // -1: none ends here
  };
  std::vector<Step> steps;
  std::vector<std::array<Vec, 3>> u;  // [step][node][input]
};
constexpr std::array<double, 3> node{0.11270166537925831, 0.5, 0.88729833462074169};
constexpr std::array<double, 3> weight{5.0 / 18, 8.0 / 18, 5.0 / 18};

std::vector<double> integrate(const System& s, const Nodes& nodes, std::span<const double> at_frames) {
  std::vector<double> C(at_frames.size());
  Vec x{};
  double h = -1;
  Mat E{};
  std::array<Mat, 3> W{};
  for (std::size_t k = 0; k < nodes.steps.size(); ++k) {
    const auto& step = nodes.steps[k];
    if (step.h != h) {
      h = step.h;
      E = exponential(s.A, h);
      for (std::size_t i = 0; i < 3; ++i) {
        W[i] = multiply(exponential(s.A, h * (1 - node[i])), s.B);
        for (auto& row : W[i])
          for (double& w : row) w *= h * weight[i];
      }
    }
    Vec next{E[0][0] * x[0] + E[0][1] * x[1], E[1][0] * x[0] + E[1][1] * x[1]};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 2; ++j) next[j] += W[i][j][0] * nodes.u[k][i][0] + W[i][j][1] * nodes.u[k][i][1];
    x = next;
    if (step.frame >= 0) {
      const auto f = static_cast<std::size_t>(step.frame);
      C[f] = s.c[0] * x[0] + s.c[1] * x[1] + s.d * at_frames[f];
    }
  }
  return C;
}

/// First time at which `f` is not 0: scanned, then bisected, so that a step begins at a jump. infinity when it stays 0.
double onset_of(const std::function<double(double)>& f, double from, double to) {
  constexpr int n = 4000;
  double before = from;
  if (f(from) != 0) {  // begun already: go back, doubling, until it is 0
    double back = to - from;
    for (int i = 0; i < 20 && f(from - back) != 0; ++i) back *= 2;
    if (f(from - back) != 0)
      throw Error(Errc::range, fmt::format("the input is not 0 even {} s before the first frame", back),
                  "give an input that begins");
    return onset_of(f, from - back, from);
  }
  for (int i = 1; i <= n; ++i) {
    double after = from + (to - from) * i / n;
    if (f(after) == 0) {
      before = after;
      continue;
    }
    for (int k = 0; k < 60; ++k) {
      const double middle = 0.5 * (before + after);
      (f(middle) == 0 ? before : after) = middle;
    }
    return before;
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace

struct ReferenceCurves::State {
  std::string model;
  std::function<double(double)> input, portal;
  std::vector<double> times, at_frames;
  double onset = 0, portal_onset = std::numeric_limits<double>::infinity();
  std::mutex mutex;
  std::map<std::pair<double, int>, std::shared_ptr<const Nodes>> known;  // by lag and halvings

  std::shared_ptr<const Nodes> nodes(double lag, int halvings) {
    const std::lock_guard lock(mutex);
    auto& found = known[{lag, halvings}];
    if (found) return found;
    std::vector<double> breaks{onset, lag > 0 ? onset + lag : portal_onset};
    breaks.insert(breaks.end(), times.begin(), times.end());
    const double first = *std::min_element(breaks.begin(), breaks.begin() + 2);
    std::erase_if(breaks, [&](double t) { return !std::isfinite(t) || t < first || t > times.back(); });
    std::sort(breaks.begin(), breaks.end());
    breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
    auto made = std::make_shared<Nodes>();
    const double longest = 1.0 / (1 << halvings);  // [s]
    for (std::size_t i = 0; i + 1 < breaks.size(); ++i) {
      const double length = breaks[i + 1] - breaks[i];
      const int n = static_cast<int>(std::ceil(length / longest));
      const auto frame = std::lower_bound(times.begin(), times.end(), breaks[i + 1]);
      const bool ends = frame != times.end() && *frame == breaks[i + 1];
      for (int k = 0; k < n; ++k) {
        made->steps.push_back({length / n, ends && k == n - 1 ? static_cast<int>(frame - times.begin()) : -1});
        std::array<Vec, 3> u{};
        for (std::size_t j = 0; j < 3; ++j) {
          const double t = breaks[i] + length * (k + node[j]) / n;
          u[j] = {input(t), lag > 0 ? input(t - lag) : portal ? portal(t) : 0.0};
        }
        made->u.push_back(u);
      }
    }
    return found = made;
  }
};

ReferenceCurves::ReferenceCurves(const std::string& model, std::function<double(double)> input,
                                 std::vector<double> times, std::function<double(double)> portal)
    : state_(std::make_shared<State>()) {
  state_->model = reference_models().resolve(model);
  if (state_->model == "dce.dual_input" && !portal)
    throw Error(Errc::range, "dce.dual_input has two inputs, one was given", "give the portal vein's curve too");
  if (times.empty()) throw Error(Errc::shape, "reference curve: no times", "give at least one time [s]");
  for (std::size_t i = 0; i < times.size(); ++i)
    if (!std::isfinite(times[i]) || (i > 0 && !(times[i] > times[i - 1])))
      throw Error(Errc::range, fmt::format("reference curve: time {} is {} s", i, times[i]),
                  "give finite, strictly increasing times [s]");
  state_->input = std::move(input), state_->portal = std::move(portal), state_->times = std::move(times);
  const double from = state_->times.front(), to = std::max(state_->times.back(), from + 1e-9);
  state_->onset = onset_of(state_->input, from, to);
  if (state_->portal) state_->portal_onset = onset_of(state_->portal, from, to);
  for (double t : state_->times) state_->at_frames.push_back(state_->input(t));
}

std::vector<double> ReferenceCurves::operator()(std::span<const double> params) const {
  const auto& known = reference_models().get(state_->model).params;
  if (params.size() != known.size())
    throw Error(Errc::shape, fmt::format("{}: {} values for {} parameters", state_->model, params.size(), known.size()),
                "give one value a parameter");
  for (std::size_t i = 0; i < params.size(); ++i)
    if (!(params[i] >= 0 && std::isfinite(params[i])))
      throw Error(Errc::range, fmt::format("{}: {} is {}", state_->model, known[i].name, params[i]),
                  "give a finite value of 0 or more");
  const System system = system_of(state_->model, params);
  // The first step is no longer than the fastest decay: two coarser ones could agree on missing it.
  double rate = 1;
  for (const auto& row : system.A) rate = std::max(rate, std::abs(row[0]) + std::abs(row[1]));
  constexpr int finest = 13;  // steps of 0.1 ms
  const int start = static_cast<int>(std::ceil(std::log2(rate)));
  if (start >= finest)
    throw Error(Errc::range, fmt::format("{}: a rate of {:.4g} 1/s is too fast to integrate", state_->model, rate),
                "give a flow or an exchange below 4000 times its volume");
  auto coarse = integrate(system, *state_->nodes(system.lag, start), state_->at_frames);
  for (int halvings = start + 1;; ++halvings) {
    auto fine = integrate(system, *state_->nodes(system.lag, halvings), state_->at_frames);
    double change = 0, peak = 0;
    for (std::size_t i = 0; i < fine.size(); ++i)
      change = std::max(change, std::abs(fine[i] - coarse[i])), peak = std::max(peak, std::abs(fine[i]));
    if (change <= 1e-7 * peak) return fine;
    if (halvings == finest)
      throw Error(Errc::numeric,
                  fmt::format("{}: the curve still changes by {:.2g} of its peak at steps of 0.1 ms", state_->model,
                              change / peak),
                  "give an input without jumps after its beginning");
    coarse = std::move(fine);
  }
}

std::vector<double> reference_curve(const std::string& model, const std::map<std::string, double>& params,
                                    const std::function<double(double)>& input, std::span<const double> times,
                                    const std::function<double(double)>& portal) {
  std::vector<std::string> names;
  for (const auto& p : reference_models().get(model).params) names.push_back(p.name);
  for (const auto& [name, value] : params)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw unknown_name("parameter of " + model, name, names);
  std::vector<double> values;
  for (const auto& name : names) {
    const auto found = params.find(name);
    if (found == params.end())
      throw Error(Errc::unknown_name, fmt::format("{}: no value of {}", model, name),
                  "give every parameter of the model");
    values.push_back(found->second);
  }
  return ReferenceCurves(model, input, {times.begin(), times.end()}, portal)(values);
}

const ReferenceModels& reference_models() {
  static const ReferenceModels all = [] {
    const ReferenceModel::Parameter Ktrans{"Ktrans", "1/s", "volume transfer constant", {0.001, 0.002, 0.004, 0.006}},
        ve{"ve", "1", "extravascular extracellular volume", {0.1, 0.2, 0.3, 0.5}},
        vp{"vp", "1", "plasma volume", {0.02, 0.05, 0.1}},
        PS{"PS", "1/s", "permeability-surface product", {0.0005, 0.001, 0.003}},
        Fp{"Fp", "1/s", "plasma flow", {0.003, 0.006, 0.01, 0.02}};
    auto small_PS = PS;
    small_PS.levels = {0.0001, 0.0003, 0.001};
    ReferenceModels r("model", "larmor list models");
    r.add("dce.tofts", {"Tofts", "Tofts & Kermode, MRM 17:357 (1991)", {Ktrans, ve}});
    r.add("dce.extended_tofts", {"Extended Tofts", "Tofts, JMRI 7:91 (1997)", {Ktrans, ve, vp}});
    r.add("dce.patlak", {"Patlak", "Patlak et al., JCBFM 3:1 (1983)", {small_PS, vp}});
    r.add("dce.2cxm", {"Two-compartment exchange", "Sourbron & Buckley, PMB 57:R1 (2012)", {Fp, PS, ve, vp}});
    r.add("dce.2cum", {"Two-compartment uptake", "Sourbron & Buckley, PMB 57:R1 (2012)", {Fp, small_PS, vp}});
    r.add("dce.aath", {"Adiabatic tissue homogeneity", "St. Lawrence & Lee, JCBFM 18:1365 (1998)", {Fp, PS, ve, vp}});
    r.add("dce.one_compartment", {"One compartment", "Kety, Pharmacol Rev 3:1 (1951)", {Fp, vp}});
    r.add("dce.dual_input", {"Dual-input single compartment",
                             "Materne et al., MRM 47:135 (2002)",
                             {{"Fp", "1/s", "total plasma inflow", {0.008, 0.015, 0.025}},
                              {"fa", "1", "arterial fraction", {0.1, 0.25, 0.5, 0.9}},
                              {"vd", "1", "distribution volume", {0.15, 0.25, 0.4}}}});
    return r;
  }();
  return all;
}

}  // namespace larmor::dce
