// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>

#include "objects.hpp"

namespace larmor::dsc {
namespace {

using testing::HasSubstr;

/// A third of the blocks leaks: T1 effects take a half of the volume or more away.
DroOptions leaky(double kep) {
  DroOptions o;
  o.grid = {44, 34, 12};
  o.CBF = {30, 60}, o.MTT = {3, 4.5, 6}, o.delay = {0, 1.5};
  o.Ktrans = {0, 0, 0.012}, o.kep = kep;
  o.times.resize(80);
  for (std::size_t i = 0; i < 80; ++i) o.times[i] = 1.5 * static_cast<double>(i);
  return o;
}
/// Median relative error of the area of dR2 (which is CBV) after correction, of voxels that do and do not leak; and how
/// much correction changed those that do not, voxel by voxel.
struct Outcome {
  double intact, leaking, uncorrected, change;
};
Outcome outcome(DroOptions o, const LeakageOptions& given) {
  const Object x = make_object(o);
  o.Ktrans = {0}, o.snr = 0;
  const Object truth = make_object(o);
  LeakageOptions options = given;
  options.baseline_first = 0, options.baseline_last = 9;
  const Leakage l = correct_leakage(x.relaxation.dR2, x.dro.dynamic.times, x.mask, options);
  const auto Ktrans = x.dro.truth.get("Ktrans").values.span<float>();
  const std::size_t n = x.mask.size(), frames = x.dro.dynamic.times.size();
  std::vector<double> intact, leaking, uncorrected, change;
  for (std::size_t v = 0; v < n; ++v) {
    if (!x.mask[v]) continue;
    double right = 0, now = 0, before = 0;
    for (std::size_t t = 0; t < frames; ++t) {
      right += truth.relaxation.dR2.data<float>()[t * n + v];
      now += l.corrected.data<float>()[t * n + v];
      before += x.relaxation.dR2.data<float>()[t * n + v];
    }
    if (Ktrans[v] > 0)
      leaking.push_back(now / right - 1), uncorrected.push_back(before / right - 1);
    else
      intact.push_back(now / right - 1), change.push_back(std::abs(now - before) / right);
  }
  return {median(intact), median(leaking), median(uncorrected), median(change)};
}

TEST(DscLeakage, VoxelsLikeTheReferenceAreLeftAlone) {
  // Any multiple of the mean curve: nothing leaks, nothing changes, whatever its CBV.
  DroOptions o;
  o.grid = {20, 20, 6};
  o.CBF = {20, 40, 80}, o.MTT = {4}, o.delay = {1};
  const Object x = make_object(o);
  for (const auto& [id, method] : leakages()) {
    const Leakage l = correct_leakage(x.relaxation.dR2, x.dro.dynamic.times, x.mask,
                                      {.method = id, .baseline_first = 0, .baseline_last = 9});
    const auto a = l.corrected.span<float>(), b = x.relaxation.dR2.span<float>();
    for (std::size_t i = 0; i < a.size(); ++i)
      if (x.mask[i % x.mask.size()]) {
        ASSERT_NEAR(a[i], b[i], 2e-3 * 15) << id;  // of a peak of 15 1/s
      }
    EXPECT_GT(l.n_reference, 100);
  }
}
TEST(DscLeakage, LeakyVoxelsRecoverAndOthersKeepTheirVolume) {
  std::printf("%-24s %10s %10s %10s %12s\n", "correction", "intact", "change", "leaking", "uncorrected");
  for (const double kep : {0.0, 0.5})
    for (const double snr : {0.0, 200.0}) {
      DroOptions o = leaky(kep);
      o.snr = snr;
      for (const auto& [id, method] : leakages()) {
        if (kep > 0 && !method.backflow) continue;  // not its model
        const Outcome r = outcome(o, {.method = id});
        std::printf("%-24s %+9.2f%% %9.2f%% %+9.2f%% %+11.2f%%   kep %.1f 1/min, SNR %g\n", id.c_str(), 100 * r.intact,
                    100 * r.change, 100 * r.leaking, 100 * r.uncorrected, kep, snr);
        EXPECT_NEAR(r.intact, 0, 0.02) << id;
        EXPECT_NEAR(r.leaking, 0, 0.05) << id;
        EXPECT_GT(std::abs(r.uncorrected), 0.1) << id;  // there is something to correct
        // Without noise voxel by voxel, too.
        if (snr == 0) {
          EXPECT_LT(r.change, 0.02) << id;
        }
      }
    }
}
TEST(DscLeakage, ShapeTermsAreWhatKeepsOtherTransitTimes) {
  const Outcome with = outcome(leaky(0), {.method = "leakage.bsw", .significance = 0}),
                without = outcome(leaky(0), {.method = "leakage.bsw", .shape_terms = 0, .significance = 0});
  std::printf("BSW changes intact voxels by %.2f %% with shape terms, %.2f %% without\n", 100 * with.change,
              100 * without.change);
  EXPECT_LT(with.change, 0.5 * without.change);
}
// The threads of CUDA run one after another on the CPU everywhere, and on a device where there is one.
void same_by(const LeakageOptions& other) {
  DroOptions o = leaky(0.5);
  o.snr = 200;
  const Object x = make_object(o);
  for (const auto& [id, method] : leakages()) {
    LeakageOptions options{.method = id, .baseline_first = 0, .baseline_last = 9};
    const Leakage here = correct_leakage(x.relaxation.dR2, x.dro.dynamic.times, x.mask, options);
    options.device = other.device, options.scalar = other.scalar;
    const Leakage there = correct_leakage(x.relaxation.dR2, x.dro.dynamic.times, x.mask, options);
    const auto a = here.corrected.span<const float>(), b = there.corrected.span<const float>();
    std::size_t apart = 0, compared = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (std::isfinite(a[i])) ++compared, apart += !(std::abs(a[i] - b[i]) <= 1e-2f);
    // Rounding decides in few voxels whether K2 is significant; peaks are 15 1/s.
    EXPECT_LE(apart, a.size() / 500) << id;
    EXPECT_GT(compared, a.size() / 10) << id;
    EXPECT_EQ(there.kep.empty(), here.kep.empty()) << id;
  }
}
TEST(DscLeakage, ThreadsOfCudaGiveTheSame) { same_by({.scalar = true}); }
TEST(DscLeakage, CudaGivesTheSame) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  same_by({.device = Device::cuda()});
}
TEST(DscLeakage, EveryInstructionSetGivesTheSame) {
  DroOptions o = leaky(0.5);
  o.snr = 200;
  const Object x = make_object(o);
  const LeakageOptions options{.baseline_first = 0, .baseline_last = 9};
  const Isa before = isa();
  std::vector<Leakage> all;
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    all.push_back(correct_leakage(x.relaxation.dR2, x.dro.dynamic.times, x.mask, options));
  }
  force_isa(before);
  for (const Leakage& l : all) {
    const auto a = all[0].corrected.span<const float>(), b = l.corrected.span<const float>();
    std::size_t apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) apart += std::isfinite(a[i]) && !(std::abs(a[i] - b[i]) <= 1e-2f);
    EXPECT_LE(apart, a.size() / 500);  // voxels in which rounding decides whether K2 is significant
  }
}
TEST(DscLeakage, LeavesVoxelsOutsideAndBadOnesAsTheyAre) {
  const Object x = make_object(leaky(0));
  Array y = x.relaxation.dR2.clone();
  const std::size_t n = x.mask.size();
  const auto inside = static_cast<std::size_t>(std::find(x.mask.begin(), x.mask.end(), 1) - x.mask.begin());
  const auto outside = static_cast<std::size_t>(std::find(x.mask.begin(), x.mask.end(), 0) - x.mask.begin());
  y.data<float>()[5 * n + inside] = NAN, y.data<float>()[5 * n + outside] = 7;
  const Leakage l = correct_leakage(y, x.dro.dynamic.times, x.mask, {.baseline_first = 0, .baseline_last = 9});
  EXPECT_EQ(l.status[inside], fit::FitStatus::bad_data);
  EXPECT_TRUE(std::isnan(l.K2[inside]));
  EXPECT_EQ(l.corrected.data<float>()[8 * n + inside], y.data<float>()[8 * n + inside]);
  EXPECT_EQ(l.status[outside], fit::FitStatus::outside);
  EXPECT_EQ(l.corrected.data<float>()[5 * n + outside], 7);
}
TEST(DscLeakage, SaysWhatIsWrong) {
  const Array y = Array::of<float>({3, 20});
  std::vector<double> t(20);
  for (std::size_t i = 0; i < 20; ++i) t[i] = static_cast<double>(i);
  const auto message = [&](const LeakageOptions& o) {
    try {
      correct_leakage(y, t, {}, o);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message({.baseline_last = 1}), HasSubstr("baseline frames 0 to 1 of 20"));
  EXPECT_THAT(message({.baseline_last = 5, .tail = 16}), HasSubstr("a tail of 16 frames of 15"));
  EXPECT_THAT(message({.baseline_last = 5, .shape_terms = 5}), HasSubstr("5 shape terms"));
  EXPECT_THAT(message({.method = "leakage.bswe", .baseline_last = 5}), HasSubstr("did you mean leakage.bsw"));
  EXPECT_THAT(message({.baseline_last = 5}), HasSubstr("no voxel has a bolus"));
  // A device that is not there is said before anything is computed with it.
  Array ramp = y.clone();
  for (std::int64_t i = 15; i < 45; ++i) ramp.data<float>()[i] = 1.0f;
  try {
    correct_leakage(ramp, t, {}, {.baseline_last = 5, .device = Device::cuda(7)});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("cuda:7"));
  }
}

