// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/io/ismrmrd.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <numbers>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Value size(std::initializer_list<double> n) { return Value::List(n.begin(), n.end()); }

struct Scan {
  Value object, maps, kspace;
};
Scan scan(double noise = 0, int n = 48, int coils = 6) {
  Scan s;
  const double m = n;
  s.object = run("phantom.shepp_logan", {}, {{"size", size({m, m})}});
  s.maps = run("phantom.coils", {{"like", s.object}}, {{"coils", coils}}, "maps");
  s.kspace = run("fourier.fft", {{"in", run("math.multiply", {{"a", s.object}, {"b", s.maps}})}});
  if (noise > 0) s.kspace = run("phantom.add_noise", {{"in", s.kspace}}, {{"sd", noise}});
  return s;
}
double relative(const Value& a, const Value& b) {
  const auto x = complex_values(array(a)), y = complex_values(array(b));
  EXPECT_EQ(x.size(), y.size());
  double d = 0, n = 0;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) d += std::norm(x[i] - y[i]), n += std::norm(y[i]);
  return std::sqrt(d / n);
}
Value magnitude(const Value& v) { return run("math.abs", {{"in", v}}); }

TEST(ReconUndersample, LeavesWhatItSays) {
  const auto s = scan();
  const auto out = run_all("recon.undersample", {{"in", s.kspace}}, {{"factors", "y=3"}, {"calibration", 12}});
  EXPECT_NEAR(out.at("kept").number(), (16 + 8) / 48.0, 1e-9);
  EXPECT_EQ(array(out.at("mask")).axes(), Axes{"y"});
  EXPECT_EQ(out.at("out").type(), "image");
  EXPECT_NE(error_of("recon.undersample", {{"in", s.kspace}}, {{"factors", ""}}, Errc::usage), "");
  EXPECT_NE(error_of("recon.undersample", {{"in", s.kspace}}, {{"factors", "y=49"}}, Errc::range), "");
  EXPECT_NE(error_of("recon.undersample", {{"in", s.kspace}}, {{"factors", "t=2"}}, Errc::unknown_name), "");
}

TEST(ReconSense, UnfoldsInPlace) {
  const auto s = scan();
  const Value k = run("recon.undersample", {{"in", s.kspace}}, {{"factors", "y=3"}});
  const auto out = run_all("recon.sense", {{"in", k}, {"maps", s.maps}});
  EXPECT_LT(relative(out.at("out"), s.object), 1e-4);  // single precision times the noise factor
  EXPECT_EQ(image(out.at("out")).affine.distance(image(s.object).affine), 0);
  for (const double g : values(array(out.at("g")))) ASSERT_GE(g, 1 - 1e-5);
  // Told the factor, it looks over calibration lines.
  const Value more = run("recon.undersample", {{"in", s.kspace}}, {{"factors", "y=3"}, {"calibration", 12}});
  EXPECT_LT(relative(run("recon.sense", {{"in", more}, {"maps", s.maps}}, {{"factors", "y=3"}}), s.object), 1e-4);
  EXPECT_THAT(error_of("recon.sense", {{"in", more}, {"maps", s.maps}}, {}, Errc::range), HasSubstr("recon.pics"));
  EXPECT_NE(error_of("recon.sense", {{"in", k}, {"maps", s.maps}}, {{"factors", "coil=2"}}, Errc::usage), "");
  EXPECT_NE(error_of("recon.sense", {{"in", k}, {"maps", s.maps}}, {{"axis", "channel"}}, Errc::unknown_name), "");
}

