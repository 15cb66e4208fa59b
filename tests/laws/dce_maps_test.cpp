// SPDX-License-Identifier: Apache-2.0
// Laws of the steps before the fit: one number = lanes = CUDA.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/kernels/spgr_kernel.hpp>
#include <larmor/perfusion/dce/kernels/spgr_lanes.hpp>
#include <larmor/perfusion/dce/kernels/vfa_lanes.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <limits>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {

const std::vector<double> angles{0.035, 0.087, 0.175, 0.262};
constexpr std::size_t n_voxels = 1003;  // not a multiple of any pack
constexpr Spgr sequence{.FA = 0.26, .TR = 0.005, .r1 = 4.5};

struct Object {
  std::vector<float> T1, B1;
  Array vfa = Array::of<float>({static_cast<std::int64_t>(n_voxels), 4});
  Array dynamic = Array::of<float>({static_cast<std::int64_t>(n_voxels), 12});
  std::vector<double> times;
  Object() {
    std::mt19937 rng(7);
    std::uniform_real_distribution<double> u(0, 1);
    std::normal_distribution<double> noise(0, 0.1);
    std::vector<double> c(12), s(12);
    for (std::size_t t = 0; t < 12; ++t) times.push_back(3.0 * static_cast<double>(t));
    for (std::size_t v = 0; v < n_voxels; ++v) {
      T1.push_back(static_cast<float>(0.3 + 2 * u(rng)));
      B1.push_back(static_cast<float>(0.8 + 0.4 * u(rng)));
      for (std::size_t i = 0; i < 4; ++i)
        vfa.data<float>()[i * n_voxels + v] =
            static_cast<float>(spgr_signal(1000, T1[v], {.FA = angles[i] * B1[v], .TR = 0.005, .r1 = 1}) + noise(rng));
      const double peak = std::pow(10, -1 + 2.5 * u(rng));  // to 30 mM: TR R1 on both sides of the series' limit
      for (std::size_t t = 4; t < 12; ++t) c[t] = peak / static_cast<double>(t - 3);
      spgr_signal(c, 100, T1[v], {.FA = sequence.FA * B1[v], .TR = sequence.TR, .r1 = sequence.r1}, s);
      for (std::size_t t = 0; t < 12; ++t) dynamic.data<float>()[t * n_voxels + v] = static_cast<float>(s[t]);
    }
    // What has no solution: nothing, a hole, a signal no R1 gives.
    for (std::size_t i = 0; i < 4; ++i) vfa.data<float>()[i * n_voxels + 5] = 0;
    vfa.data<float>()[6] = std::numeric_limits<float>::quiet_NaN();
    dynamic.data<float>()[7 * n_voxels + 5] = std::numeric_limits<float>::infinity();
    dynamic.data<float>()[7 * n_voxels + 6] = 1e6f;
    for (std::size_t t = 0; t < 12; ++t) dynamic.data<float>()[t * n_voxels + 7] = 0;
  }
};

/// Both NaN, or near: within a part of the number itself, and of `scale` (one a voxel) where that is given.
void near(std::span<const float> a, std::span<const float> b, double relative, const std::string& what,
          std::span<const float> scale = {}, double of_scale = 0) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::isnan(a[i]), std::isnan(b[i])) << what << " of voxel " << i << ": " << a[i] << ", " << b[i];
    if (std::isnan(a[i])) continue;
    const double floor = scale.empty() ? 0 : of_scale * std::abs(scale[i]);
    ASSERT_NEAR(a[i], b[i], relative * std::abs(a[i]) + floor) << what << " of voxel " << i;
  }
}

/// The linear method works in f32: some ten roundings, fused or not. Standard errors and R2 rest on residuals that are
/// 1e-2 of the signal here, and by chance less, so a part in 1e5 of theirs and a part in 1e6 of T1 and M0 is rounding.
struct Tolerance {
  double value, error, floor, R2;
};
constexpr Tolerance in_f32{3e-6, 1e-4, 1e-6, 2e-6};
// Doubles rounded to f32 (6e-8 each); the search ends at steps of 1e-10, and the error is flat there.
constexpr Tolerance in_double{3e-7, 3e-7, 0, 3e-7};
void near(const T1Result& a, const T1Result& b, const Tolerance& t) {
  near(a.T1, b.T1, t.value, "T1"), near(a.T1_se, b.T1_se, t.error, "T1_se", a.T1, t.floor);
  near(a.M0, b.M0, t.value, "M0"), near(a.M0_se, b.M0_se, t.error, "M0_se", a.M0, t.floor);
  near(a.R2, b.R2, t.R2, "R2");
}

struct Fields {
  std::vector<float> values = std::vector<float>(6 * 1008, -1.0f);
  std::span<const float> field(int i) const { return {values.data() + i * 1008, n_voxels}; }
  T1Result result() const {
    const auto map = [&](int i) { return std::vector<float>(field(i).begin(), field(i).end()); };
    return {.T1 = map(0), .T1_se = map(1), .M0 = map(2), .M0_se = map(3), .R2 = map(4), .efficiency = {}, .status = {}};
  }
};

