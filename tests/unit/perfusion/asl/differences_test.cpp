// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>
#include <numeric>

namespace larmor::asl {
namespace {

using testing::HasSubstr;

std::vector<Role> turns(std::size_t n, Role first = Role::label) {
  std::vector<Role> roles;
  for (std::size_t i = 0; i < n; ++i)
    roles.push_back((i % 2 == 0) == (first == Role::label) ? Role::label : Role::control);
  return roles;
}

const std::vector<std::string> all_methods{"difference.mean", "difference.pairwise", "difference.sinc",
                                           "difference.surround"};

TEST(AslDifferences, GiveControlMinusLabelOfConstantTissue) {
  EXPECT_EQ(difference_methods().ids(), all_methods);
  for (const auto& id : all_methods)
    for (const Role first : {Role::label, Role::control})
      for (const std::size_t n : {2u, 4u, 10u, 40u}) {
        const auto roles = turns(n, first);
        for (const auto& row : difference_methods().get(id).weights(roles)) {
          double sum = 0, difference = 0;
          for (std::size_t i = 0; i < n; ++i) sum += row[i], difference += roles[i] == Role::control ? row[i] : 0;
          EXPECT_NEAR(sum, 0, 1e-14) << id << n;         // static tissue goes
          EXPECT_NEAR(difference, 1, 1e-14) << id << n;  // what label takes stays
        }
      }
}

TEST(AslDifferences, DriftCancelsWhereTheMethodSaysSo) {
  const std::size_t n = 40;
  const auto roles = turns(n);
  const auto drift = [&](const std::vector<double>& row) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += row[i] * static_cast<double>(i);
    return sum;
  };
  for (const auto& row : difference_methods().get("difference.surround").weights(roles))
    EXPECT_NEAR(drift(row), 0, 1e-12);
  // Sinc: where its window is whole.
  const auto sinc = difference_methods().get("difference.sinc").weights(roles);
  for (std::size_t i = 17; i + 17 < n; ++i) EXPECT_NEAR(drift(sinc[i]), 0, 1e-12);
  // Pairs keep the drift of one volume: label first, so it is positive.
  for (const auto& row : difference_methods().get("difference.pairwise").weights(roles))
    EXPECT_NEAR(drift(row), 1, 1e-12);
}

TEST(AslDifferences, SincFollowsSlowFluctuations) {
  // A course of period 12 volumes, below the 4 that interpolation of every second volume can follow.
  const std::size_t n = 60;
  const auto roles = turns(n);
  const auto largest = [&](const std::string& id) {
    double most = 0;
    const auto rows = difference_methods().get(id).weights(roles);
    for (std::size_t r = rows.size() / 3; r < 2 * rows.size() / 3; ++r) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += rows[r][i] * std::sin(2 * M_PI * static_cast<double>(i) / 12);
      most = std::max(most, std::abs(sum));
    }
    return most;
  };
  EXPECT_LT(largest("difference.sinc"), 0.01);     // what the window lets through
  EXPECT_GT(largest("difference.surround"), 0.1);  // 1 - cos(2 pi / 12) = 0.134
  EXPECT_GT(largest("difference.pairwise"), 0.4);
}

TEST(AslDifferences, SumsAreOfEveryVoxelAndTiming) {
  const std::int64_t nv = 6;
  Array series(DType::f32, {3, 2, 1, 5}, {"x", "y", "z", "t"});
  for (std::int64_t i = 0; i < series.size(); ++i)
    series.data<float>()[i] = static_cast<float>(i % nv + 10 * (i / nv) * (i / nv));
  const std::vector<Role> roles{Role::m0, Role::control, Role::label, Role::control, Role::label};
  const std::vector<int> groups{9, 0, 0, 1, 1};
  const auto g = grouped_rows(difference_methods().get("difference.pairwise"), roles, groups);
  EXPECT_EQ(g.group, (std::vector{0, 1}));
  const Array d = weighted_sums(series, g.rows);
  EXPECT_EQ(d.shape(), (Shape{3, 2, 1, 2}));
  for (std::int64_t v = 0; v < nv; ++v) {
    EXPECT_FLOAT_EQ(d.data<float>()[v], 10 - 40);
    EXPECT_FLOAT_EQ(d.data<float>()[nv + v], 90 - 160);
  }
  // Differences that are there already pass.
  const std::vector<Role> done{Role::difference, Role::difference};
  EXPECT_EQ(grouped_rows(difference_methods().get("mean"), done, std::vector{0, 0}).rows, (WeightRows{{1, 0}, {0, 1}}));
}