TEST(ReconEspirit, MapsCombineAndUnfold) {
  const auto s = scan(0.002);
  const auto out = run_all("recon.espirit", {{"in", s.kspace}});
  const Value images = run("fourier.ifft", {{"in", s.kspace}});
  const Value combined = run("recon.coil_combine", {{"in", images}, {"maps", out.at("maps")}});
  const Value unfolded = run("recon.sense", {{"in", run("recon.undersample", {{"in", s.kspace}}, {{"factors", "x=2"}})},
                                             {"maps", out.at("maps")}});
  EXPECT_LT(relative(unfolded, combined), 0.1);
  EXPECT_EQ(out.at("eigenvalues").type(), "image");
  const Value low = run("recon.lowres_maps", {{"in", s.kspace}}, {}, "maps");
  EXPECT_EQ(array(low).axes(), array(s.kspace).axes());
  EXPECT_NE(error_of("recon.espirit", {{"in", s.kspace}}, {{"axes", "x"}}, Errc::range), "");
  EXPECT_NE(error_of("recon.lowres_maps", {{"in", magnitude(s.kspace)}}, {}, Errc::type), "");
}

TEST(ReconGrappa, FillsKspace) {
  const auto s = scan(0.001);
  const Value k = run("recon.undersample", {{"in", s.kspace}}, {{"factors", "y=2"}, {"calibration", 20}});
  const auto out = run_all("recon.grappa", {{"in", k}});
  const auto rss = [](const Value& v) { return run("recon.rss", {{"in", run("fourier.ifft", {{"in", v}})}}); };
  EXPECT_LT(relative(rss(out.at("out")), rss(s.kspace)), 0.25 * relative(rss(k), rss(s.kspace)));
  EXPECT_NE(error_of("recon.grappa", {{"in", s.kspace}}, {}, Errc::range), "");
}

TEST(ReconPics, ReachesTheObjectAndShowsItsWay) {
  const auto s = scan(0.002);
  const auto under =
      run_all("recon.undersample", {{"in", s.kspace}}, {{"factors", "y=3"}, {"calibration", 8}, {"random", true}});
  const auto cg = run_all("recon.pics", {{"in", under.at("out")}, {"maps", s.maps}, {"mask", under.at("mask")}},
                          {{"iterations", 20}, {"keep_every", 5}, {"tolerance", 0.0}});
  // A third of k-space, eight lines of it in the middle, drawn once: least squares leaves 0.252 of the phantom's sharp
  // edges, whatever the instruction set; it is the penalties below that bring edges back. Zeros leave 0.4 and more.
  EXPECT_LT(relative(cg.at("out"), s.object), 0.27);
  const Value zeros =
      run("recon.coil_combine", {{"in", run("fourier.ifft", {{"in", under.at("out")}})}, {"maps", s.maps}});
  EXPECT_GT(relative(zeros, s.object), 0.4);
  EXPECT_EQ(array(cg.at("iterates")).axes().back(), "iteration");
  EXPECT_EQ(array(cg.at("iterates")).shape().back(), 5);
  const auto cost = flow::ValueTraits<Curve>::from(cg.at("cost"));
  ASSERT_EQ(cost.x.size(), 21u);
  EXPECT_LT(cost.y[0].back(), cost.y[0].front());
  // The sampling is found in the data when it is not told.
  const Value found =
      run("recon.pics", {{"in", under.at("out")}, {"maps", s.maps}}, {{"iterations", 20}, {"tolerance", 0.0}});
  EXPECT_LT(relative(found, cg.at("out")), 1e-4);
  const Value sparse = run("recon.pics", {{"in", under.at("out")}, {"maps", s.maps}},
                           {{"solver", "fista"}, {"wavelet", 2e-3}, {"iterations", 60}});
  const Value flat = run("recon.pics", {{"in", under.at("out")}, {"maps", s.maps}},
                         {{"solver", "admm"}, {"tv", 2e-3}, {"iterations", 40}});
  EXPECT_LT(relative(sparse, s.object), relative(cg.at("out"), s.object));
  EXPECT_LT(relative(flat, s.object), relative(cg.at("out"), s.object));
  Array damaged = array(s.maps).cast(DType::c64).clone();
  damaged.data<std::complex<float>>()[1] = NAN;
  EXPECT_THAT(error_of("recon.pics", {{"in", s.kspace}, {"maps", damaged}}, {}, Errc::range),
              HasSubstr("of the sensitivities are NaN or infinite, the first at x 1"));
  EXPECT_THAT(error_of("recon.pics", {{"in", s.kspace}, {"maps", s.maps}}, {{"tv", 0.1}}, Errc::usage),
              HasSubstr("admm"));
}