TEST(DceMaps, OneNumberIsAsLanesVfa) {
  const Object o;
  std::vector<float> series(4 * 1008, 0.0f), B1(1008, 1.0f);
  std::vector<const float*> volumes;
  for (std::size_t i = 0; i < 4; ++i) {
    std::copy_n(o.vfa.data<float>() + i * n_voxels, n_voxels, series.data() + i * 1008);
    volumes.push_back(series.data() + i * 1008);
  }
  std::copy(o.B1.begin(), o.B1.end(), B1.begin());
  const std::vector<double> TRs[] = {{0.005, 0.005, 0.005, 0.005}, {0.004, 0.005, 0.006, 0.005}};
  for (const auto& TR : TRs)
    for (const auto fit : {VfaFit::linear, VfaFit::nonlinear})
      for (const bool with_B1 : {false, true}) {
        if (fit == VfaFit::linear && &TR != TRs) continue;
        Fields lanes, one;
        const auto run = [&](Fields& f) {
          float* w = f.values.data();
          return VfaRun{1008, 4,        volumes.data(), angles.data(), TR.data(),    with_B1 ? B1.data() : nullptr,
                        w,    w + 1008, w + 2 * 1008,   w + 3 * 1008,  w + 4 * 1008, w + 5 * 1008};
        };
        vfa_run(fit, run(lanes));
        fit == VfaFit::linear ? vfa::run_linear<float>(run(one)) : vfa::run_nonlinear<double>(run(one));
        near(lanes.result(), one.result(), fit == VfaFit::linear ? in_f32 : in_double);
        near(lanes.field(5), one.field(5), 0, "status");
      }
}

TEST(DceMaps, OneNumberIsAsLanesConcentration) {
  constexpr std::size_t n = 1021;
  std::vector<float> K(n), scale(n, 1.0f), cosine(n, std::cos(0.26f)), offset(n, 0.0f);
  for (std::size_t i = 0; i < n; ++i) K[i] = (static_cast<float>(i) - 10) * 1e-3f;  // both ends of [0, 1) and beyond
  K[0] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> lanes(n), one(n), poison(n, 0.0f);
  spgr_to_concentration()({.n = n,
                           .n_frames = 1,
                           .signal = K.data(),
                           .signal_stride = 0,
                           .out = lanes.data(),
                           .out_stride = 0,
                           .scale = scale.data(),
                           .cos_FA = cosine.data(),
                           .offset = offset.data(),
                           .rate = 2.0f,
                           .exact = true,
                           .poison = poison.data()});
  for (std::size_t i = 0; i < n; ++i) one[i] = 2.0f * spgr::any_rate_of(K[i], cosine[i]);
  near(lanes, one, 5e-7, "concentration");  // a few roundings, fused or not
}

TEST(DceMaps, T1IsTheSameOnCuda) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  const Object o;
  for (const char* method : {"t1.vfa_linear", "t1.vfa_nonlinear"})
    for (const bool with_B1 : {false, true}) {
      T1Protocol p{.FA = angles, .TR = {0.005}};
      const std::span<const float> B1 = with_B1 ? std::span<const float>(o.B1) : std::span<const float>();
      const auto map = [&](const Array& s) { return t1_methods().get(method).map(s, p, B1, {}, {}, nullptr); };
      const T1Result cpu = map(o.vfa);
      const T1Result there = map(o.vfa.to(Device::cuda()));  // the data's device decides
      p.device = Device::cuda();
      const T1Result gpu = map(o.vfa);
      EXPECT_EQ(cpu.status, gpu.status);
      near(cpu, gpu, method == std::string("t1.vfa_linear") ? in_f32 : in_double);  // as lanes and one number
      near(gpu.T1, there.T1, 0, "T1 of a series on the device");
    }
}

TEST(DceMaps, ConcentrationIsTheSameOnCuda) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  const Object o;
  for (const char* method : {"spgr", "linear"}) {
    const ConversionOptions on_cpu{.method = method, .baseline_last = 4};
    ConversionOptions on_cuda = on_cpu;
    on_cuda.device = Device::cuda();
    const auto cpu = signal_to_concentration(o.dynamic, o.times, sequence, o.T1, o.B1, {}, on_cpu);
    const auto gpu = signal_to_concentration(o.dynamic, o.times, sequence, o.T1, o.B1, {}, on_cuda);
    EXPECT_EQ(cpu.status, gpu.status);
    const auto a = cpu.concentration.span<float>(), b = gpu.concentration.span<float>();
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(std::isnan(a[i]), std::isnan(b[i])) << i;
      // R10 / r1 is taken from the rate: roundings of the larger of both.
      const float R10 = 1 / (o.T1[i % n_voxels] * static_cast<float>(sequence.r1));
      if (std::isnan(a[i])) continue;
      ASSERT_NEAR(a[i], b[i], 1e-6f * (std::abs(a[i]) + R10)) << method << " " << i;
    }
  }
}

TEST(DceMaps, AMissingDeviceIsAnError) {
  const Object o;
  const Device absent = Device::cuda(cuda_device_count());
  const auto expect = [&](const std::function<void()>& call) {
    try {
      call();
      ADD_FAILURE() << "no error";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::device);
      EXPECT_THAT(e.what(), testing::HasSubstr("no " + absent.str() + " here: "));
      EXPECT_FALSE(e.advice().empty());
    }
  };
  for (const char* method : {"t1.vfa_linear", "t1.vfa_nonlinear"})
    expect([&] {
      t1_methods().get(method).map(o.vfa, {.FA = angles, .TR = {0.005}, .device = absent}, {}, {}, {}, nullptr);
    });
  expect([&] {
    signal_to_concentration(o.dynamic, o.times, sequence, o.T1, {}, {}, {.baseline_last = 4, .device = absent});
  });
}

}  // namespace
