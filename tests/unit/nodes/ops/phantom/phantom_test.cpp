// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/parallel.hpp>
#include <larmor/sim/phantom.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::HasSubstr;

Value size(std::initializer_list<double> n) { return Value::List(n.begin(), n.end()); }
Value inverse(const Value& k, const char* axes = "x, y") { return run("fourier.ifft", {{"in", k}}, {{"axes", axes}}); }

TEST(PhantomSheppLogan, KspaceIsTheTransformOfTheFineImage) {
  // Low frequencies of a finely drawn image against the formula: the sum over 1024^2 voxels of 3^2 points each differs
  // from the integral by some border voxels, 1e-3 of the whole.
  const Value drawn =
      run("fourier.fft", {{"in", run("phantom.shepp_logan", {}, {{"size", size({512, 512})}, {"oversample", 4}})}});
  const Value low = run("array.resize", {{"in", drawn}}, {{"size", "x=32, y=32"}});
  const Value exact = run("phantom.shepp_logan_kspace", {}, {{"size", size({32, 32})}});
  // Unitary scaling: the root of the number of voxels, 512 against 32.
  const Value scaled = run("math.divide", {{"a", low}}, {{"value", 16.0}});
  const double peak = values(array(run("reduce.max", {{"in", run("math.abs", {{"in", exact}})}})))[0];
  EXPECT_LT(gap(array(run("image.to_array", {{"in", scaled}})), array(run("image.to_array", {{"in", exact}}))),
            1e-3 * peak);
}

TEST(PhantomSheppLogan, KspaceInTheMiddleIsTheArea) {
  const auto object = sim::shepp_logan();
  const auto k = complex_values(array(run("phantom.shepp_logan_kspace", {}, {{"size", size({64, 64})}})));
  // Area over that of the field of view (4), times the root of the number of voxels.
  EXPECT_NEAR(k[32 + 64 * 32].real(), sim::content(object, 2) / 4 * 64, 1e-5);
  EXPECT_NEAR(k[32 + 64 * 32].imag(), 0, 1e-6);
  const auto solid = complex_values(array(run("phantom.shepp_logan_kspace", {}, {{"size", size({8, 8, 8})}})));
  EXPECT_NEAR(solid[4 + 8 * (4 + 8 * 4)].real(), sim::content(sim::shepp_logan_3d(), 3) / 8 * std::sqrt(512.0), 1e-5);
}

TEST(PhantomSheppLogan, ImageOfTheKspaceIsThePhantom) {
  const Image drawn = image(run("phantom.shepp_logan", {}, {{"size", size({128, 128})}}));
  const Image recon = image(
      run("complex.real", {{"in", inverse(run("phantom.shepp_logan_kspace", {}, {{"size", size({128, 128})}}))}}));
  EXPECT_EQ(drawn.affine.m, recon.affine.m);
  EXPECT_LT(distance(drawn.affine.apply(64, 64, 0), {0, 0, 0}), 1e-12);
  const auto a = values(drawn.data), b = values(recon.data);
  double ss = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ss += (a[i] - b[i]) * (a[i] - b[i]);
  EXPECT_LT(std::sqrt(ss / static_cast<double>(a.size())), 0.06);  // Gibbs ringing at the skull, whose height is 1
  EXPECT_NEAR(b[64 + 128 * 50], 0.2, 0.03);
  // The original contrast: 2 % details in a brain of 1.02.
  EXPECT_NEAR(values(image(run("phantom.shepp_logan", {}, {{"contrast", "original"}})).data)[64 + 128 * 50], 1.02,
              1e-6);
}

TEST(PhantomEllipses, ShiftedAndTurned) {
  // A sphere beside the middle, in three dimensions, and an ellipse that is turned: image against k-space.
  const Value ball = Value::List{1.0, 0.4, 0.3, 0.5, 0.25, -0.125, 0.25, 30.0};
  const auto both = [&](const char* id, Sets set) { return run(id, {{"objects", ball}}, std::move(set)); };
  const Image drawn = image(both("phantom.ellipses", {{"size", size({32, 32, 32})}, {"oversample", 4}}));
  const Image recon = image(run(
      "complex.real", {{"in", inverse(both("phantom.ellipses_kspace", {{"size", size({32, 32, 32})}}), "x, y, z")}}));
  const auto a = values(drawn.data), b = values(recon.data);
  double ss = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ss += (a[i] - b[i]) * (a[i] - b[i]);
  EXPECT_LT(std::sqrt(ss / static_cast<double>(a.size())), 0.04);
  EXPECT_NEAR(values(array(run("reduce.sum", {{"in", value(drawn)}})))[0] * 8 / 32768, 4.0 / 3 * M_PI * 0.06, 1e-3);
  EXPECT_THAT(error_of("phantom.ellipses", {{"objects", Value::List{1.0, 2.0}}}, {}, Errc::shape),
              HasSubstr("intensity"));
  EXPECT_NE(error_of("phantom.ellipses", {{"objects", Value::List{1.0, 0.0, 1.0, 0.0, 0.0, 0.0}}}, {}, Errc::range),
            "");
  EXPECT_NE(error_of("phantom.shepp_logan", {}, {{"size", size({32})}}, Errc::shape), "");
  EXPECT_NE(error_of("phantom.shepp_logan", {}, {{"size", size({32, 0.5})}}, Errc::range), "");
}