TEST(ReconPics, TimesShareTheirSensitivitiesAndLowRank) {
  const auto s = scan(0, 24, 4);
  const Value twice =
      run("array.repeat", {{"in", run("array.add_axis", {{"in", s.kspace}}, {{"name", "t"}})}}, {{"times", "t=3"}});
  const Value out = run("recon.pics", {{"in", twice}, {"maps", s.maps}}, {{"iterations", 30}, {"tolerance", 0.0}});
  EXPECT_EQ(array(out).extent(array(out).axis("t")), 3);
  EXPECT_LT(relative(run("array.slice", {{"in", out}}, {{"axis", "t"}, {"index", 1}}), s.object), 1e-3);
  const Value low = run("recon.pics", {{"in", twice}, {"maps", s.maps}},
                        {{"solver", "fista"}, {"low_rank", 1e-4}, {"iterations", 30}});
  EXPECT_LT(relative(low, out), 0.02);
}

Trajectory spokes(int n, int arms) {
  Trajectory traj;
  traj.k = Array(DType::f32, {2 * n, arms, 2}, {"sample", "arm", "d"});
  traj.matrix = {n, n};
  for (int a = 0; a < arms; ++a)
    for (int i = 0; i < 2 * n; ++i) {
      const double r = 0.5 * (i - n), angle = std::numbers::pi * a / arms;
      traj.k.data<float>()[i + 2 * n * a] = static_cast<float>(r * std::cos(angle));
      traj.k.data<float>()[i + 2 * n * (a + arms)] = static_cast<float>(r * std::sin(angle));
    }
  return traj;
}

TEST(ReconCgSense, ImagesOfExactSamples) {
  const Value traj = flow::ValueTraits<Trajectory>::to(spokes(48, 30));
  const auto data = run_all("phantom.coil_samples", {{"traj", traj}});
  EXPECT_THAT(array(data.at("samples")).axes(), ElementsAre("sample", "arm", "coil"));
  const auto out =
      run_all("recon.cg_sense", {{"samples", data.at("samples")}, {"traj", traj}, {"maps", data.at("maps")}},
              {{"iterations", 20}});
  // A resolution of 48 voxels leaves ringing at the edges of the object.
  EXPECT_LT(relative(magnitude(out.at("out")), data.at("object")), 0.2);
  const Value faster =
      run("recon.cg_sense", {{"samples", data.at("samples")}, {"traj", traj}, {"maps", data.at("maps")}},
          {{"iterations", 20}, {"preconditioner", "circulant"}});
  EXPECT_LT(relative(faster, out.at("out")), 0.1);
  const Value short_samples = run("array.crop", {{"in", data.at("samples")}}, {{"ranges", "arm=0:29"}});
  EXPECT_THAT(error_of("recon.cg_sense", {{"samples", short_samples}, {"traj", traj}, {"maps", data.at("maps")}}, {},
                       Errc::shape),
              HasSubstr("29"));
  EXPECT_NE(error_of("recon.cg_sense", {{"samples", data.at("samples")}, {"traj", traj}, {"maps", data.at("maps")}},
                     {{"preconditioner", "circulant"}, {"solver", "lsmr"}}, Errc::usage),
            "");
  EXPECT_NE(error_of("phantom.coil_samples", {{"traj", traj}}, {{"u", 5.0}}, Errc::range), "");
}

