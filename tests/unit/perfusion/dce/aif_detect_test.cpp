// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/aif_detect.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <limits>
#include <random>
#include <set>

using namespace larmor;
using namespace larmor::dce;

namespace {

/// Tissue with an artery (a tube whose wall voxels hold 30 to 80 % blood), a vein (later, wider, lower) and bad voxels.
struct Scene {
  Dro dro;
  std::set<std::int64_t> pure, vessel;
  double peak = 0;
  explicit Scene(unsigned seed, double noise_sd) {
    DroOptions o;
    o.grid = {40, 40, 9};
    o.signal = false;
    for (int i = 0; i < 60; ++i) o.times.push_back(2.5 * i);
    o.noise_sd = noise_sd;
    o.seed = seed;
    dro = make_dro(o);
    std::vector<double> blood;
    for (double c : dro.aif.values) blood.push_back(0.58 * c), peak = std::max(peak, blood.back());
    std::vector<double> vein(blood.size(), 0.0);
    for (std::size_t t = 1; t < vein.size(); ++t)  // through 10 s of mixing, 4 frames later
      vein[t] = vein[t - 1] + 2.5 / 10 * ((t > 4 ? blood[t - 4] : 0) - vein[t - 1]);
    std::mt19937 rng(seed);
    std::uniform_real_distribution<double> wall(0.3, 0.8);
    const std::int64_t n = dro.mask.voxels();
    const auto put = [&](std::int64_t x, std::int64_t y, std::int64_t z, const std::vector<double>& curve,
                         double part) {
      const std::int64_t v = x + 40 * (y + 40 * z);
      for (std::size_t t = 0; t < curve.size(); ++t) {
        float& C = dro.dynamic.data.data<float>()[static_cast<std::int64_t>(t) * n + v];
        C = static_cast<float>(C * (1 - part) + part * curve[t]);
      }
      return v;
    };
    std::normal_distribution<float> noise(0, static_cast<float>(noise_sd));
    for (std::int64_t z = 1; z < 8; ++z)
      for (std::int64_t dx = -2; dx <= 2; ++dx)
        for (std::int64_t dy = -2; dy <= 2; ++dy) {
          const auto rr = dx * dx + dy * dy;
          if (rr > 4) continue;
          const auto v = put(12 + dx, 14 + dy, z, blood, rr <= 1 ? 1.0 : wall(rng));
          vessel.insert(v);
          if (rr <= 1) pure.insert(v);
          put(28 + dx, 26 + dy, z, vein, rr <= 1 ? 1.0 : 0.5);
        }
    for (const auto v : pure)  // put() took the tissue's noise away there
      for (std::int64_t t = 0; t < 60; ++t) dro.dynamic.data.data<float>()[t * n + v] += noise(rng);
    dro.dynamic.data.data<float>()[10 * n + 5 + 40 * (20 + 40 * 4)] = 50;  // a spike of one frame
    dro.dynamic.data.data<float>()[10 * n + 7 + 40 * (20 + 40 * 4)] = std::numeric_limits<float>::quiet_NaN();
  }
};
double peak_of(const Aif& aif) { return *std::max_element(aif.values.begin(), aif.values.end()); }

}  // namespace

TEST(AifDetection, FindsTheArteryWithinTenPercentOfItsPeak) {
  for (unsigned seed = 1; seed <= 5; ++seed)
    for (const double noise : {0.02, 0.1, 0.3}) {
      const Scene scene(seed, noise);
      const auto found = detect_aif(scene.dro.dynamic.data, scene.dro.dynamic.times);
      EXPECT_NEAR(peak_of(found.blood) / scene.peak, 1, 0.1) << "noise " << noise << " seed " << seed;
      EXPECT_FALSE(found.blood.plasma);
      for (const auto v : found.voxels) EXPECT_TRUE(scene.vessel.count(v)) << "noise " << noise << " seed " << seed;
      EXPECT_GE(found.voxels.size(), 3u);
      EXPECT_GT(found.n_candidates, static_cast<int>(found.voxels.size()));
      EXPECT_GE(found.n_clusters, 2);
      // Its shape too: root mean square error against the true blood curve.
      double ss = 0;
      for (std::size_t t = 0; t < found.blood.size(); ++t)
        ss += std::pow(found.blood.values[t] - 0.58 * scene.dro.aif.values[t], 2) / 60;
      EXPECT_LT(std::sqrt(ss), 0.05 * scene.peak);
    }
}

// Scores: 0 outside the candidates, larger in the artery than anywhere in the tissue or vein; scale changes nothing.
TEST(AifDetection, ScoreAndScale) {
  const Scene scene(1, 0.05);
  const auto& data = scene.dro.dynamic.data;
  const auto found = detect_aif(data, scene.dro.dynamic.times);
  Array louder = data.clone();
  for (float& c : louder.span<float>()) c *= 8;
  EXPECT_EQ(detect_aif(louder, scene.dro.dynamic.times).voxels, found.voxels);
  ASSERT_EQ(found.score.size(), static_cast<std::size_t>(scene.dro.mask.voxels()));
  for (const float s : found.score) EXPECT_TRUE(s >= 0 && s <= 1);
  // Masked to the right half there is only the vein.
  std::vector<std::uint8_t> right(found.score.size());
  for (std::size_t v = 0; v < right.size(); ++v) right[v] = v % 40 >= 20;
  const auto vein = detect_aif(data, scene.dro.dynamic.times, right);
  for (const auto v : vein.voxels) EXPECT_GE(v % 40, 20);
}

