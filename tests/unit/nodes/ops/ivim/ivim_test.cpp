// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

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
