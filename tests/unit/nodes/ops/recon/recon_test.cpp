// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::HasSubstr;

Value size(std::initializer_list<double> n) { return Value::List(n.begin(), n.end()); }

struct Coils {
  Value object, maps, images;
};
Coils coils(double noise = 0, int n = 64) {
  Coils out;
  const double s = n;
  out.object = run("phantom.shepp_logan", {}, {{"size", size({s, s})}});
  out.maps = run("phantom.coils", {{"like", out.object}}, {{"coils", 6}}, "maps");
  out.images = run("math.multiply", {{"a", out.object}, {"b", out.maps}});
  if (noise > 0) out.images = run("phantom.add_noise", {{"in", out.images}}, {{"sd", noise}});
  return out;
}

TEST(ReconCombine, KnownSensitivitiesGiveTheObject) {
  const auto c = coils();
  const Value out = run("recon.coil_combine", {{"in", c.images}, {"maps", c.maps}});
  EXPECT_LT(gap(array(run("complex.real", {{"in", out}})), array(c.object)), 1e-6);
  EXPECT_EQ(out.type(), "image");
  const Value zero = run("math.multiply", {{"a", c.maps}}, {{"value", 0.0}});
  EXPECT_EQ(
      values(array(run("math.abs", {{"in", run("recon.coil_combine", {{"in", c.images}, {"maps", zero}})}})))[2000], 0);
  EXPECT_NE(error_of("recon.coil_combine", {{"in", c.object}, {"maps", c.maps}}, {}, Errc::unknown_name), "");
  EXPECT_NE(
      error_of("recon.coil_combine", {{"in", run("math.abs", {{"in", c.images}})}, {"maps", c.maps}}, {}, Errc::type),
      "");
}

TEST(ReconRss, IsTheRootOfTheSumOfSquares) {
  const Array a = random({5, 4, 3}, {"x", "y", "coil"}, DType::c128);
  const auto out = values(array(run("recon.rss", {{"in", a}})));
  const auto v = complex_values(a);
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_NEAR(out[i], std::sqrt(std::norm(v[i]) + std::norm(v[i + 20]) + std::norm(v[i + 40])), 1e-14);
  EXPECT_NE(error_of("recon.rss", {{"in", a}}, {{"axis", "channel"}}, Errc::unknown_name), "");
}

TEST(ReconAdaptive, WithoutNoiseItIsTheRootOfTheSumOfSquares) {
  const auto c = coils();
  // In a block of one voxel the eigenvector is the voxel itself.
  const Value one = run("recon.adaptive_combine", {{"in", c.images}}, {{"block", 1}});
  EXPECT_LT(gap(array(run("math.abs", {{"in", one}})), array(run("recon.rss", {{"in", c.images}}))), 1e-6);
  // In larger ones the sensitivities hardly change across the block.
  const Value five = run("recon.adaptive_combine", {{"in", c.images}}, {{"block", 5}});
  EXPECT_LT(gap(array(run("math.abs", {{"in", five}})), array(run("recon.rss", {{"in", c.images}}))), 0.02);
}

TEST(ReconAdaptive, FindsTheSensitivitiesUpToAScale) {
  const auto c = coils();
  const auto got = complex_values(array(run("recon.adaptive_combine", {{"in", c.images}}, {}, "maps")));
  const auto truth = complex_values(array(c.maps));
  const auto object = values(array(c.object));
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (object[i] < 0.1) continue;
    std::complex<double> both;
    double a = 0, b = 0;
    for (std::size_t k = 0; k < 6; ++k) {
      both += std::conj(got[i + 4096 * k]) * truth[i + 4096 * k];
      a += std::norm(got[i + 4096 * k]), b += std::norm(truth[i + 4096 * k]);
    }
    ASSERT_NEAR(a, 1, 1e-5);
    ASSERT_GT(std::abs(both) / std::sqrt(a * b), 0.99);
  }
}

TEST(ReconAdaptive, KeepsNoiseLowWhereThereIsNoSignal) {
  const auto c = coils(0.05);
  const auto rss = values(array(run("recon.rss", {{"in", c.images}})));
  const auto adaptive = values(array(run("math.abs", {{"in", run("recon.adaptive_combine", {{"in", c.images}})}})));
  double a = 0, b = 0;
  for (std::size_t i = 0; i < 64; ++i) a += rss[i], b += adaptive[i];  // the first row: background
  EXPECT_LT(b, 0.75 * a);
  EXPECT_NE(error_of("recon.adaptive_combine", {{"in", c.images}}, {{"block", 4}}, Errc::range), "");
  EXPECT_NE(error_of("recon.adaptive_combine", {{"in", random({4, 2}, {"x", "coil"}, DType::c64)}}, {}, Errc::range),
            "");
  EXPECT_NE(error_of("recon.adaptive_combine", {{"in", run("math.abs", {{"in", c.images}})}}, {}, Errc::type), "");
}

