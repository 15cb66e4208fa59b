// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/recon/operators/basic_ops.hpp>
#include <larmor/recon/operators/hankel.hpp>
#include <larmor/recon/operators/wavelet.hpp>
#include <map>

#include "../support.hpp"

namespace larmor::recon {
namespace {

using test::error_of;
using test::random;
using testing::HasSubstr;

Space image(DType type, Shape shape = {12, 9}, Axes axes = {"x", "y"}) { return {shape, axes, type}; }

Array mask(const Shape& shape, const Axes& axes) {
  Array out(DType::boolean, shape, axes);
  for (std::int64_t i = 0; i < out.size(); ++i) out.data<bool>()[i] = i % 3 != 1;
  return out;
}

// Every operator of the room, small, with odd and even lengths.
std::map<std::string, std::function<Op(DType)>> linear_ops() {
  const auto maps = [](DType t) { return random({12, 9, 3}, {"x", "y", "coil"}, t, 5); };
  const auto sense = [=](DType t) {
    const Op S = sensitivities_op(maps(t));
    return composed(weights_op(S->range(), mask({9}, {"y"})), composed(fourier_op(S->range(), {"x", "y"}), S));
  };
  return {
      {"identity", [](DType t) { return identity_op(image(t)); }},
      {"fourier",
       [](DType t) {
         return fourier_op(image(t, {12, 9, 5}, {"x", "y", "z"}), {"y", "x"});
       }},
      {"mask", [](DType t) { return weights_op(image(t), mask({9}, {"y"})); }},
      {"complex weights",
       [](DType t) {
         return weights_op(image(t), random({12, 9}, {"x", "y"}, t, 3));
       }},
      {"sensitivities", [=](DType t) { return sensitivities_op(maps(t)); }},
      {"two sets of sensitivities over time",
       [](DType t) {
         return sensitivities_op(random({12, 9, 3, 2}, {"x", "y", "coil", "map"}, t, 5), "coil", {4}, {"t"});
       }},
      {"differences",
       [](DType t) {
         return differences_op(image(t, {5, 4, 3}, {"x", "y", "z"}), {"x", "z"});
       }},
      {"wavelet",
       [](DType t) {
         return wavelet_op(image(t, {33, 20}), {"x", "y"}, {.moments = 4, .levels = 3});
       }},
      {"hankel",
       [](DType t) {
         return hankel_op(image(t, {7, 6, 2}, {"x", "y", "coil"}), {"x", "y"}, {3, 2});
       }},
      {"sense", sense},
      {"sum", [](DType t) { return sum(identity_op(image(t)), fourier_op(image(t), {"x"})); }},
      {"scaled", [](DType t) { return scaled(-2.5, fourier_op(image(t), {"x"})); }},
      {"adjoint", [=](DType t) { return adjoint_of(sense(t)); }},
      {"stacked",
       [](DType t) {
         return stacked({identity_op(image(t)), differences_op(image(t), {"x", "y"})});
       }},
  };
}

TEST(LinearOps, AdjointsAreAdjoint) {
  for (const auto& [id, make] : linear_ops()) {
    EXPECT_LT(adjoint_gap(*make(DType::c128)), 1e-13) << id;  // ~1e3 roundings of 1e-16
    EXPECT_LT(adjoint_gap(*make(DType::c64)), 1e-6) << id;    // the same of 6e-8, that partly cancel
  }
}

TEST(LinearOps, NormalIsAdjointOfForward) {
  for (const auto& [id, make] : linear_ops()) {
    const Op A = make(DType::c128);
    const Array x = random_vector(A->domain(), 3);
    EXPECT_LT(test::relative_gap(A->normal(x), A->adjoint(A->forward(x))), 1e-13) << id;
  }
}

TEST(LinearOps, ResultsAreNewAndInputsStay) {
  for (const auto& [id, make] : linear_ops()) {
    const Op A = make(DType::c64);
    const Array x = random_vector(A->domain(), 3), copy = x.clone();
    for (Array r : {A->forward(x), A->normal(x)}) {
      EXPECT_TRUE(r.contiguous()) << id;
      scale(0, r);
    }
    EXPECT_EQ(test::relative_gap(x, copy), 0) << id;
  }
}

TEST(LinearOps, SensitivitiesAreProducts) {
  const Array maps = random({4, 3, 2}, {"x", "coil", "y"}, DType::c128, 2), x = random({4, 2}, {"x", "y"});
  const Array y = sensitivities_op(maps)->forward(x);
  EXPECT_THAT(y.axes(), testing::ElementsAre("x", "y", "coil"));
  const auto got = test::complex_values(y), s = test::complex_values(maps), v = test::complex_values(x);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t k = 0; k < 8; ++k)
      EXPECT_LT(std::abs(got[k + 8 * c] - s[k % 4 + 4 * (c + 3 * (k / 4))] * v[k]), 1e-14);
}

TEST(LinearOps, HankelRowsAreWindows) {
  Array x(DType::c128, {3, 2, 2}, {"x", "y", "coil"});
  for (int i = 0; i < 12; ++i) x.data<test::C>()[i] = i;
  const Array h = hankel_op(Space::of(x), {"x", "y"}, {2, 2})->forward(x);
  ASSERT_THAT(h.shape(), testing::ElementsAre(2, 8));
  const auto v = test::complex_values(h);
  const double second_window[] = {1, 2, 4, 5, 7, 8, 10, 11};
  for (std::size_t e = 0; e < 8; ++e) EXPECT_EQ(v[1 + 2 * e], second_window[e]);
}

TEST(LinearOps, NormalNormIsTheLargestEigenvalue) {
  // Differences around a ring of 8: 4 sin^2(pi k / 8), 4 at most.
  const Op D = differences_op({{8}, {"x"}, DType::c128}, {"x"});
  EXPECT_NEAR(normal_norm(*D, 200), 4, 1e-6);
}

TEST(Daubechies, FiltersAreOrthogonalWithVanishingMoments) {
  for (int n = 1; n <= 10; ++n) {
    const auto h = daubechies_filter(n);
    ASSERT_EQ(h.size(), static_cast<std::size_t>(2 * n));
    for (int shift = 0; shift < n; ++shift) {
      double s = 0;
      for (std::size_t j = 0; j + static_cast<std::size_t>(2 * shift) < h.size(); ++j)
        s += h[j] * h[j + static_cast<std::size_t>(2 * shift)];
      EXPECT_NEAR(s, shift == 0, 1e-10) << n << " " << shift;  // roots of degree 9 lose digits
    }
    for (int m = 0; m < std::min(n, 4); ++m) {
      double s = 0, scale = 0;
      for (std::size_t j = 0; j < h.size(); ++j) {
        const double term = std::pow(static_cast<double>(j), m) * h[j];
        s += j % 2 ? -term : term, scale += std::abs(term);
      }
      EXPECT_LT(std::abs(s), 1e-8 * scale) << n << " moment " << m;
    }
  }
  // Two moments: (1 + sqrt 3) / (4 sqrt 2), in Daubechies' paper.
  EXPECT_NEAR(daubechies_filter(2)[0], (1 + std::sqrt(3.0)) / (4 * std::sqrt(2.0)), 1e-14);
  EXPECT_THAT(error_of(Errc::range, [] { daubechies_filter(11); }), HasSubstr("give 1 to 10"));
}

TEST(Wavelet, IsOrthogonalAndSparseOnSmooth) {
  for (const Shape& shape : {Shape{32, 32}, Shape{33, 47}, Shape{180, 230}, Shape{5, 3}}) {
    const Op W = wavelet_op({shape, {"x", "y"}, DType::c128}, {"x", "y"});
    const Array x = random(shape, {"x", "y"});
    const Array w = W->forward(x);
    EXPECT_NEAR(norm(w), norm(x), 1e-12 * norm(x));
    EXPECT_LT(test::relative_gap(W->adjoint(w), x), 1e-13);
    EXPECT_LT(test::relative_gap(W->forward(W->adjoint(x)), x), 1e-13);
  }
  // A constant has no detail: all energy lies in the low-pass corner.
  Array one(DType::c128, {64, 64}, {"x", "y"});
  for (auto& v : one.span<test::C>()) v = 1;
  const Array w = wavelet_op(Space::of(one), {"x", "y"}, {.moments = 2, .levels = 2})->forward(one);
  const auto v = test::complex_values(w);
  for (std::size_t y = 0; y < 64; ++y)
    for (std::size_t x = 0; x < 64; ++x) EXPECT_NEAR(std::abs(v[x + 64 * y]), x < 16 && y < 16 ? 4 : 0, 1e-12);
  EXPECT_THAT(error_of(Errc::range, [&] { wavelet_op(Space::of(one), {"x"}, {.levels = 7}); }), HasSubstr("1 to 6"));
}

TEST(LinearOps, SayWhatDoesNotFit) {
  const Op F = fourier_op(image(DType::c64), {"x"});
  EXPECT_THAT(error_of(Errc::shape,
                       [&] {
                         F->forward(random({12, 8}, {"x", "y"}, DType::c64));
                       }),
              HasSubstr("takes c64 (12 x, 9 y) and this is c64 (12 x, 8 y)"));
  EXPECT_THAT(error_of(Errc::shape, [&] { F->adjoint(random({12, 9}, {"x", "y"}, DType::c128)); }), HasSubstr("gives"));
  EXPECT_THAT(error_of(Errc::shape, [&] { composed(F, identity_op(image(DType::c128))); }), HasSubstr("c128"));
  EXPECT_NE(error_of(Errc::shape, [&] { sum(F, identity_op(image(DType::c128))); }), "");
  EXPECT_NE(error_of(Errc::shape, [&] { stacked({F, identity_op(image(DType::c128))}); }), "");
  EXPECT_NE(error_of(Errc::shape, [] { stacked({}); }), "");
  EXPECT_NE(error_of(Errc::unknown_name, [] { fourier_op(image(DType::c64), {"z"}); }), "");
  EXPECT_NE(error_of(Errc::range, [] { fourier_op(image(DType::c64), {}); }), "");
  EXPECT_THAT(error_of(Errc::shape, [] { weights_op(image(DType::c64), mask({8}, {"y"})); }),
              HasSubstr("8 of axis y for 9"));
  Array nan(DType::f32, {9}, {"y"});
  nan.data<float>()[3] = NAN;
  EXPECT_NE(error_of(Errc::range, [&] { weights_op(image(DType::c64), nan); }), "");
  EXPECT_NE(error_of(Errc::type, [&] { sensitivities_op(nan); }), "");
  EXPECT_NE(error_of(Errc::unknown_name, [] { sensitivities_op(random({4, 4}, {"x", "y"})); }), "");
  EXPECT_NE(error_of(Errc::shape, [] { sensitivities_op(random({4, 2}, {"x", "coil"}), "coil", {4}, {"x"}); }), "");
  EXPECT_NE(error_of(Errc::usage, [] { differences_op(image(DType::c64), {}); }), "");
  EXPECT_THAT(error_of(Errc::shape, [] { hankel_op(image(DType::c64), {"y"}, {10}); }),
              HasSubstr("10 along axis y of 9"));
  Cancel cancel;
  cancel.request();
  EXPECT_NE(error_of(Errc::cancelled, [&] { F->forward(random_vector(F->domain(), 1), &cancel); }), "");
}

TEST(Vectors, NaNIsNamedByItsPlace) {
  Array a = random({5, 4, 3}, {"x", "y", "coil"}, DType::c64);
  require_finite(a, "the data");
  a.data<std::complex<float>>()[2 + 5 * (3 + 4 * 1)] = {0, NAN};
  a.data<std::complex<float>>()[59] = {INFINITY, 0};
  EXPECT_THAT(error_of(Errc::range, [&] { require_finite(a, "the data"); }),
              HasSubstr("2 of 60 numbers of the data are NaN or infinite, the first at x 2, y 3, coil 1"));
}

}  // namespace
}  // namespace larmor::recon
