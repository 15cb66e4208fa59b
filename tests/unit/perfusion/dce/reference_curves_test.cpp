// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>

using namespace larmor;
using namespace larmor::dce;

namespace {
using Params = std::map<std::string, double>;
const std::vector<double> times = [] {
  std::vector<double> t;
  for (int i = 0; i < 60; ++i) t.push_back(0.25 + 3.1 * i + 0.02 * i * i);  // not uniform
  return t;
}();
double parker(double t) { return aif_models().get("aif.parker").value(t - 17.3) / 0.58; }
/// exp(-a (t - 10)) from 10 s on.
double decay(double t) { return t < 10 ? 0 : std::exp(-0.03 * (t - 10)); }

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0, peak = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i])), peak = std::max(peak, std::abs(b[i]));
  return worst / peak;
}
}  // namespace

// For an input exp(-a t) the one-compartment models have closed forms; 1e-8 of the peak (1e-7 is promised).
TEST(ReferenceCurves, ClosedFormsForAnExponentialInput) {
  const double a = 0.03, K = 0.004, ve = 0.25, vp = 0.06, k = K / ve;
  std::vector<double> tofts, extended, patlak;
  for (double t : times) {
    const double s = t - 10, u = s < 0 ? 0 : std::exp(-a * s);
    tofts.push_back(s < 0 ? 0 : K * (std::exp(-a * s) - std::exp(-k * s)) / (k - a));
    extended.push_back(tofts.back() + vp * u);
    patlak.push_back(s < 0 ? 0 : K * (1 - std::exp(-a * s)) / a + vp * u);
  }
  EXPECT_LT(largest_difference(reference_curve("dce.tofts", {{"Ktrans", K}, {"ve", ve}}, decay, times), tofts), 1e-8);
  EXPECT_LT(largest_difference(
                reference_curve("dce.extended_tofts", {{"Ktrans", K}, {"ve", ve}, {"vp", vp}}, decay, times), extended),
            1e-8);
  EXPECT_LT(largest_difference(reference_curve("patlak", {{"PS", K}, {"vp", vp}}, decay, times), patlak), 1e-8);
  EXPECT_LT(largest_difference(reference_curve("one_compartment", {{"Fp", K}, {"vp", ve}}, decay, times), tofts), 1e-8);
  const Params dual{{"Fp", K}, {"fa", 0.3}, {"vd", ve}};
  EXPECT_LT(largest_difference(reference_curve("dual_input", dual, decay, times, decay), tofts), 1e-8);
}

// AATH for the same input: plug flow Fp int_0^Tc, then leakage that washes out.
TEST(ReferenceCurves, AathClosedForm) {
  const double a = 0.03, Fp = 0.01, PS = 0.004, ve = 0.2, vp = 0.05, Tc = vp / Fp, E = 1 - std::exp(-PS / Fp),
               kep = E * Fp / ve;
  std::vector<double> closed;
  for (double t : times) {
    const double s = t - 10, r = s - Tc;
    const auto integral = [&](double x) { return x < 0 ? 0 : (1 - std::exp(-a * x)) / a; };
    closed.push_back(Fp * (integral(s) - integral(r)) +
                     (r < 0 ? 0 : E * Fp * (std::exp(-a * r) - std::exp(-kep * r)) / (kep - a)));
  }
  const Params p{{"Fp", Fp}, {"PS", PS}, {"ve", ve}, {"vp", vp}};
  EXPECT_LT(largest_difference(reference_curve("aath", p, decay, times), closed), 1e-8);
}

// The area of the response is the volume of distribution times the area of the input.
TEST(ReferenceCurves, AreaOfTheResponse) {
  const auto pulse = [](double t) { return t < 5 ? 0 : (t - 5) * std::exp(-(t - 5) / 4); };  // area 16 mM s
  std::vector<double> fine;
  for (double t = 0; t < 4000; t += 0.1) fine.push_back(t);
  const auto area = [&](const std::string& model, const Params& p) {
    const auto C = reference_curve(model, p, pulse, fine, pulse);
    double sum = 0;
    for (double c : C) sum += 0.1 * c;
    return sum / 16;
  };
  const Params exchange{{"Fp", 0.01}, {"PS", 0.004}, {"ve", 0.2}, {"vp", 0.05}};
  EXPECT_NEAR(area("2cxm", exchange), 0.25, 1e-5);
  EXPECT_NEAR(area("aath", exchange), 0.25, 1e-5);
  EXPECT_NEAR(area("tofts", {{"Ktrans", 0.004}, {"ve", 0.3}}), 0.3, 1e-5);
  EXPECT_NEAR(area("extended_tofts", {{"Ktrans", 0.004}, {"ve", 0.3}, {"vp", 0.1}}), 0.4, 1e-5);
  EXPECT_NEAR(area("one_compartment", {{"Fp", 0.01}, {"vp", 0.1}}), 0.1, 1e-5);
  EXPECT_NEAR(area("dual_input", {{"Fp", 0.02}, {"fa", 0.2}, {"vd", 0.3}}), 0.3, 1e-5);
}

