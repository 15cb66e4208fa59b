// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <larmor/core/error.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>

#include "objects.hpp"

namespace larmor::dsc {
namespace {

using fit::FitStatus;
using testing::HasSubstr;

std::vector<double> even(std::size_t n, double step) {
  std::vector<double> t(n);
  for (std::size_t i = 0; i < n; ++i) t[i] = step * static_cast<double>(i);
  return t;
}

TEST(DscRelaxation, InvertsTheSignalEquation) {
  const std::size_t n = 20;
  Array S = Array::of<float>({3, 20});
  std::vector<double> dR2(n, 0.0);
  for (std::size_t i = 6; i < n; ++i) dR2[i] = 3.0 * static_cast<double>(i - 5);
  for (std::size_t v = 0; v < 3; ++v)
    for (std::size_t i = 0; i < n; ++i)
      S.data<float>()[i * 3 + v] = static_cast<float>(100.0 * static_cast<double>(v + 1) * std::exp(-0.025 * dR2[i]));
  const Relaxation r = relaxation_change(S, even(n, 1), {}, {.TE = 0.025, .baseline_last = 5});
  for (std::size_t v = 0; v < 3; ++v) {
    EXPECT_EQ(r.status[v], FitStatus::converged);
    EXPECT_NEAR(r.S0[v], 100.0 * static_cast<double>(v + 1), 1e-3);
    // Float signals: 1e-7 / TE.
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(r.dR2.data<float>()[i * 3 + v], dR2[i], 1e-5);
  }
}
TEST(DscRelaxation, FindsTheBaselineByItself) {
  DroOptions o;
  o.grid = {20, 20, 6};
  o.snr = 60;
  const Dro dro = make_dro(o);
  const Relaxation r = relaxation_change(dro.dynamic.data, dro.dynamic.times, mask_from(dro.mask), {.TE = o.TE});
  // The mean tissue bolus arrives 0 to 3 s after the arterial one at 15 s, and begins slowly (a cube).
  EXPECT_NEAR(r.arrival, 17, 2.5);
  EXPECT_GE(r.baseline_last, 9);
  EXPECT_LE(r.baseline_last, 13);
}
TEST(DscRelaxation, VoxelsWithoutAResultSayWhy) {
  Array S = Array::of<float>({5, 10});
  for (std::size_t i = 0; i < 10; ++i) {
    float* s = S.data<float>() + i * 5;
    s[0] = 100, s[1] = i == 4 ? NAN : 100.0f, s[2] = 0, s[3] = i == 7 ? 0.0f : 100.0f, s[4] = 100;
  }
  const std::vector<std::uint8_t> mask{1, 1, 1, 1, 0};
  const Relaxation r = relaxation_change(S, even(10, 1), mask, {.baseline_last = 3});
  EXPECT_THAT(r.status, testing::ElementsAre(FitStatus::converged, FitStatus::bad_data, FitStatus::no_signal,
                                             FitStatus::out_of_range, FitStatus::outside));
  for (std::size_t v = 1; v < 5; ++v) EXPECT_TRUE(std::isnan(r.dR2.data<float>()[v]));
}
TEST(DscRelaxation, ContrastToNoiseIsPeakOverBaselineNoise) {
  DroOptions o;
  o.grid = {30, 30, 12};
  o.CBF = {60}, o.MTT = {4}, o.delay = {0}, o.snr = 50;
  const Object x = make_object(o);
  const auto expected = [&] {
    double top = 0;
    DroOptions quiet = o;
    quiet.snr = 0;
    const Object y = make_object(quiet);
    const std::size_t n = y.mask.size();
    std::size_t v = 0;
    while (!y.mask[v]) ++v;
    for (std::size_t t = 0; t < 60; ++t)
      top = std::max(top, static_cast<double>(y.relaxation.dR2.data<float>()[t * n + v]));
    return top * o.TE * o.snr;  // noise of dR2 before the bolus: 1 / (TE SNR)
  }();
  std::vector<double> CNR;
  for (std::size_t v = 0; v < x.mask.size(); ++v)
    if (x.mask[v]) CNR.push_back(x.relaxation.CNR[v]);
  EXPECT_NEAR(median(CNR) / expected, 1, 0.2);  // the highest of noisy frames; sd of 9 frames
}
TEST(DscRelaxation, RelationsInvertEachOther) {
  for (const Relation r : {Relation{44, 0}, blood_1_5T, blood_3T, Relation{0, 2}})
    for (const double C : {-2.0, -0.1, 0.0, 0.03, 1.0, 12.0})
      EXPECT_NEAR(r.concentration(r.relaxation(C)), C, 1e-12 * (1 + std::abs(C)));
  EXPECT_NEAR(blood_1_5T.relaxation(5), 7.62 * 5 + 0.574 * 25, 1e-12);  // van Osch et al. (2003)
  EXPECT_NEAR(blood_3T.relaxation(5), 0.493 * 5 + 2.62 * 25, 1e-12);
  EXPECT_THROW((Relation{0, 0}).check(), Error);
  EXPECT_THROW((Relation{-1, 2}).check(), Error);
}
TEST(DscRelaxation, SaysWhatIsWrong) {
  const Array S = Array::of<float>({2, 10});
  const auto t = even(10, 1);
  const auto message = [&](RelaxationOptions o) {
    try {
      relaxation_change(S, t, {}, o);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message({.TE = 0}), HasSubstr("an echo time of 0 s"));
  EXPECT_THAT(message({.TE = 30}), HasSubstr("give TE [s]"));  // milliseconds
  EXPECT_THAT(message({.baseline_first = 4, .baseline_last = 4}), HasSubstr("baseline frames 4 to 4 of 10"));
  EXPECT_THAT(message({.baseline_last = 11}), HasSubstr("baseline frames 0 to 11 of 10"));
  EXPECT_THAT(message({}), HasSubstr("give the baseline frames"));
  EXPECT_THAT(message({.arrival = "arrival.piecwise"}), HasSubstr("did you mean arrival.piecewise"));
}

// arrival.piecewise arrival.threshold arrival.tangent
TEST(DscArrival, EveryDetectorFindsABolusThatIsThere) {
  ASSERT_EQ(arrivals().size(), 3u);
  for (const auto& [id, detector] : arrivals())
    for (const double arrival : {9.0, 15.3, 21.9}) {
      DroOptions o;
      o.arrival = arrival;
      const auto t = even(60, 1);
      std::vector<double> y;
      for (const double at : t) y.push_back(2 + input_curve(at, o));
      // The bolus begins as a cube: it has risen by 2 % after a second. The tangent is the steepest, later on.
      EXPECT_NEAR(detector.find(t, y), arrival + 1, 1.2) << id;
      // Moving time moves what is found.
      auto later = t;
      for (double& x : later) x += 100;
      EXPECT_NEAR(detector.find(later, y), detector.find(t, y) + 100, 1e-6) << id;
      for (double& x : y) x *= 3;
      EXPECT_NEAR(detector.find(later, y), detector.find(t, y) + 100, 1e-6) << id;
    }
}
TEST(DscArrival, EveryDetectorSaysWhenThereIsNone) {
  const auto t = even(30, 1);
  for (const auto& [id, detector] : arrivals()) {
    EXPECT_THROW(detector.find(t, std::vector<double>(30, 1.0)), Error) << id;
    EXPECT_THROW(detector.find(t, std::vector<double>(7, 1.0)), Error) << id;
  }
}

TEST(DscDro, NoiseHasTheSdThatItSays) {
  DroOptions o;
  o.grid = {24, 24, 8};
  o.snr = 40;
  const Dro noisy = make_dro(o);
  o.snr = 0;
  const Dro quiet = make_dro(o);
  const auto a = noisy.dynamic.data.span<float>(), b = quiet.dynamic.data.span<float>();
  double squares = 0, n = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (b[i] > 0) squares += (a[i] - b[i]) * (a[i] - b[i]), ++n;
  EXPECT_NEAR(std::sqrt(squares / n), o.S0 / 40, 0.01 * o.S0 / 40);  // 100,000 samples: 0.3 %
}
TEST(DscDro, VolumeIsTheRatioOfAreas) {
  DroOptions o;
  o.grid = {20, 20, 6};
  o.MTT = {3}, o.CBF = {40, 80};
  const Object x = make_object(o);
  const auto truth = x.dro.truth.get("CBV").values.span<float>();
  double input = 0;
  for (const double a : x.dro.aif.values) input += a;
  const std::size_t n = truth.size();
  for (std::size_t v = 0; v < n; v += 37) {
    if (!x.mask[v]) continue;
    double area = 0;
    for (std::size_t t = 0; t < 60; ++t) area += x.curves.data<float>()[t * n + v];
    EXPECT_NEAR(area / input * o.factors.per_mass(), truth[v], 2e-3 * truth[v]);  // sums of frames against integrals
  }
}
TEST(DscDro, SaysWhatIsWrong) {
  const auto bad = [](auto&& change) {
    DroOptions o;
    o.grid = {8, 8, 4};
    change(o);
    EXPECT_THROW(make_dro(o), Error);
  };
  bad([](auto& o) { o.CBF = {}; });
  bad([](auto& o) { o.MTT = {0}; });
  bad([](auto& o) { o.snr = -1; });
  bad([](auto& o) { o.grid = {0, 8, 4}; });
  bad([](auto& o) { o.residue = "residue.none"; });
  bad([](auto& o) { o.times = {3, 2, 1}; });
  bad([](auto& o) { o.factors.Hct_large = 1; });
  bad([](auto& o) { o.factors.density = 0; });
}

}  // namespace
}  // namespace larmor::dsc