TEST(AslDifferences, VolumesThatAreNotUsedMayHoldAnything) {
  Array series(DType::f32, {1, 1, 1, 3}, {"x", "y", "z", "t"});
  series.data<float>()[0] = NAN, series.data<float>()[1] = 5, series.data<float>()[2] = 3;
  EXPECT_EQ(weighted_sums(series, {{0, 1, -1}}).data<float>()[0], 2);
}

TEST(AslHadamard, DecodingGivesEachSubBolusAlone) {
  for (const int order : {2, 4, 8, 12, 16, 24}) {
    const auto encoding = hadamard_encoding(order);
    const std::size_t n = encoding.size(), m = encoding[0].size();
    ASSERT_EQ(n, static_cast<std::size_t>(order));
    ASSERT_EQ(m, n - 1);
    const auto rows = decoding_rows(encoding);
    for (std::size_t j = 0; j < m; ++j) {
      double norm = 0;
      for (std::size_t i = 0; i < m; ++i) {
        double response = 0, constant = 0;  // to label in sub-bolus i, and to static tissue
        for (std::size_t k = 0; k < n; ++k) response -= rows[j][k] * encoding[k][i], constant += rows[j][k];
        EXPECT_NEAR(response, i == j, 1e-12) << order;
        EXPECT_NEAR(constant, 0, 1e-12) << order;
      }
      // All volumes serve every sub-bolus: the noise of 2 / sqrt(n), as a Hadamard matrix has it.
      for (const double w : rows[j]) norm += w * w;
      EXPECT_NEAR(norm, 4.0 / order, 1e-12) << order;
    }
  }
}

TEST(AslDifferences, RefuseWhatTheyCannotSubtract) {
  const auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return {};
  };
  const auto weights = [](const char* id, std::vector<Role> roles) {
    return [id, roles] { difference_methods().get(id).weights(roles); };
  };
  EXPECT_THAT(message(weights("pairwise", {Role::control, Role::label, Role::control})),
              HasSubstr("2 control and 1 label volumes make no pairs"));
  EXPECT_THAT(message(weights("mean", {Role::control, Role::control})), HasSubstr("2 control and 0 label volumes"));
  EXPECT_THAT(message(weights("surround", {Role::label})), HasSubstr("0 control and 1 label volumes"));
  EXPECT_THAT(message(weights("sinc", {Role::control, Role::control, Role::label})),
              HasSubstr("volumes 1 and 2 are both control"));
  EXPECT_THAT(message(weights("sinc", {Role::control})), HasSubstr("needs a control and a label"));
  EXPECT_THAT(message([] { role_of("contrl"); }), HasSubstr("did you mean control?"));
  EXPECT_THAT(message([] { hadamard_encoding(6); }), HasSubstr("a time encoding of 6 steps"));
  EXPECT_THAT(message([] { decoding_rows({{0, 1}, {1}}); }), HasSubstr("an encoding of 1 sub-boluses among ones of 2"));
  EXPECT_THAT(message([] { decoding_rows({{0, 1}, {0, 1}, {0, 1}}); }), HasSubstr("do not tell 2 sub-boluses apart"));
  EXPECT_THAT(message([] {
                weighted_sums(Array(DType::f32, {1, 1, 1, 3}), {{1, -1}});
              }),
              HasSubstr("2 weights for 3 volumes"));
  EXPECT_THAT(message([] {
                const std::vector<Role> roles{Role::m0};
                grouped_rows(difference_methods().get("mean"), roles, std::vector{0});
              }),
              HasSubstr("no control, label or difference volume"));
  EXPECT_EQ(role_of("m0scan"), Role::m0);
  EXPECT_EQ(name_of(Role::m0), "m0scan");
}

}  // namespace
}  // namespace larmor::asl