// Limits between models: no exchange is one compartment; very fast flow is extended Tofts with Ktrans = PS; no way back
// is the uptake model; slow uptake at fast flow is Patlak.
TEST(ReferenceCurves, Limits) {
  const auto curve = [](const std::string& model, const Params& p) { return reference_curve(model, p, parker, times); };
  EXPECT_LT(largest_difference(curve("2cxm", {{"Fp", 0.01}, {"PS", 0}, {"ve", 0.2}, {"vp", 0.05}}),
                               curve("one_compartment", {{"Fp", 0.01}, {"vp", 0.05}})),
            1e-9);
  EXPECT_LT(largest_difference(curve("2cxm", {{"Fp", 50}, {"PS", 0.002}, {"ve", 0.2}, {"vp", 0.05}}),
                               curve("extended_tofts", {{"Ktrans", 0.002}, {"ve", 0.2}, {"vp", 0.05}})),
            2e-3);  // vp / Fp = 1 ms of delay
  EXPECT_LT(largest_difference(curve("2cxm", {{"Fp", 0.01}, {"PS", 0.001}, {"ve", 1e6}, {"vp", 0.05}}),
                               curve("2cum", {{"Fp", 0.01}, {"PS", 0.001}, {"vp", 0.05}})),
            1e-6);
  EXPECT_LT(largest_difference(curve("2cum", {{"Fp", 50}, {"PS", 0.0005}, {"vp", 0.05}}),
                               curve("patlak", {{"PS", 0.0005}, {"vp", 0.05}})),
            2e-3);
}

// A later input gives a later curve, whatever the frames; linear in the input.
TEST(ReferenceCurves, ShiftAndScale) {
  const Params p{{"Fp", 0.01}, {"PS", 0.002}, {"ve", 0.2}, {"vp", 0.05}};
  std::vector<double> earlier(times);
  for (double& t : earlier) t -= 7.77;
  for (const std::string model : {"2cxm", "aath"}) {
    const auto a = reference_curve(model, p, parker, times);
    const auto b = reference_curve(
        model, p, [](double t) { return parker(t + 7.77); }, earlier);
    const auto c = reference_curve(
        model, p, [](double t) { return 3 * parker(t); }, times);
    EXPECT_LT(largest_difference(b, a), 2e-7) << model;
    for (std::size_t i = 0; i < c.size(); ++i) EXPECT_NEAR(c[i], 3 * a[i], 1e-6);
  }
}

// A corner (McGrath) and an input that began before the first frame are resolved too.
TEST(ReferenceCurves, CornersAndEarlyInputs) {
  const auto corner = [](double t) { return aif_models().get("mcgrath").value(t - 11.11); };
  const Params p{{"Ktrans", 0.004}, {"ve", 0.3}, {"vp", 0.05}};
  const auto whole = reference_curve("extended_tofts", p, corner, times);
  const std::vector<double> late(times.begin() + 20, times.end());
  const auto part = reference_curve("extended_tofts", p, corner, late);
  EXPECT_LT(largest_difference(part, std::vector<double>(whole.begin() + 20, whole.end())), 1e-6);
}

TEST(ReferenceCurves, Errors) {
  const auto code = [](const std::string& model, const Params& p, std::vector<double> t = times,
                       const std::function<double(double)>& u = parker) {
    try {
      reference_curve(model, p, u, t);
    } catch (const Error& e) {
      return e.code();
    }
    return Errc::internal;
  };
  const Params good{{"Ktrans", 0.004}, {"ve", 0.3}};
  EXPECT_EQ(code("dce.toft", good), Errc::unknown_name);
  EXPECT_EQ(code("dce.tofts", {{"Ktrans", 0.004}}), Errc::unknown_name);
  EXPECT_EQ(code("dce.tofts", {{"Ktrans", 0.004}, {"ve", 0.3}, {"vp", 0.1}}), Errc::unknown_name);
  EXPECT_EQ(code("dce.tofts", {{"Ktrans", 0.004}, {"ve", 0}}), Errc::range);
  EXPECT_EQ(code("dce.tofts", {{"Ktrans", -0.004}, {"ve", 0.3}}), Errc::range);
  EXPECT_EQ(code("dce.tofts", {{"Ktrans", NAN}, {"ve", 0.3}}), Errc::range);
  EXPECT_EQ(code("dce.one_compartment", {{"Fp", 1e3}, {"vp", 1e-3}}), Errc::range);  // 1e6 1/s
  EXPECT_EQ(code("dce.tofts", good, {}), Errc::shape);
  EXPECT_EQ(code("dce.tofts", good, {0, 2, 1}), Errc::range);
  EXPECT_EQ(code("dce.dual_input", {{"Fp", 0.02}, {"fa", 0.2}, {"vd", 0.3}}), Errc::range);
  EXPECT_EQ(code("dce.tofts", good, times, [](double) { return 1.0; }), Errc::range);  // never begins
}