// An object with a slowly changing phase, and its k-space without the first samples of x.
struct Partial {
  Value object, kspace, part;
};
Partial partial(int first, int n = 128) {
  Partial out;
  const double s = n;
  const Value phantom = run("phantom.shepp_logan", {}, {{"size", size({s, s})}});
  const Value phase = run("source.array", {},
                          {{"shape", "x=" + std::to_string(n) + ", y=" + std::to_string(n)},
                           {"formula", "exp(i * (0.5 + x - 0.7 * y^2))"}});
  out.object = run("math.multiply", {{"a", phantom}, {"b", phase}});
  out.kspace = run("fourier.fft", {{"in", out.object}});
  out.part = run("array.crop", {{"in", out.kspace}}, {{"ranges", "x=" + std::to_string(first) + ":"}});
  return out;
}
double error_to(const Value& image_value, const Value& truth) {
  const auto a = values(array(run("math.abs", {{"in", image_value}}))),
             b = values(array(run("math.abs", {{"in", truth}})));
  double ss = 0, rr = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ss += (a[i] - b[i]) * (a[i] - b[i]), rr += b[i] * b[i];
  return std::sqrt(ss / rr);
}

TEST(ReconHomodyne, BetterThanZeroFilling) {
  const auto p = partial(48);  // 16 samples before k = 0 at 64
  const auto out = run_all("recon.homodyne", {{"in", p.part}});
  EXPECT_EQ(out.at("centre").number(), 16);
  EXPECT_EQ(array(out.at("out")).shape(), array(p.object).shape());
  const double homodyne = error_to(out.at("out"), p.object),
               zero = error_to(run("fourier.ifft", {{"in", out.at("kspace")}}), p.object);
  EXPECT_LT(homodyne, 0.4 * zero) << homodyne << " against " << zero;
  EXPECT_LT(homodyne, 0.05);
  // The phase comes back too, where there is signal.
  const auto got = complex_values(array(out.at("out"))), truth = complex_values(array(p.object));
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::abs(truth[i]) > 0.5) {
      ASSERT_LT(std::abs(std::arg(got[i] / truth[i])), 0.5);
    }
}

TEST(ReconHomodyne, AllSamplesGiveTheImage) {
  const auto p = partial(0);
  // Nothing is missing: the real part in the frame of a smooth phase is what was there.
  EXPECT_LT(error_to(run("recon.homodyne", {{"in", p.kspace}}, {{"centre", 64}}), p.object), 0.01);
  // The low-resolution phase of a real object is 0 except where ringing is negative, in the air.
  const Value real = run("phantom.shepp_logan_kspace", {}, {{"size", size({64, 64})}});
  const Value half = run("array.crop", {{"in", real}}, {{"ranges", "x=24:"}});
  const Value full = run("recon.homodyne", {{"in", half}}, {{"centre", 8}, {"size", 64}});
  const Value whole = run("fourier.ifft", {{"in", real}});
  EXPECT_LT(error_to(full, whole), 0.05);
}

TEST(ReconHomodyne, PlaceOfVoxelsStays) {
  const auto p = partial(40);
  const Image out = image(run("math.abs", {{"in", run("recon.homodyne", {{"in", p.part}}, {{"centre", 24}})}}));
  EXPECT_EQ(out.data.extent(0), 128);
  EXPECT_NEAR(out.affine.spacing()[1], 240.0 / 128, 1e-9);
}

TEST(ReconHomodyne, Errors) {
  const auto p = partial(48, 64);
  EXPECT_THAT(error_of("recon.homodyne", {{"in", p.kspace}}, {{"centre", 70}}, Errc::range),
              HasSubstr("k = 0 at sample 70 of 64"));
  EXPECT_THAT(error_of("recon.homodyne", {{"in", p.kspace}}, {{"centre", 10}, {"size", 80}}, Errc::range),
              HasSubstr("give 107 or more"));
  EXPECT_THAT(error_of("recon.homodyne", {{"in", p.kspace}}, {{"centre", 1}}, Errc::range), HasSubstr("two or more"));
  EXPECT_NE(error_of("recon.homodyne", {{"in", p.kspace}}, {{"axes", "y"}, {"centre", 32}}, Errc::range), "");
  EXPECT_NE(error_of("recon.homodyne", {{"in", run("math.abs", {{"in", p.kspace}})}}, {{"centre", 32}}, Errc::type),
            "");
}

}  // namespace
}  // namespace larmor::nodes::test
