// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <Eigen/Dense>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/recon/operators/basic_ops.hpp>
#include <larmor/recon/solvers/solve.hpp>

#include "../support.hpp"

namespace larmor::recon {
namespace {

using test::C;
using test::error_of;
using test::random;
using testing::HasSubstr;

// A dense matrix as an operator: small problems whose answers are known.
class Dense final : public LinearOp {
 public:
  explicit Dense(Eigen::MatrixXcd m)
      : LinearOp("dense", {{m.cols()}, {"x"}, DType::c128}, {{m.rows()}, {"sample"}, DType::c128}), m_(std::move(m)) {}
  const Eigen::MatrixXcd& matrix() const { return m_; }

 protected:
  Array run(const Array& x, const Cancel*) const override { return array(m_ * vector(x), range()); }
  Array run_adjoint(const Array& y, const Cancel*) const override { return array(m_.adjoint() * vector(y), domain()); }

 private:
  static Eigen::VectorXcd vector(const Array& a) { return Eigen::Map<const Eigen::VectorXcd>(a.data<C>(), a.size()); }
  static Array array(const Eigen::VectorXcd& v, const Space& s) {
    return Array::from<C>({v.data(), static_cast<std::size_t>(v.size())}, s.shape, s.axes);
  }
  Eigen::MatrixXcd m_;
};

struct Problem {
  Dense A;
  Array y;
};
Problem problem(int rows = 30, int columns = 12) {
  const Array m = random({rows, columns}, {"r", "c"}, DType::c128, 3);
  return {Dense(Eigen::Map<const Eigen::MatrixXcd>(m.data<C>(), rows, columns)), random({rows}, {"sample"})};
}
Array dense_answer(const Problem& p, double l2) {
  const auto& A = p.A.matrix();
  const Eigen::MatrixXcd M = A.adjoint() * A + l2 * Eigen::MatrixXcd::Identity(A.cols(), A.cols());
  const Eigen::VectorXcd x = M.llt().solve(A.adjoint() * Eigen::Map<const Eigen::VectorXcd>(p.y.data<C>(), p.y.size()));
  return Array::from<C>({x.data(), static_cast<std::size_t>(x.size())}, {x.size()}, {"x"});
}
double cost(const LinearOp& A, const Array& x, const Array& y, double l2) {
  const double r = norm(combination(1, A.forward(x), -1, y)), s = norm(x);
  return 0.5 * (r * r + l2 * s * s);
}

TEST(ConjugateGradients, NStepsGiveTheDenseAnswer) {
  const auto p = problem();
  for (const double l2 : {0.0, 2.0}) {
    CgOptions o{{.iterations = 12, .tolerance = 0}, l2, {}};
    const auto s = conjugate_gradients(p.A, p.y, o);
    // 12 unknowns, so 12 steps in exact arithmetic; a condition of the normal equations of about 20 costs few digits.
    EXPECT_LT(test::relative_gap(s.x, dense_answer(p, l2)), 1e-9) << l2;
    ASSERT_EQ(s.residual.size(), 13u);
    EXPECT_GT(s.residual[11], 10 * s.residual[12]);
    EXPECT_NEAR(s.cost.back(), cost(p.A, s.x, p.y, l2), 1e-10 * s.cost[0]);
    for (std::size_t i = 1; i < s.cost.size(); ++i) EXPECT_LE(s.cost[i], s.cost[i - 1] * (1 + 1e-12));
  }
}

TEST(ConjugateGradients, AnExactPreconditionerNeedsOneStep) {
  const auto p = problem();
  const auto& A = p.A.matrix();
  const Eigen::MatrixXcd inverse = (A.adjoint() * A).inverse();
  const CgOptions o{{.iterations = 1}, 0, [&](const Array& r) {
                      const Eigen::VectorXcd v = inverse * Eigen::Map<const Eigen::VectorXcd>(r.data<C>(), r.size());
                      return Array::from<C>({v.data(), static_cast<std::size_t>(v.size())}, r.shape(), r.axes());
                    }};
  EXPECT_LT(test::relative_gap(conjugate_gradients(p.A, p.y, o).x, dense_answer(p, 0)), 1e-12);
}

TEST(ConjugateGradients, StartsWhereItIsTold) {
  const auto p = problem();
  const CgOptions o{{.iterations = 5, .start = dense_answer(p, 1.5)}, 1.5, {}};
  const auto s = conjugate_gradients(p.A, p.y, o);
  EXPECT_LT(test::relative_gap(s.x, o.start), 1e-12);
  EXPECT_NEAR(s.cost[0], cost(p.A, o.start, p.y, 1.5), 1e-10);
  // Zero data: the answer is there before the first iteration.
  const auto zero = conjugate_gradients(p.A, Array(DType::c128, {30}, {"sample"}), {});
  EXPECT_TRUE(zero.converged);
  EXPECT_EQ(zero.iterations, 0);
  EXPECT_EQ(norm(zero.x), 0);
}

TEST(LeastSquares, LsqrAndLsmrGiveTheAnswerOfConjugateGradients) {
  const auto p = problem();
  for (const double l2 : {0.0, 2.0}) {
    const LsOptions o{{.iterations = 40, .tolerance = 1e-14}, l2};
    const auto a = lsqr(p.A, p.y, o), b = lsmr(p.A, p.y, o);
    EXPECT_LT(test::relative_gap(a.x, dense_answer(p, l2)), 1e-9);
    EXPECT_LT(test::relative_gap(b.x, dense_answer(p, l2)), 1e-9);
    EXPECT_NEAR(a.cost.back(), cost(p.A, a.x, p.y, l2), 1e-10 * a.cost[0]);
    EXPECT_NEAR(b.cost.back(), cost(p.A, b.x, p.y, l2), 1e-10 * b.cost[0]);
    // LSQR: the residual never rises; LSMR: nor does that of the normal equations.
    for (std::size_t i = 1; i < a.residual.size(); ++i) EXPECT_LE(a.residual[i], a.residual[i - 1] * (1 + 1e-12));
    for (std::size_t i = 1; i < b.residual.size(); ++i) EXPECT_LE(b.residual[i], b.residual[i - 1] * (1 + 1e-12));
  }
}

TEST(LeastSquares, CostsAreTrueInEveryIteration) {
  const auto p = problem();
  for (const auto solve : {lsqr, lsmr}) {
    LsOptions o{{.iterations = 6, .tolerance = 0, .keep_every = 1}, 0.7};
    const auto s = solve(p.A, p.y, o);
    ASSERT_EQ(s.kept.size(), 7u);
    for (std::size_t i = 0; i < s.kept.size(); ++i)
      EXPECT_NEAR(s.cost[i], cost(p.A, s.kept[i], p.y, 0.7), 1e-10 * s.cost[0]) << i;
  }
  const LsOptions both{{.start = Array(DType::c128, {12}, {"x"})}, 1};
  EXPECT_NE(error_of(Errc::usage, [&] { lsqr(p.A, p.y, both); }), "");
  const LsOptions from{{.iterations = 40, .start = random({12}, {"x"}, DType::c128, 8)}, 0};
  EXPECT_LT(test::relative_gap(lsmr(p.A, p.y, from).x, dense_answer(p, 0)), 1e-5);
}

TEST(LeastSquares, LsmrStandsAConditionThatSquaredIsLost) {
  // Singular values from 1 to 1e-7 in single digits: normal equations of 1e-14.
  Eigen::MatrixXcd m = Eigen::MatrixXcd::Zero(16, 8);
  for (int i = 0; i < 8; ++i) m(i, i) = std::pow(10.0, -i);
  const Dense A(m);
  Array truth(DType::c128, {8}, {"x"});
  for (auto& v : truth.span<C>()) v = 1;
  const LsOptions o{{.iterations = 200, .tolerance = 0}, 0};
  EXPECT_LT(test::relative_gap(lsmr(A, A.forward(truth), o).x, truth), 1e-6);
}

// Proximal maps against their definition: no other point nearby has a lower value.
TEST(Penalties, ProximalMapsAreLeast) {
  const Space s{{8, 6, 3}, {"x", "y", "t"}, DType::c128};
  const auto all = {l1(0.3), l1_wavelet(s, {"x", "y"}, 0.3, {.moments = 2, .levels = 1}, false),
                    locally_low_rank(s, {"x", "y"}, "t", 4, 0.4, false)};
  for (const auto& p : all) {
    const Array v = random_vector(s, 2), u = p.prox(v, 1.7, 0);
    const auto value = [&](const Array& w) {
      const double d = norm(combination(1, w, -1, v));
      return 1.7 * p.value(w) + 0.5 * d * d;
    };
    const double least = value(u);
    EXPECT_LT(least, value(v)) << p.name;
    for (unsigned seed = 0; seed < 20; ++seed)
      EXPECT_GE(value(combination(1, u, 1e-3, random_vector(s, 100 + seed))), least) << p.name;
    // A large step leaves nothing, none leaves all.
    EXPECT_LT(norm(p.prox(v, 1e3, 0)), 1e-9) << p.name;
    EXPECT_LT(test::relative_gap(p.prox(v, 0, 0), v), 1e-12) << p.name;
  }
  const auto tv = total_variation(s, {"x", "y"}, 0.3);
  const Array v = random_vector(tv.transform->range(), 2), u = tv.prox(v, 2, 0);
  const auto value = [&](const Array& w) {
    const double d = norm(combination(1, w, -1, v));
    return 2 * tv.value(w) + 0.5 * d * d;
  };
  for (unsigned seed = 0; seed < 20; ++seed)
    EXPECT_GE(value(combination(1, u, 1e-3, random_vector(Space::of(v), 100 + seed))), value(u));
  EXPECT_NE(error_of(Errc::range, [] { l1(-1); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { locally_low_rank(s, {"x"}, "t", 0, 1); }), "");
  EXPECT_NE(error_of(Errc::usage, [&] { locally_low_rank(s, {"x"}, "x", 2, 1); }), "");
}

TEST(Penalties, ShiftsMoveTheBlocksAndNothingElse) {
  const Space s{{16, 15}, {"x", "y"}, DType::c128};
  const auto p = l1_wavelet(s, {"x", "y"}, 0.3);
  const Array v = random_vector(s, 2);
  EXPECT_LT(test::relative_gap(p.prox(v, 0, 5), v), 1e-12);
  EXPECT_GT(test::relative_gap(p.prox(v, 1, 5), p.prox(v, 1, 6)), 1e-3);
  const Space dynamic{{10, 9, 4}, {"x", "y", "t"}, DType::c64};
  const auto low = locally_low_rank(dynamic, {"x", "y"}, "t", 4, 0.3);
  const Array w = random_vector(dynamic, 3);
  EXPECT_LT(test::relative_gap(low.prox(w, 0, 3), w), 1e-5);
}

TEST(LocallyLowRank, KeepsWhatHasLowRank) {
  // One time course in every voxel: rank 1. Noise on it has all ranks.
  const Space s{{16, 16, 8}, {"x", "y", "t"}, DType::c128};
  Array truth = s.zeros();
  for (int t = 0; t < 8; ++t)
    for (int i = 0; i < 256; ++i) truth.data<C>()[i + 256 * t] = (1.0 + i % 7) * std::exp(C(-0.3, 0.2) * double(t));
  const Array noisy = combination(1, truth, 0.3, random_vector(s, 4));
  const auto p = locally_low_rank(s, {"x", "y"}, "t", 8, 1, false);
  // Noise matrices of 64 x 8, sd 0.3 in both parts: singular values up to 0.3 sqrt(2) (8 + sqrt 8) = 4.6.
  // Rank 1 of 64 x 8 has (64 + 8 - 1) / 512 of the noise's energy; the rest is the shrinking of the one that stays.
  EXPECT_LT(test::relative_gap(p.prox(noisy, 4.6, 0), truth), 0.65 * test::relative_gap(noisy, truth));
}

TEST(Fista, ReachesTheClosedFormOfAnOrthogonalProblem) {
  const Space s{{16, 16}, {"x", "y"}, DType::c128};
  const Op F = fourier_op(s, {"x", "y"});
  const Array y = random_vector(s, 5);
  const auto p = l1(0.4);
  const auto got = fista(*F, y, p, {{.iterations = 60, .tolerance = 1e-12}});
  EXPECT_LT(test::relative_gap(got.x, soft_threshold(F->adjoint(y), 0.4)), 1e-9);
}

TEST(Fista, CostFallsAsTheSquareOfIterations) {
  // Beck and Teboulle's theorem 4.4: F(x_k) - F* <= 2 L |x_0 - x*|^2 / (k + 1)^2.
  const auto p = problem(20, 24);  // fewer data than unknowns: not strongly convex
  const auto penalty = l1(0.5);
  const auto star = fista(p.A, p.y, penalty, {{.iterations = 20000, .tolerance = 1e-14}});
  const auto s = fista(p.A, p.y, penalty, {{.iterations = 40, .tolerance = 0}});
  const auto slow = fista(p.A, p.y, penalty, {{.iterations = 40, .tolerance = 0}, 0, 0, false});
  const double L = 1.05 * normal_norm(p.A, 200), distance = norm(star.x), best = star.cost.back();
  for (std::size_t k = 1; k < s.cost.size(); ++k)
    EXPECT_LE(s.cost[k] - best, 2 * L * distance * distance / std::pow(static_cast<double>(k) + 1, 2)) << k;
  EXPECT_LT(s.cost.back() - best, 0.5 * (slow.cost.back() - best));
  // At the least |A^H (y - A x)| is 0.5 where x is not 0, and at most that elsewhere.
  const auto g = test::complex_values(p.A.adjoint(combination(1, p.y, -1, p.A.forward(star.x))));
  const auto x = test::complex_values(star.x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_LE(std::abs(g[i]), 0.5 + 1e-6);
    if (std::abs(x[i]) > 1e-6) {
      EXPECT_LT(std::abs(g[i] - 0.5 * x[i] / std::abs(x[i])), 1e-6);
    }
  }
  EXPECT_THAT(error_of(Errc::usage, [&] { fista(p.A, p.y, total_variation(p.A.domain(), {"x"}, 1)); }),
              HasSubstr("use admm"));
}

TEST(Admm, AgreesWithFista) {
  const auto p = problem(20, 24);
  const auto a = fista(p.A, p.y, l1(0.5), {{.iterations = 20000, .tolerance = 1e-13}});
  AdmmOptions o;
  o.iterations = 600, o.tolerance = 1e-9, o.inner = 40;
  const auto b = admm(p.A, p.y, {l1(0.5)}, o);
  EXPECT_NEAR(b.cost.back(), a.cost.back(), 1e-6 * a.cost.back());
  EXPECT_LT(test::relative_gap(b.x, a.x), 1e-3);
}

TEST(Admm, TotalVariationKeepsStepsAndTakesNoise) {
  // Strong & Chan 2003: a disc's jump falls by the weight times perimeter over area of each side; edges stay where
  // they are. Here: two halves of a ring of 64, heights 0 and 4, each with 2 edges over 32 pixels: 2 w / 32 each.
  const Space line{{64}, {"x"}, DType::c128};
  Array step = line.zeros();
  for (int i = 16; i < 48; ++i) step.data<C>()[i] = 4;
  AdmmOptions o;
  o.iterations = 1500, o.tolerance = 0, o.rho = 1, o.inner = 30;
  const auto s = admm(*identity_op(line), step, {total_variation(line, {"x"}, 0.8)}, o);
  const auto v = test::complex_values(s.x);
  for (int i = 0; i < 64; ++i) {
    const double expected = i >= 16 && i < 48 ? 4 - 2 * 0.8 / 32 : 2 * 0.8 / 32;
    EXPECT_NEAR(v[static_cast<std::size_t>(i)].real(), expected, 1e-5) << i;
  }
  // A piecewise constant picture from noise: nearer to the truth than what was seen.
  const Space plane{{32, 32}, {"x", "y"}, DType::c64};
  Array truth = plane.zeros();
  for (int i = 0; i < 1024; ++i) truth.data<std::complex<float>>()[i] = (i % 32 > 8 && i / 32 > 12) ? 2.0f : 0.5f;
  const Array noisy = combination(1, truth, 0.2, random_vector(plane, 5));
  AdmmOptions q;
  q.iterations = 60;
  const auto clean = admm(*identity_op(plane), noisy, {total_variation(plane, {"x", "y"}, 0.35)}, q);
  EXPECT_LT(test::relative_gap(clean.x, truth), 0.35 * test::relative_gap(noisy, truth));
}

TEST(Solvers, IteratesAreSeenAndWorkCanBeStopped) {
  const auto p = problem();
  std::vector<int> seen;
  CgOptions o{{.iterations = 6, .tolerance = 0, .keep_every = 2}, 0, {}};
  o.watch = [&](int i, const Array&) { seen.push_back(i); };
  const auto s = conjugate_gradients(p.A, p.y, o);
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6));
  ASSERT_EQ(s.kept.size(), 4u);
  EXPECT_EQ(norm(s.kept[0]), 0);
  EXPECT_EQ(test::relative_gap(s.kept[3], s.x), 0);
  Cancel cancel;
  o.cancel = &cancel;
  o.watch = [&](int i, const Array&) {
    if (i == 2) cancel.request();
  };
  EXPECT_NE(error_of(Errc::cancelled, [&] { conjugate_gradients(p.A, p.y, o); }), "");
}

TEST(Solvers, SayWhatIsWrong) {
  const auto p = problem();
  EXPECT_THAT(error_of(Errc::shape, [&] { conjugate_gradients(p.A, random({29}, {"sample"}), {}); }),
              HasSubstr("(29 sample) on cpu and dense gives c128 (30 sample)"));
  Array nan = p.y.clone();
  nan.data<C>()[7] = NAN;
  EXPECT_THAT(error_of(Errc::range, [&] { lsmr(p.A, nan, {}); }), HasSubstr("1 of 30 numbers of the data are NaN"));
  EXPECT_NE(error_of(Errc::range, [&] { conjugate_gradients(p.A, p.y, {{}, -1, {}}); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { conjugate_gradients(p.A, p.y, {{.iterations = -1}, 0, {}}); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { lsqr(p.A, p.y, {{.tolerance = NAN}, 0}); }), "");
  EXPECT_NE(error_of(Errc::shape, [&] { conjugate_gradients(p.A, p.y, {{.start = p.y}, 0, {}}); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { admm(p.A, p.y, {l1(1)}, {{}, 0, 0, 6}); }), "");
  Array huge = p.y.clone();
  scale(1e300, huge);
  EXPECT_NE(error_of(Errc::numeric, [&] { conjugate_gradients(p.A, huge, {}); }), "");
}

}  // namespace
}  // namespace larmor::recon
