// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <larmor/nodes/values/trajectory.hpp>
#include <random>

#include "../../run_op.hpp"

namespace larmor::test {
namespace {

using flow::Value;
using C = std::complex<float>;

Value positions() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> in(-0.5, 0.5);
  Array k = Array::of<double>({40, 8, 2}, {"sample", "arm", "d"});
  for (std::int64_t i = 0; i < k.size(); ++i) k.data<double>()[i] = in(random) * (i < 320 ? 20 : 24);
  return flow::ValueTraits<Trajectory>::to({.k = k, .matrix = {20, 24}});
}
Array noise(Shape shape, Axes axes) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  Array a = Array::of<C>(std::move(shape), std::move(axes));
  for (auto& v : a.span<C>()) v = {normal(random), normal(random)};
  return a;
}
Array made(const std::string& id, std::map<std::string, Value> inputs, std::map<std::string, Value> settings = {}) {
  return flow::ValueTraits<Array>::from(run_op(id, std::move(inputs), std::move(settings)).at("out"));
}
double distance(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double dd = 0, qq = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    dd += std::norm(a.data<C>()[i] - b.data<C>()[i]), qq += std::norm(b.data<C>()[i]);
  return std::sqrt(dd / qq);
}

TEST(NufftOps, RunWhereTheEngineSays) {
  const Array samples = noise({40, 8, 3}, {"sample", "arm", "coil"}), image = noise({20, 24}, {"x", "y"});
  const std::map<std::string, Value> to_image{{"in", samples}, {"trajectory", positions()}},
      to_samples{{"in", image}, {"trajectory", positions()}};
  flow::Ports::Services on_cuda;
  on_cuda.device = Device::cuda();
  if (cuda_device_count() == 0) {
    try {
      run_op("recon.nufft_adjoint", to_image, {}, on_cuda);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::device);
    }
    GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  }
  for (const auto& [op, in] : {std::pair{"recon.nufft_adjoint", to_image}, {"recon.nufft_forward", to_samples}}) {
    const Array there = flow::ValueTraits<Array>::from(run_op(op, in, {}, on_cuda).at("out"));
    EXPECT_EQ(there.device(), Device::cpu());
    EXPECT_LE(distance(there, made(op, in)), 1e-5);
  }
}

TEST(NufftOps, AreTheExactSums) {
  const Array samples = noise({40, 8, 2}, {"sample", "arm", "coil"}), image = noise({20, 24, 2}, {"x", "y", "coil"});
  const Value traj = positions();
  const Array dcf = made("recon.dcf", {{"trajectory", traj}}, {{"iterations", 5}});
  EXPECT_EQ(dcf.axes(), (Axes{"sample", "arm"}));
  const std::map<std::string, Value> in{{"in", samples}, {"trajectory", traj}, {"dcf", dcf}};
  const Array exact = made("recon.dft_adjoint", in);
  EXPECT_EQ(exact.axes(), (Axes{"x", "y", "coil"}));
  EXPECT_LE(distance(made("recon.nufft_adjoint", in, {{"tolerance", 1e-5}}), exact), 1e-5);
  EXPECT_LE(distance(made("recon.nufft_forward", {{"in", image}, {"trajectory", traj}}, {{"tolerance", 1e-5}}),
                     made("recon.dft_forward", {{"in", image}, {"trajectory", traj}})),
            1e-5);
  // The classical steps; the window of 5 cells on 1.5 x leaves 1e-3.
  const std::map<std::string, Value> wide{{"width", 5.0}};
  const Value grid = run_op("recon.grid", in, wide).at("out");
  const Value gridded = run_op("fourier.ifft", {{"in", grid}}, {{"scaling", "none"}}).at("out");
  EXPECT_LE(distance(made("recon.rolloff", {{"in", gridded}, {"trajectory", traj}}, wide), exact), 3e-3);
  const Value before = run_op("recon.rolloff_before", {{"in", image}, {"trajectory", traj}}, wide).at("out");
  const Value there = run_op("fourier.fft", {{"in", before}}, {{"scaling", "none"}}).at("out");
  EXPECT_LE(distance(made("recon.degrid", {{"in", there}, {"trajectory", traj}}, wide),
                     made("recon.dft_forward", {{"in", image}, {"trajectory", traj}})),
            3e-3);
}

TEST(NufftOps, TakeWhatAProtocolSays) {
  const Array samples = noise({40, 8}, {"sample", "arm"});
  const Value traj = positions();
  const Value protocol = Value::record(
      "", {{"reconstruction_settings",
            Value::record("", {{"shift_y_pixels", 4.0}, {"density_compensation_iterations", 3.0}, {"taper", 0.5}})}});
  const Array moved = made("recon.nufft_adjoint", {{"in", samples}, {"trajectory", traj}, {"protocol", protocol}});
  const Array set =
      made("recon.nufft_adjoint", {{"in", samples}, {"trajectory", traj}}, {{"shift", Value::List{0.0, 4.0}}});
  EXPECT_LE(distance(moved, set), 1e-6);
  const Array dcf = made("recon.dcf", {{"trajectory", traj}, {"protocol", protocol}});
  const Array same = made("recon.dcf", {{"trajectory", traj}}, {{"iterations", 3}, {"taper", 0.5}});
  for (std::int64_t i = 0; i < dcf.size(); ++i) EXPECT_EQ(dcf.data<float>()[i], same.data<float>()[i]);
  EXPECT_THROW(made("recon.dcf", {{"trajectory", traj}, {"protocol", Value(3.0)}}), Error);
}

TEST(NufftOps, SayWhatIsWrong) {
  const Value traj = positions();
  EXPECT_THROW(made("recon.nufft_adjoint", {{"in", noise({39, 8}, {"sample", "arm"})}, {"trajectory", traj}}), Error);
  EXPECT_THROW(made("recon.nufft_adjoint", {{"in", noise({40, 8}, {"sample", "arm"})}, {"trajectory", traj}},
                    {{"size", Value::List{20.0}}}),
               Error);
  EXPECT_THROW(made("recon.nufft_adjoint", {{"in", noise({40, 8}, {"sample", "arm"})}, {"trajectory", traj}},
                    {{"size", Value::List{10.0, 24.0}}}),
               Error);
  EXPECT_THROW(made("recon.dcf", {{"trajectory", traj}}, {{"method", "voronoy"}}), Error);
}

}  // namespace
}  // namespace larmor::test