TEST(DscFirstPass, GivesBackAGammaVariateAndDropsTheSecondPass) {
  DroOptions o;
  std::vector<double> t(60), once(60), twice(60);
  for (std::size_t i = 0; i < 60; ++i) {
    t[i] = 1.5 * static_cast<double>(i);
    o.recirculation = 0, once[i] = input_curve(t[i], o);
    o.recirculation = 0.2, twice[i] = input_curve(t[i], o);
  }
  const auto exact = first_pass(once, t, 15);
  const auto cleaned = first_pass(twice, t, 15);
  double area = 0, wanted = 0, dirty = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_NEAR(exact[i], once[i], 2e-4);
    area += cleaned[i], wanted += once[i], dirty += twice[i];
  }
  EXPECT_GT(dirty / wanted, 1.3);       // half of the first pass came again
  EXPECT_NEAR(area / wanted, 1, 0.05);  // little of it is there before the cut
}
TEST(DscFirstPass, GradientIsThatOfFiniteDifferences) {
  const std::vector<double> p{3, 6.2, 5 / std::sqrt(2.4), 1 / std::sqrt(2.4)},  // from 1.2 s on
      t{-1, 1.19, 1.7, 4, 6.2, 9, 30};  // before the arrival, on the rise, after
  std::vector<double> signal(t.size()), up = signal, down = signal, jacobian(4 * t.size());
  fit::curve_signal(gamma_variate(), t, p, {}, signal, jacobian);
  for (std::size_t i = 0; i < 4; ++i) {
    auto q = p;
    const double h = 1e-6 * p[i];
    q[i] = p[i] + h, fit::curve_signal(gamma_variate(), t, q, {}, up);
    q[i] = p[i] - h, fit::curve_signal(gamma_variate(), t, q, {}, down);
    for (std::size_t k = 0; k < t.size(); ++k)  // rounding of 3 by 1e-16 over h
      EXPECT_NEAR(jacobian[4 * k + i], (up[k] - down[k]) / (2 * h), 1e-6) << i << ' ' << k;
  }
}
TEST(DscFirstPass, SaysWhatIsWrong) {
  const std::vector<double> t{0, 1, 2, 3, 4, 5, 6, 7}, flat(8, 0.0);
  EXPECT_THROW(first_pass(flat, t, 2, 0.0), Error);
  EXPECT_THROW(first_pass(flat, t, 2), Error);
  EXPECT_THROW(first_pass(Array::of<float>({2, 5}), t, 2), Error);
}

}  // namespace
}  // namespace larmor::dsc