// Objects of every model: with an artery of 9 x 5 voxels (its wall a mixture) it is found, without one nothing is.
TEST(AifDetection, TissueAloneIsRefused) {
  for (const auto& [id, model] : reference_models())
    for (const auto& [dt, noise_sd] : {std::pair(2.5, 0.05), std::pair(5.0, 0.01)}) {
      DroOptions o;
      o.model = id, o.grid = {40, 40, 9}, o.signal = false, o.noise_sd = noise_sd;
      for (double t = 0; t < 300; t += dt) o.times.push_back(t);
      Dro d = make_dro(o);
      const std::string what = id + " frames " + std::to_string(dt) + " noise " + std::to_string(noise_sd);
      try {
        detect_aif(d.dynamic.data, d.dynamic.times);
        ADD_FAILURE() << what << ": tissue taken for an artery";
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Errc::numeric);
        EXPECT_NE(std::string(e.what()).find("nothing looks like an artery"), std::string::npos) << e.what();
        EXPECT_FALSE(e.advice().empty());
      }
      std::mt19937 rng(3);
      std::uniform_real_distribution<double> wall(0.3, 0.8);
      const std::int64_t n = d.mask.voxels();
      std::set<std::int64_t> artery;
      for (std::int64_t z = 2; z < 7; ++z)
        for (std::int64_t dx = -1; dx <= 1; ++dx)
          for (std::int64_t dy = -1; dy <= 1; ++dy) {
            const std::int64_t v = 12 + dx + 40 * (14 + dy + 40 * z);
            const double part = dx || dy ? wall(rng) : 1.0;
            artery.insert(v);
            for (std::size_t t = 0; t < d.aif.size(); ++t) {
              float& C = d.dynamic.data.data<float>()[static_cast<std::int64_t>(t) * n + v];
              C = static_cast<float>(part * 0.58 * d.aif.values[t] + (1 - part) * C);
            }
          }
      const auto found = detect_aif(d.dynamic.data, d.dynamic.times);
      for (const auto v : found.voxels) EXPECT_TRUE(artery.count(v)) << what;
      // A mask of the artery alone: nothing to compare it with, but no tissue is that high.
      std::vector<std::uint8_t> mask(static_cast<std::size_t>(n));
      for (const auto v : artery) mask[static_cast<std::size_t>(v)] = 1;
      EXPECT_NO_THROW(detect_aif(d.dynamic.data, d.dynamic.times, mask)) << what;
    }
}

// A bright plateau in faint tissue stands out as an artery does, but it does not leave.
TEST(AifDetection, PlateauIsRefused) {
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) times.push_back(3.0 * i);
  Array C = Array::of<float>({1000, 60});
  std::mt19937 rng(1);
  std::normal_distribution<float> noise(0, 0.005f);
  for (std::int64_t t = 0; t < 60; ++t)
    for (std::int64_t v = 0; v < 1000; ++v) {
      const double rise = t < 10 ? 0 : 1 - std::exp(-0.15 * static_cast<double>(t - 10));
      C.data<float>()[t * 1000 + v] = static_cast<float>((v < 30 ? 1.5 : 0.1) * rise) + noise(rng);
    }
  try {
    detect_aif(C, times);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("from a minute after its rise"), std::string::npos) << e.what();
  }
}

TEST(AifDetection, NothingThereIsAnError) {
  std::vector<double> times;
  for (int i = 0; i < 30; ++i) times.push_back(i);
  Array noise = Array::of<float>({500, 30});
  std::mt19937 rng(1);
  std::normal_distribution<float> gaussian;
  for (float& c : noise.span<float>()) c = gaussian(rng);
  const auto code = [&](const Array& a, std::span<const double> t, std::span<const std::uint8_t> mask) {
    try {
      detect_aif(a, t, mask);
    } catch (const Error& e) {
      EXPECT_FALSE(e.advice().empty());
      return e.code();
    }
    return Errc::internal;
  };
  EXPECT_EQ(code(noise, times, {}), Errc::numeric);
  EXPECT_EQ(code(Array::of<float>({500, 30}), times, {}), Errc::numeric);
  for (float& c : noise.span<float>()) c = NAN;
  EXPECT_EQ(code(noise, times, {}), Errc::numeric);
  EXPECT_EQ(code(noise, std::span(times).first(7), {}), Errc::shape);
  EXPECT_EQ(code(noise, times, std::vector<std::uint8_t>(500, 0)), Errc::range);
  EXPECT_EQ(code(Array::of<float>({500, 4}), std::span(times).first(4), {}), Errc::range);
}

TEST(AifFromMask, MeanOfFiniteVoxels) {
  const std::vector<double> times{0, 1, 2};
  const Array c = Array::from<float>(std::vector<float>{1, 3, NAN, 7, 2, 4, 1, 7, 3, 5, 1, 7}, {4, 3});
  const auto aif = aif_from_mask(c, times, std::vector<std::uint8_t>{1, 1, 1, 0});
  EXPECT_EQ(aif.values, (std::vector<double>{2, 3, 4}));
  EXPECT_FALSE(aif.plasma);
  EXPECT_THROW(aif_from_mask(c, times, std::vector<std::uint8_t>{0, 0, 0, 0}), Error);
  EXPECT_THROW(aif_from_mask(c, times, std::vector<std::uint8_t>{1, 0}), Error);
  EXPECT_THROW(aif_from_mask(c, times, std::vector<std::uint8_t>{0, 0, 1, 0}), Error);
  EXPECT_THROW(aif_from_mask(c, times, {}), Error);
}