TEST(PhantomPatterns, KnownValues) {
  const auto g =
      values(array(run("phantom.gaussian", {}, {{"size", size({64, 64})}, {"width", 0.5}, {"height", 3.0}})));
  EXPECT_NEAR(g[32 + 64 * 32], 3, 1e-6);
  EXPECT_NEAR(g[48 + 64 * 32], 3 * std::exp(-0.5), 1e-6);
  const auto r =
      values(array(run("phantom.gradient", {}, {{"size", size({4, 2})}, {"along_y", 2.0}, {"offset", 1.0}})));
  EXPECT_THAT(r, testing::ElementsAre(-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5));
  const auto c = values(array(run("phantom.checker", {}, {{"size", size({4, 4})}, {"fields", 2}})));
  EXPECT_THAT(c, testing::ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0));
  EXPECT_NE(error_of("phantom.checker", {}, {{"size", size({})}}, Errc::shape), "");
  EXPECT_NE(error_of("phantom.gaussian", {}, {{"size", size({2.5})}}, Errc::range), "");
}

TEST(PhantomNoise, MomentsAndSeeds) {
  const Array zero = Array::of<float>({400, 400});
  const auto stats = [](const Value& v) { return run_all("stats.summary", {{"in", v}}); };
  const auto gaussian = stats(run("phantom.add_noise", {{"in", zero}}, {{"sd", 2.0}}));
  // 160,000 numbers: the mean is known to 2 / 400, the sd to 2 / 566; five of these.
  EXPECT_NEAR(gaussian.at("mean").number(), 0, 0.025);
  EXPECT_NEAR(gaussian.at("sd").number(), 2, 0.018);
  // Rician noise of nothing is Rayleigh's: mean sd sqrt(pi / 2).
  const auto rician = stats(run("phantom.add_noise", {{"in", zero}}, {{"sd", 2.0}, {"kind", "rician"}}));
  EXPECT_NEAR(rician.at("mean").number(), 2 * std::sqrt(M_PI / 2), 0.02);
  EXPECT_NEAR(rician.at("sd").number(), 2 * std::sqrt(2 - M_PI / 2), 0.02);
  const Array one = array(run("phantom.noise", {}, {{"seed", 5}})),
              other = array(run("phantom.noise", {}, {{"seed", 6}}));
  EXPECT_GT(gap(one, other), 1);
  const int before = thread_count();
  set_thread_count(3);
  EXPECT_EQ(gap(one, array(run("phantom.noise", {}, {{"seed", 5}}))), 0);
  set_thread_count(before);
  const auto uniform = stats(run("phantom.noise", {}, {{"kind", "uniform"}, {"size", size({400, 400})}}));
  EXPECT_NEAR(uniform.at("mean").number(), 0.5, 0.004);
  EXPECT_NEAR(uniform.at("sd").number(), 1 / std::sqrt(12.0), 0.004);
  const Value z = run("phantom.noise", {}, {{"kind", "complex"}, {"size", size({400, 400})}});
  EXPECT_NEAR(stats(run("complex.imag", {{"in", z}})).at("sd").number(), 1, 0.01);
  EXPECT_NEAR(run("phantom.add_noise", {{"in", line({0, 4})}}, {{"sd", 0.5}, {"relative", true}}, "sd").number(), 2,
              1e-12);
  EXPECT_NE(error_of("phantom.add_noise", {{"in", z}}, {{"kind", "rician"}}, Errc::type), "");
  EXPECT_NE(error_of("phantom.noise", {}, {{"size", size({0})}}, Errc::range), "");
}

TEST(PhantomCoils, FieldsOfLoops) {
  const Array maps = array(run("phantom.coils", {{"like", Array::of<float>({32, 32})}}, {{"coils", 4}}, "maps"));
  EXPECT_EQ(maps.shape(), (Shape{32, 32, 4}));
  const auto rss = values(array(run("recon.rss", {{"in", maps}})));
  EXPECT_NEAR(rss[16 + 32 * 16], 1, 1e-6);
  // Loops a quarter turn apart have fields a quarter turn apart: as strong, and 90 degrees in phase.
  const auto v = complex_values(maps);
  const auto a = v[24 + 32 * 16], b = v[16 + 32 * 24 + 1024];
  EXPECT_NEAR(std::abs(a), std::abs(b), 1e-6);
  EXPECT_NEAR(std::abs(std::arg(a / b)), M_PI / 2, 1e-5);
  EXPECT_GT(std::abs(v[30 + 32 * 16]), 3 * std::abs(v[2 + 32 * 16]));  // stronger near the loop
  EXPECT_EQ(array(run("phantom.coils", {{"like", Array::of<float>({8, 8, 1})}}, {}, "maps")).shape(),
            (Shape{8, 8, 1, 8}));
  EXPECT_NE(error_of("phantom.coils", {{"like", Array::of<float>({8})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("phantom.coils", {{"like", Array::of<float>({8, 8})}}, {{"coils", 2}, {"rings", 3}}, Errc::range),
            "");
}

}  // namespace
}  // namespace larmor::nodes::test
