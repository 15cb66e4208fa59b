// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/steps.hpp>
#include <random>

namespace larmor::asl {
namespace {

using fit::FitStatus;
using testing::AllOf;
using testing::HasSubstr;

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

Image filled(Shape shape, float value) {
  Image i;
  i.data = Array(DType::f32, std::move(shape));
  for (float& v : i.data.span<float>()) v = value;
  return i;
}

TEST(AslM0, VoxelwiseUndoesRecoveryAndPartition) {
  Image image = filled({2, 1, 1}, 0);
  image.data.data<float>()[0] = static_cast<float>(1000 * (1 - std::exp(-4 / 1.4)));
  image.data.data<float>()[1] = -3;  // outside the head
  const std::vector<float> T1{1.4f, 1.4f};
  const Array M0 = blood_M0(image.data, {.method = "m0.voxelwise", .TR = 4, .T1 = {}, .partition = 0.8}, T1);
  EXPECT_NEAR(M0.data<float>()[0], 1000 / 0.8, 1e-3);
  EXPECT_TRUE(std::isnan(M0.data<float>()[1]));
}

TEST(AslM0, OneValueIsTheMedianOfItsRegion) {
  Image image = filled({5, 1, 1, 2}, 10);
  for (int i = 0; i < 5; ++i)
    image.data.data<float>()[i] = image.data.data<float>()[5 + i] = static_cast<float>(10 * i);
  const std::vector<std::uint8_t> region{0, 1, 1, 1, 0};
  for (const auto& [id, partition] : {std::pair{"m0.single", 0.9}, {"m0.csf", 1.15}, {"m0.white_matter", 0.82}}) {
    const Array M0 = blood_M0(image.data, {.method = id}, {}, region);
    EXPECT_EQ(M0.shape(), (Shape{5, 1, 1}));
    for (const float v : M0.span<float>()) EXPECT_NEAR(v, 20 / partition, 1e-4) << id;
    // TR 2 s and an echo at 13 ms, with the tissue's own T1 and T2*.
    const M0Method& m = m0_methods().get(id);
    const Array echo =
        blood_M0(image.data, {.method = id, .TR = 2, .T1 = {}, .partition = {}, .TE = 0.013}, {}, region);
    EXPECT_NEAR(echo.data<float>()[0],
                20 / partition / (1 - std::exp(-2 / m.T1)) * std::exp(0.013 * (1 / m.T2_star - 1 / 0.05)), 1e-3);
  }
}

TEST(AslM0, RefusesWhatItCannotUse) {
  const Image image = filled({2, 1, 1}, 5);
  EXPECT_THAT(message([&] { blood_M0(image.data, {.method = "csv"}); }), HasSubstr("did you mean m0.csf?"));
  EXPECT_THAT(message([&] { blood_M0(image.data, {.method = "m0.csf"}); }), HasSubstr("m0.csf needs a mask of CSF"));
  EXPECT_THAT(message([&] { blood_M0(image.data, {.method = "m0.voxelwise", .TR = -1}); }),
              HasSubstr("the repetition time is -1 s"));
  EXPECT_THAT(message([&] {
                blood_M0(filled({2, 1, 1}, 0).data, {.method = "m0.single"}, {}, std::vector<std::uint8_t>{1, 1});
              }),
              HasSubstr("no voxel of the brain has a signal"));
  EXPECT_THAT(message([&] { blood_M0(image.data, {}, std::vector<float>{1.0f}); }), HasSubstr("T1 map holds 1 voxels"));
  EXPECT_THAT(message([&] { blood_M0(filled({2, 1}, 1).data, {}); }), HasSubstr("the M0 image is 2 x 1"));
}

/// Volumes label, control, ...: tissue 1000, difference 10, noise of sd.
Image turns(std::size_t n_volumes, double sd, std::int64_t n = 2000) {
  Image s = filled({n, 1, 1, static_cast<std::int64_t>(n_volumes)}, 0);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  float* to = s.data.data<float>();
  for (std::size_t t = 0; t < n_volumes; ++t)
    for (std::int64_t v = 0; v < n; ++v) *to++ = static_cast<float>(990 + (t % 2) * 10 + sd * normal(random));
  return s;
}
std::vector<Role> roles_of(std::size_t n) {
  std::vector<Role> r;
  for (std::size_t t = 0; t < n; ++t) r.push_back(t % 2 ? Role::control : Role::label);
  return r;
}

TEST(AslDifferenceStep, StandardErrorsAreCalibratedForEveryMethod) {
  const std::size_t n = 24;
  const Image s = turns(n, 2);
  for (const char* id : {"difference.pairwise", "difference.surround", "difference.sinc"}) {
    const auto d = differences_of(s, roles_of(n), {}, {.method = id});
    double squares = 0, claimed = 0;
    for (std::int64_t v = 0; v < 2000; ++v) {
      const double gap = static_cast<double>(d.mean.data.data<float>()[v]) - 10, se = d.standard_error.data<float>()[v];
      squares += gap * gap, claimed += se * se;
    }
    // Variances of 2000 voxels are known to sqrt(2 / 2000) = 3 %.
    EXPECT_NEAR(claimed / squares, 1, 0.13) << id;
  }
  const auto one = differences_of(s, roles_of(n), {}, {.method = "difference.mean"});
  EXPECT_TRUE(std::isnan(one.standard_error.data<float>()[0]));  // one difference says nothing of its error
  EXPECT_NEAR(one.mean.data.data<float>()[0], 10, 4 * 2 * std::sqrt(2 / 12.0));
}

TEST(AslDifferenceStep, LeavesOutliersOut) {
  const std::size_t n = 20;
  Image s = turns(n, 1);
  for (std::int64_t v = 0; v < 2000; ++v) s.data.data<float>()[7 * 2000 + v] += 40;  // a shifted control
  for (std::int64_t v = 0; v < 2000; v += 2) s.data.data<float>()[12 * 2000 + v] += v % 4 ? 30 : -30;  // a torn label
  const auto kept = differences_of(s, roles_of(n), {}, {.method = "pairwise", .outlier_sd = 3.5});
  for (std::size_t k = 0; k < 10; ++k) EXPECT_EQ(kept.outliers.keep[k], k != 3 && k != 6) << k;
  const auto mean = [](const Image& i) {
    double sum = 0;
    for (const float v : i.data.span<float>()) sum += v;
    return sum / static_cast<double>(i.data.size());
  };
  EXPECT_NEAR(mean(kept.mean), 10, 0.05);  // noise of the mean of 2000 voxels of 8 pairs: 0.011
  EXPECT_NEAR(mean(differences_of(s, roles_of(n), {}, {}).mean), 14, 0.05);
  // Nothing is left out of clean data.
  const auto clean = differences_of(turns(n, 1), roles_of(n), {}, {.method = "pairwise", .outlier_sd = 6});
  for (const auto k : clean.outliers.keep) EXPECT_TRUE(k);
  EXPECT_THAT(message([&] { find_outliers(s.data, {}, std::vector<int>(20), -1); }), HasSubstr("a threshold of -1 sd"));
}

// Delays of different contrast: noise moves the sd of faint images as much as that of bright ones, so faint ones are
// not outliers because of it.
TEST(AslDifferenceStep, FaintDelaysAreNoOutliers) {
  const std::int64_t voxels = 2000, n = 40;
  int lost = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Array d(DType::f32, {voxels, 1, 1, n});
    std::vector<int> group;
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    for (std::int64_t k = 0; k < n; ++k) {
      group.push_back(static_cast<int>(k / 8));
      for (std::int64_t v = 0; v < voxels; ++v)
        d.data<float>()[k * voxels + v] =
            static_cast<float>(10 * std::pow(0.6, k / 8) * static_cast<double>(v) / voxels + 1.5 * normal(random));
    }
    for (const auto keep : find_outliers(d, {}, group, 3.5).keep) lost += !keep;
  }
  // Two figures of 800 images, beyond 3.5 sd: 0.7 by chance; with a robust sd of 40 images, itself known to 18 %, 8.
  EXPECT_LE(lost, 14);
}

TEST(AslDifferenceStep, TimeEncodedSeriesAreDecoded) {
  Protocol p;
  p.encoding = hadamard_encoding(8), p.LD = {0.5}, p.PLD = {0.3};
  Image s = filled({1, 1, 1, 16}, 0);  // two rounds
  for (std::size_t t = 0; t < 16; ++t) {
    float value = 500;
    for (std::size_t j = 0; j < 7; ++j)
      if (p.encoding[t % 8][j]) value -= static_cast<float>(1 + j);
    s.data.data<float>()[t] = value;
  }
  const auto d = differences_of(s, std::vector<Role>(16, Role::encoded), p, {});
  ASSERT_EQ(d.mean.volumes(), 7);
  for (std::size_t j = 0; j < 7; ++j) {
    EXPECT_NEAR(d.mean.data.data<float>()[j], 1.0 + static_cast<double>(j), 1e-4);
    EXPECT_NEAR(d.samples[j].time, 0.3 + 0.5 * static_cast<double>(7 - j), 1e-12);
  }
  EXPECT_THAT(message([&] { differences_of(s, std::vector<Role>(16, Role::control), p, {}); }),
              HasSubstr("0 encoded volumes for 8 encodings"));
}

TEST(AslPartialVolume, ReturnsThePureTissues) {
  const std::int64_t nx = 12, ny = 12;
  Array gm(DType::f32, {nx, ny, 2}), wm = gm.clone(), y(DType::f32, {nx, ny, 2, 2});
  std::mt19937_64 random(8);
  for (std::int64_t v = 0; v < gm.size(); ++v) {
    const double g = static_cast<double>(random() >> 11) * 0x1p-53;
    gm.data<float>()[v] = static_cast<float>(g), wm.data<float>()[v] = static_cast<float>(1 - g);
    y.data<float>()[v] = static_cast<float>(60 * g + 20 * (1 - g));
    y.data<float>()[gm.size() + v] = static_cast<float>(30 * g + 25 * (1 - g));
  }
  const std::vector<Array> fractions{gm, wm};
  const auto pure = pure_tissues(y, fractions, {});
  for (std::int64_t v = 0; v < gm.size(); ++v) {
    if (gm.data<float>()[v] >= 0.05f) {
      EXPECT_NEAR(pure[0].data<float>()[v], 60, 1e-3);
      EXPECT_NEAR(pure[0].data<float>()[gm.size() + v], 30, 1e-3);
    } else {
      EXPECT_TRUE(std::isnan(pure[0].data<float>()[v]));
    }
    if (wm.data<float>()[v] >= 0.05f) {
      EXPECT_NEAR(pure[1].data<float>()[v], 20, 1e-3);
    }
  }
  // Where all voxels of a window are the same mixture, nothing tells the tissues apart.
  Array half = filled({nx, ny, 2}, 0.5f).data;
  const std::vector<Array> same{half, half};
  EXPECT_TRUE(std::isnan(pure_tissues(y, same, {})[0].data<float>()[50]));
  EXPECT_THAT(message([&] { pure_tissues(y, std::vector<Array>{gm}, {}); }), HasSubstr("fractions of 1 tissues"));
  EXPECT_THAT(message([&] { pure_tissues(y, fractions, {}, {.radius = {-1, 2, 0}}); }), HasSubstr("a window of -1"));
  EXPECT_THAT(message([&] {
                pure_tissues(y, std::vector<Array>{gm, Array(DType::f32, {3, 3, 1})}, {});
              }),
              HasSubstr("a tissue fraction of 3 x 3 x 1"));
}

// Maps of fractions hold traces of every tissue everywhere: they must not take the value of the tissue that is there.
TEST(AslPartialVolume, TracesOfOtherTissuesDoNotHideTheOneThatIsThere) {
  Array gm(DType::f32, {8, 8, 1}), wm = gm.clone(), csf = gm.clone(), y = gm.clone();
  for (const bool even : {false, true}) {
    for (std::int64_t v = 0; v < gm.size(); ++v) {
      const float g = even ? 0.006f : 0.006f + 0.002f * static_cast<float>(v * 7 % 5 - 2) / 2, c = 0.004f;
      gm.data<float>()[v] = g, csf.data<float>()[v] = c, wm.data<float>()[v] = 1 - g - c;
      y.data<float>()[v] = 60 * g + 20 * (1 - g - c);
    }
    const auto pure = pure_tissues(y, std::vector<Array>{gm, wm, csf}, {});
    for (std::int64_t v = 0; v < gm.size(); ++v) {
      // What is left out, 0.6 % of 60, is taken for white matter.
      EXPECT_NEAR(pure[1].data<float>()[v], 20, even ? 0.4 : 0.1) << v;
      EXPECT_TRUE(std::isnan(pure[0].data<float>()[v]));
    }
  }
}
TEST(AslPartialVolume, RefusesWhatAreNoFractions) {
  const Array ok = filled({4, 4, 1}, 0.5f).data, per_cent = filled({4, 4, 1}, 50.0f).data;
  EXPECT_THAT(message([&] {
                pure_tissues(ok, std::vector<Array>{ok, per_cent}, {});
              }),
              AllOf(HasSubstr("a tissue fraction holds 50"), HasSubstr("per cent divided by 100")));
  EXPECT_THAT(message([&] { quality_of(ok, {}, per_cent, ok); }), HasSubstr("the grey-matter fraction holds 50"));
}

TEST(AslM0, RatiosAreThoseOfWater) {
  // Blood holds 0.87 mL of water a mL, CSF is water; tissues by mass (Herscovitch and Raichle 1985).
  EXPECT_NEAR(m0_methods().get("m0.csf").partition, 1 / 0.87, 1e-3);
  EXPECT_EQ(m0_methods().get("m0.white_matter").partition, 0.82);
  // M0 of blood does not depend on where it was taken from, when tissues are what they are.
  const double M0_blood = 1000;
  for (const char* id : {"m0.csf", "m0.white_matter", "m0.single"}) {
    const M0Method& m = m0_methods().get(id);
    const Image tissue = filled({2, 2, 1}, static_cast<float>(M0_blood * m.partition * (1 - std::exp(-3 / m.T1))));
    M0Options o{.method = id, .TR = 3.0};
    EXPECT_NEAR(blood_M0(tissue.data, o, {}, std::vector<std::uint8_t>(4, 1)).data<float>()[0], M0_blood, 1e-2) << id;
  }
}

TEST(AslQuality, FiguresAreThoseOfTheMap) {
  const std::int64_t n = 4000;
  Array gm(DType::f32, {n, 1, 1}), wm = gm.clone(), cbf = gm.clone();
  std::mt19937_64 random(9);
  std::normal_distribution<double> normal;
  for (std::int64_t v = 0; v < n; ++v) {
    const bool grey = v < n / 2;
    gm.data<float>()[v] = grey, wm.data<float>()[v] = !grey;
    cbf.data<float>()[v] = static_cast<float>(((grey ? 60 : 24) + 6 * normal(random)) / 6);
  }
  const Quality q = quality_of(cbf, {}, gm, wm);
  EXPECT_EQ(q.n_GM, n / 2);
  EXPECT_NEAR(q.mean_GM * 6, 60, 0.6);  // 4 sd of the mean
  EXPECT_NEAR(q.ratio, 2.5, 0.05);
  EXPECT_NEAR(q.spatial_CoV, 0.1, 0.007);
  EXPECT_EQ(q.negative_GM, 0);
  EXPECT_NEAR(q.structure, 18 / std::hypot(18, 6), 0.01);  // tissues 18 either side of their mean, noise 6
  EXPECT_NEAR(q.dispersion, 36 / 60.0, 0.05);
  EXPECT_GT(q.QEI, 0.9);
  // Noise without structure is worth nothing; half the voxels of it are negative.
  for (float& v : cbf.span<float>()) v = static_cast<float>(10 * normal(random));
  const Quality bad = quality_of(cbf, {}, gm, wm);
  EXPECT_NEAR(bad.negative_GM, 0.5, 0.05);
  EXPECT_LT(bad.QEI, 0.1);
  // Without tissues only the spread of the map is known.
  const Quality blind = quality_of(cbf, {});
  EXPECT_TRUE(std::isnan(blind.mean_GM) && std::isnan(blind.QEI));
  EXPECT_FALSE(std::isnan(blind.spatial_CoV));
  EXPECT_THAT(message([&] { quality_of(cbf, {}, Array(DType::f32, {3, 1, 1})); }), HasSubstr("holds 3 voxels"));
}

TEST(AslQuality, IndexHasItsLimits) {
  // The parts of r = 0.8, d = 5 mL/100g/min, p = 2 % are 0.826, 0.787 and 0.689, worked out by hand.
  EXPECT_NEAR(evaluation_index(0.8, 5, 0.02), std::cbrt(0.8257 * 0.7865 * 0.6887), 2e-4);
  EXPECT_NEAR(evaluation_index(1, 0, 0), std::cbrt(1 - std::exp(-3.0126)), 1e-12);  // a perfect map
  EXPECT_EQ(evaluation_index(0, 1, 0), 0);
  EXPECT_EQ(evaluation_index(-0.5, 1, 0), 0);  // the opposite of structure is none
  EXPECT_LT(evaluation_index(0.8, 1e4, 0.02), 1e-6);
  for (double x = 0.1; x < 1; x += 0.1) {
    EXPECT_GT(evaluation_index(x, 5, 0.02), evaluation_index(x - 0.1, 5, 0.02));
    EXPECT_LT(evaluation_index(0.8, 5 + x, 0.02), evaluation_index(0.8, 4.9 + x, 0.02));
    EXPECT_LT(evaluation_index(0.8, 5, x), evaluation_index(0.8, 5, x - 0.1));
  }
}
TEST(AslQuality, IndexIsOfTheSmoothedMap) {
  // Slabs of tissue with noise that 5 mm of voxels of 2 mm take most of; figures of the map itself stay.
  const std::int64_t n = 32;
  Array gm(DType::f32, {n, n, 8}), wm = gm.clone(), cbf = gm.clone();
  std::mt19937_64 random(11);
  std::normal_distribution<double> normal;
  for (std::int64_t v = 0; v < gm.size(); ++v) {
    const bool grey = v % n < n / 2;
    gm.data<float>()[v] = grey, wm.data<float>()[v] = !grey;
    cbf.data<float>()[v] = static_cast<float>(((grey ? 60 : 24) + 40 * normal(random)) / 6);
  }
  const Quality raw = quality_of(cbf, {}, gm, wm), smooth = quality_of(cbf, {}, gm, wm, {}, std::array{2.0, 2.0, 2.0});
  EXPECT_GT(smooth.QEI, raw.QEI + 0.2);
  // Noise of white noise under a Gaussian of sd s voxels in 3-D: (4 pi s^2)^(-3/2) of the variance, s = 1.06; and the
  // border between the slabs.
  EXPECT_LT(smooth.dispersion, 0.2 * raw.dispersion);
  EXPECT_EQ(smooth.mean_GM, raw.mean_GM);
  EXPECT_EQ(smooth.spatial_CoV, raw.spatial_CoV);
  EXPECT_EQ(smooth.negative_GM, raw.negative_GM);
  // Smoothing does not mix in what has no value.
  for (std::int64_t v = 0; v < gm.size(); ++v) cbf.data<float>()[v] = v % n < n / 2 ? 10.0f : NAN;
  EXPECT_NEAR(quality_of(cbf, {}, gm, wm, {}, std::array{2.0, 2.0, 2.0}).mean_GM, 10, 1e-6);
}

TEST(AslQuantify, RefusesWhatItCannotUse) {
  const Array y(DType::f32, {4, 1, 2, 1});
  Image reference;
  reference.data = y;
  const std::vector<Sample> one{{.time = 3.6, .LD = 1.8, .efficiency = 0.85}};
  Protocol p;
  const auto run = [&](const QuantifyOptions& o, const Tissue& t = {}, std::vector<std::uint8_t> mask = {}) {
    return message([&] { quantify(y, {}, one, {}, p, t, mask, reference, o); });
  };
  EXPECT_THAT(run({}), HasSubstr("1 timing for 2 free parameters"));
  EXPECT_THAT(run({}), HasSubstr("fix ATT"));
  EXPECT_THAT(run({.model = "asl.pasl"}), HasSubstr("asl.pasl for Pseudo-continuous labelling"));
  EXPECT_THAT(run({.consensus = true}, {.T1 = {1.0f, 2.0f}}), HasSubstr("a T1 map of 2 voxels for a series of 8"));
  EXPECT_THAT(run({.consensus = true}, {.T1 = {1.3f}, .partition = 90}), HasSubstr("a partition coefficient of 90"));
  EXPECT_THAT(run({.consensus = true}, {}, {1, 1}), HasSubstr("the mask holds 2 voxels, the series 8"));
  const Array two(DType::f32, {4, 1, 2, 2});
  const std::vector<Sample> both{one[0], {.time = 4.0, .LD = 1.8, .efficiency = 0.85}};
  EXPECT_THAT(message([&] { quantify(two, {}, both, {}, p, {}, {}, reference, {.consensus = true}); }),
              HasSubstr("2 timings for the formula of one delay"));
  EXPECT_THAT(message([&] { quantify(two, {}, one, {}, p, {}, {}, reference, {.consensus = true}); }),
              HasSubstr("1 timings for difference images"));
  std::vector<Sample> train = both;
  for (auto& s : train) s.readout_rate = 0.4;
  EXPECT_THAT(message([&] {
                QuantifyOptions o{.model = "asl.pcasl_dispersed"};
                o.params["sigma"].fixed = 0.2;
                quantify(two, {}, train, {}, p, {}, {}, reference, o);
              }),
              HasSubstr("does not know Look-Locker readouts"));
  EXPECT_THAT(message([&] { normalised(y, Array(DType::f32, {3, 1, 1})); }), HasSubstr("give M0 on the grid"));
}

TEST(AslQuantify, FailedVoxelsAreNaNWithTheReason) {
  Array y(DType::f32, {4, 1, 1, 2});
  const std::vector<Sample> both{{.time = 2.2, .LD = 1.4, .efficiency = 0.85},
                                 {.time = 3.0, .LD = 1.4, .efficiency = 0.85}};
  const auto one = signal(models().get("asl.pcasl"), both, std::vector{10.0, 0.9}, {});
  for (std::size_t k = 0; k < 2; ++k) {
    y.data<float>()[k * 4] = static_cast<float>(one[k]);
    y.data<float>()[k * 4 + 1] = NAN;  // no M0
    y.data<float>()[k * 4 + 2] = 0;
    y.data<float>()[k * 4 + 3] = static_cast<float>(one[k]);
  }
  Image reference;
  reference.data = y;
  const auto maps = quantify(y, {}, both, {}, {}, {}, std::vector<std::uint8_t>{1, 1, 1, 0}, reference, {});
  const auto* status = maps.status.data<std::uint8_t>();
  const float* CBF = maps.get("CBF").values.data<float>();
  EXPECT_EQ(static_cast<FitStatus>(status[0]), FitStatus::converged);
  EXPECT_NEAR(CBF[0], 10, 1e-3);
  EXPECT_EQ(static_cast<FitStatus>(status[1]), FitStatus::bad_data);
  EXPECT_EQ(static_cast<FitStatus>(status[2]), FitStatus::no_signal);
  EXPECT_EQ(static_cast<FitStatus>(status[3]), FitStatus::outside);
  for (int v = 1; v < 4; ++v) EXPECT_TRUE(std::isnan(CBF[v])) << v;
}

}  // namespace
}  // namespace larmor::asl