TEST(ReconPrewhiten, AndCompressedCoils) {
  const auto s = scan();
  const Array noise = random({4000, 6}, {"sample", "coil"}, DType::c64, 3);
  const auto out = run_all("recon.prewhiten", {{"in", s.kspace}, {"noise", noise}});
  EXPECT_THAT(array(out.at("covariance")).shape(), ElementsAre(6, 6));
  // Noise of sd 1 in both parts has variance 2, so signals shrink by the root of it.
  EXPECT_LT(relative(run("math.multiply", {{"a", out.at("out")}}, {{"value", std::sqrt(2.0)}}), s.kspace), 0.1);
  for (const char* method : {"svd", "geometric"}) {
    const auto few = run_all("recon.compress_coils", {{"in", s.kspace}}, {{"coils", 4}, {"method", method}});
    EXPECT_GT(few.at("kept").number(), 0.9) << method;
    EXPECT_EQ(array(few.at("out")).extent(array(few.at("out")).axis("coil")), 4);
  }
  EXPECT_NE(error_of("recon.compress_coils", {{"in", s.kspace}}, {{"coils", 7}}, Errc::range), "");
  EXPECT_NE(error_of("recon.prewhiten", {{"in", s.kspace}, {"noise", random({3, 6}, {"sample", "coil"}, DType::c64)}},
                     {}, Errc::range),
            "");
}

TEST(ReconPocs, NearerThanZeroFilling) {
  const auto s = scan();
  const Value k = run("fourier.fft", {{"in", s.object}});
  const Value part = run("array.crop", {{"in", k}}, {{"ranges", "x=18:"}});
  const auto out = run_all("recon.pocs", {{"in", part}}, {{"centre", 6}});
  const Value zero = run("fourier.ifft", {{"in", run("recon.homodyne", {{"in", part}}, {{"centre", 6}}, "kspace")}});
  EXPECT_LT(relative(magnitude(out.at("out")), s.object), 0.7 * relative(magnitude(zero), s.object));
  EXPECT_GT(flow::ValueTraits<Curve>::from(out.at("change")).x.size(), 1u);
  EXPECT_NE(error_of("recon.pocs", {{"in", part}}, {{"centre", 1}}, Errc::range), "");
}

TEST(IoIsmrmrd, OperationsReadWhatTheyWrite) {
  if (!io::has_ismrmrd()) GTEST_SKIP() << "built without ISMRMRD";
  const auto file =
      (std::filesystem::temp_directory_path() / ("larmor_ops_" + std::to_string(::getpid()) + ".h5")).string();
  const auto s = scan(0, 16, 3);
  const Value plain = run("array.squeeze", {{"in", run("image.to_array", {{"in", s.kspace}})}});
  run("io.write_ismrmrd", {{"kspace", plain}, {"noise", random({50, 3}, {"sample", "coil"}, DType::c64)}},
      {{"path", file}}, "file");
  const auto back = run_all("io.read_ismrmrd", {}, {{"path", file}});
  EXPECT_EQ(gap(array(back.at("kspace")), array(plain).cast(DType::c64)), 0);
  EXPECT_EQ(array(back.at("noise")).extent(0), 50);
  EXPECT_TRUE(array(back.at("calibration")).empty());
  const Value traj = flow::ValueTraits<Trajectory>::to(spokes(16, 5));
  const auto data = run_all("phantom.coil_samples", {{"traj", traj}}, {{"coils", 2}});
  run("io.write_ismrmrd", {{"kspace", data.at("samples")}, {"traj", traj}}, {{"path", file}}, "file");
  const auto again = run_all("io.read_ismrmrd", {}, {{"path", file}});
  EXPECT_EQ(gap(array(again.at("kspace")), array(data.at("samples"))), 0);
  EXPECT_EQ(flow::ValueTraits<Trajectory>::from(again.at("traj")).matrix, (std::vector<std::int64_t>{16, 16}));
  std::filesystem::resize_file(file, 3000);
  EXPECT_THAT(error_of("io.read_ismrmrd", {}, {{"path", file}}, Errc::format), HasSubstr(file));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace larmor::nodes::test
