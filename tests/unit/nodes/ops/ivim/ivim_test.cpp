// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>

#include "../../run_op.hpp"

namespace larmor::nodes {
namespace {

using flow::Value;
using flow::ValueTraits;
using test::run_op;
using testing::HasSubstr;

std::map<std::string, Value> simulated(double noise) {
  return run_op("ivim.simulate", {}, {{"x", 20}, {"y", 10}, {"noise_sd", noise}});
}
ParameterMaps maps_in(const Value& v) { return ValueTraits<ParameterMaps>::from(v); }
double rms_error(const ParameterMaps& maps, const ParameterMaps& truth, const char* name) {
  const auto a = maps.get(name).values.span<const float>(), b = truth.get(name).values.span<const float>();
  double squares = 0;
  for (std::size_t v = 0; v < a.size(); ++v) squares += (a[v] - b[v]) * (a[v] - b[v]);
  return std::sqrt(squares / static_cast<double>(a.size()));
}

TEST(IvimOps, FromSimulatedSignalsBackToTheirTruth) {
  const auto s = simulated(0.002);
  const auto truth = maps_in(s.at("truth"));
  const auto fit = maps_in(run_op("ivim.fit", {{"signal", s.at("signal")}}).at("maps"));
  const auto steps = maps_in(run_op("ivim.segmented", {{"signal", s.at("signal")}}).at("maps"));
  const auto result = run_op("ivim.posterior", {{"signal", s.at("signal")}},
                             {{"f_low", 0.1},
                              {"f_high", 0.4},
                              {"D_low", 5e-4},
                              {"D_high", 2e-3},
                              {"D_star_low", 0.01},
                              {"D_star_high", 0.1},
                              {"log_D_star", false}});
  const auto posterior = maps_in(result.at("maps"));
  // Noise a fifth of the classical 0.01: errors a fifth of the classical limits (D 4.9e-5, f 0.014), and half again.
  EXPECT_LT(rms_error(fit, truth, "D"), 1.5e-5);
  EXPECT_LT(rms_error(fit, truth, "f"), 4.5e-3);
  EXPECT_LT(rms_error(posterior, truth, "D"), 1.5e-5);
  EXPECT_LT(rms_error(posterior, truth, "f"), 4.5e-3);
  EXPECT_LT(rms_error(posterior, truth, "D_star"), rms_error(steps, truth, "D_star"));
  EXPECT_NEAR(ValueTraits<double>::from(result.at("noise_sd")), 0.002, 0.0003);
  EXPECT_EQ(posterior.get("D").standard_error.shape(), (Shape{20, 10, 1}));
  EXPECT_EQ(fit.status.data<std::uint8_t>()[0], 1);
}

TEST(IvimOps, TheSameSeedGivesTheSameSignals) {
  EXPECT_EQ(simulated(0.01).at("signal").hash(), simulated(0.01).at("signal").hash());
}

TEST(IvimOps, EveryModelCanBeChosen) {
  const auto s = simulated(0.005);
  for (const char* model : {"ivim.adc", "ivim.simplified", "ivim.kurtosis", "ivim.triexponential"}) {
    const auto maps = maps_in(run_op("ivim.fit", {{"signal", s.at("signal")}}, {{"model", model}}).at("maps"));
    EXPECT_TRUE(maps.has("D")) << model;
  }
  const Value c(Value::List{0, 0.5, 0.8, 1.2, 2, 3, 4, 5});
  const auto maps =
      maps_in(run_op("ivim.fit", {{"signal", s.at("signal")}}, {{"model", "ivim.ballistic"}, {"c", c}}).at("maps"));
  EXPECT_EQ(maps.get("D_blood").values.data<float>()[0], 1.75e-3f);
}

TEST(IvimOps, AveragesCountInTheEstimateAndTheReport) {
  const Value b(Value::List{0, 10, 20, 60, 150, 300, 500, 1000, 0, 10, 20, 60, 150, 300, 500, 1000});
  const auto s = run_op("ivim.simulate", {}, {{"x", 12}, {"y", 10}, {"b", b}, {"noise_sd", 0.01}});
  const auto averaged = run_op("ivim.average", {{"signal", s.at("signal")}}, {{"how", "mean"}}).at("signal");
  const auto image = ValueTraits<Image>::from(averaged);
  EXPECT_EQ(image.volumes(), 8);
  EXPECT_EQ(std::get<std::vector<double>>(image.meta.at("Averages")), std::vector<double>(8, 2.0));
  const auto whole = maps_in(run_op("ivim.estimate", {{"signal", s.at("signal")}}, {{"method", "ivim.lm"}}).at("maps"));
  const auto maps = run_op("ivim.estimate", {{"signal", averaged}}, {{"method", "ivim.lm"}}).at("maps");
  for (std::size_t v = 0; v < 120; ++v)
    EXPECT_NEAR(maps_in(maps).get("f").values.data<float>()[v], whole.get("f").values.data<float>()[v], 1e-3);
  const auto report = run_op("ivim.report", {{"maps", maps}, {"signal", averaged}}).at("report");
  const auto page = ValueTraits<Page>::from(report);
  EXPECT_THAT(page.html, HasSubstr("Fitted curves"));
  EXPECT_THAT(page.html, HasSubstr("Levenberg-Marquardt"));
  try {
    run_op("ivim.estimate", {{"signal", averaged}}, {{"f", Value(Value::List{0.3})}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("f is not [lower, upper]"));
  }
}

TEST(IvimOps, ThreeRegions) {
  const auto s = run_op("ivim.simulate", {}, {{"x", 30}, {"y", 30}, {"layout", "regions"}, {"noise_sd", 0.0}});
  const auto truth = maps_in(s.at("truth"));
  EXPECT_FLOAT_EQ(truth.get("f").values.data<float>()[0], 0.1f);
  EXPECT_FLOAT_EQ(truth.get("f").values.data<float>()[15 * 30 + 15], 0.3f);
}

TEST(IvimOps, BValuesHaveToBeSaid) {
  Image series;
  series.data = Array::of<float>({2, 2, 1, 3}, {"x", "y", "z", "b"});
  const auto refusal = [&](std::map<std::string, Value> settings) {
    try {
      run_op("ivim.fit", {{"signal", ValueTraits<Image>::to(series)}}, std::move(settings));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({}), HasSubstr("0 b-values for 3 volumes"));
  EXPECT_THAT(refusal({{"b", Value(Value::List{0, 100})}}), HasSubstr("2 b-values for 3 volumes"));
  EXPECT_THAT(refusal({{"b", Value(Value::List{0, 100, 500})}, {"model", "ivim.ballistic"}}),
              HasSubstr("0 flow weightings for 3 volumes"));
}

}  // namespace
}  // namespace larmor::nodes
