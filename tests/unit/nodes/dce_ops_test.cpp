// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_fit.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/pipeline.hpp>

#include "../../same_bits.hpp"
#include "../io/support.hpp"
#include "run_op.hpp"

namespace larmor::nodes {
namespace {

using flow::Value;
using flow::ValueTraits;
using test::caught;
using test::run_op;
using testing::HasSubstr;
using Values = std::map<std::string, Value>;

const Values& object() {
  static const Values made = run_op("dce.dro", {}, {{"grid", Value::List{16, 16, 8}}, {"snr", 200.0}});
  return made;
}
const Values& concentration_object() {
  static const Values made =
      run_op("dce.dro", {},
             {{"grid", Value::List{16, 16, 8}}, {"kind", "concentration"}, {"model", "dce.tofts"}, {"noise", 0.001}});
  return made;
}

ParameterMaps maps_of(const Value& v) { return ValueTraits<ParameterMaps>::from(v); }

// The steps as operations, one after another.
struct Steps {
  Values t1, c, arrival, input, fit, uptake;
  ParameterMaps maps;
};
Steps steps_of(const Values& o, Values input_settings, Values fit_settings) {
  Steps s;
  const Value mask = o.at("mask"), vfa = o.count("vfa") ? o.at("vfa") : Value();
  s.t1 = run_op("dce.baseline_t1", {{"series", vfa}, {"mask", mask}}, {{"source", vfa.none() ? "none" : "auto"}});
  const auto of = [](Values& outputs, const char* port) { return outputs.count(port) ? outputs.at(port) : Value(); };
  s.c = run_op("dce.concentration",
               {{"signal", o.at("dynamic")}, {"T1", of(s.t1, "T1")}, {"mask", mask}, {"status", of(s.t1, "status")}},
               {{"method", vfa.none() ? "none" : "spgr"}});
  const Value c = s.c.at("concentration");
  s.arrival = run_op("dce.arrival", {{"concentration", c}, {"mask", mask}});
  s.input = run_op("dce.input_function", {{"concentration", c}, {"mask", mask}, {"arrival", s.arrival.at("arrival")}},
                   input_settings);
  s.fit = run_op("dce.fit",
                 {{"concentration", c}, {"aif", s.input.at("aif")}, {"mask", mask}, {"status", of(s.c, "status")}},
                 fit_settings);
  s.uptake = run_op("dce.descriptors", {{"concentration", c}, {"arrival", s.arrival.at("arrival")}, {"mask", mask}});
  s.maps = maps_of(
      run_op("maps.merge", {{"in.1", s.fit.at("maps")}, {"in.2", of(s.t1, "maps")}, {"in.3", of(s.uptake, "maps")}})
          .at("out"));
  return s;
}

void expect_equal(const ParameterMaps& a, const ParameterMaps& b) {
  ASSERT_EQ(a.maps.size(), b.maps.size());
  for (std::size_t i = 0; i < a.maps.size(); ++i) {
    EXPECT_EQ(a.maps[i].name, b.maps[i].name);
    EXPECT_EQ(a.maps[i].unit, b.maps[i].unit);
    EXPECT_EQ(a.maps[i].title, b.maps[i].title);
    EXPECT_TRUE(same_bits(a.maps[i].values, b.maps[i].values)) << a.maps[i].name;
    EXPECT_TRUE(same_bits(a.maps[i].standard_error, b.maps[i].standard_error)) << a.maps[i].name;
  }
  EXPECT_TRUE(same_bits(a.status, b.status));
  EXPECT_EQ(a.reference.affine.m, b.reference.affine.m);
}

TEST(DceOps, StepByStepIsThePipeline) {
  const auto& o = object();
  dce::PipelineData data;
  data.dynamic = ValueTraits<Image>::from(o.at("dynamic"));
  data.t1_series = ValueTraits<Image>::from(o.at("vfa"));
  data.mask = mask_from(ValueTraits<Image>::from(o.at("mask")));
  dce::PipelineOptions p;
  p.spgr = {.FA = 15 * units::degree, .TR = 0.005, .r1 = 4.5};
  for (const double FA : {2, 5, 10, 15}) p.t1_protocol.FA.push_back(FA * units::degree);
  p.t1_protocol.TR = {0.005};
  const auto direct = dce::run_pipeline(data, p);
  expect_equal(steps_of(o, {}, {}).maps, direct.maps);
  // The same with another source of the input and other settings.
  p.input = {.model = "aif.georgiou", .Hct = 0.4, .delay = -1};
  p.models = {"dce.tofts", "dce.extended_tofts"};
  p.fit.params["ve"] = {.upper = 0.35};
  p.fit.use_frame.assign(60, 1);
  p.fit.use_frame[3] = 0;
  const auto other = dce::run_pipeline(data, p);
  const auto s = steps_of(o, {{"model", "aif.georgiou"}, {"Hct", 0.4}, {"delay", -1.0}},
                          {{"model", "dce.tofts"},
                           {"compare", "extended_tofts"},
                           {"params", "ve: upper=0.35"},
                           {"skip_frames", Value::List{3}}});
  expect_equal(s.maps, other.maps);
  EXPECT_EQ(ValueTraits<Aif>::from(s.input.at("aif")).values, other.inputs[0].values);
  EXPECT_EQ(s.arrival.at("arrival").number(), other.arrival);
  EXPECT_EQ(s.fit.at("fitted").number(), static_cast<double>(other.fit.fitted));
}

TEST(DceOps, ConcentrationNeedsNoT1) {
  const auto& o = concentration_object();
  EXPECT_FALSE(o.count("vfa"));
  const auto s = steps_of(o, {{"arrival", 20.0}}, {{"model", "dce.tofts"}});
  EXPECT_FALSE(s.maps.has("T10"));
  const auto got = s.maps.get("Ktrans").values.span<const float>();
  const auto truth_maps = maps_of(o.at("truth"));
  const auto truth = truth_maps.get("Ktrans").values.span<const float>();
  for (std::size_t v = 0; v < got.size(); ++v)
    if (std::isfinite(got[v])) {
      EXPECT_NEAR(got[v], truth[v], 0.02 * truth[v] + 1e-5) << v;  // noise of 1 uM, and a sampled first pass
    }
}

TEST(DceOps, AVoxelKeepsTheFirstReason) {
  auto vfa = ValueTraits<Image>::from(object().at("vfa"));
  vfa.data = vfa.data.clone();
  const std::int64_t voxel = 5 + 16 * (5 + 16 * 4), volume = 16 * 16 * 8;
  for (int n = 0; n < 4; ++n) vfa.data.span<float>()[static_cast<std::size_t>(voxel + n * volume)] = 0;
  auto o = object();
  o["vfa"] = ValueTraits<Image>::to(vfa);
  const auto s = steps_of(o, {}, {});
  const auto t1 = ValueTraits<Image>::from(s.t1.at("status")).data;
  const auto code = t1.span<const std::uint8_t>()[static_cast<std::size_t>(voxel)];
  EXPECT_FALSE(fit::usable(static_cast<fit::FitStatus>(code)));
  EXPECT_EQ(s.maps.status.span<const std::uint8_t>()[static_cast<std::size_t>(voxel)], code);
  EXPECT_TRUE(std::isnan(s.maps.get("Ktrans").values.span<const float>()[static_cast<std::size_t>(voxel)]));
}

TEST(DceOps, SignalAndBackIsTheSame) {
  const Value c = run_op("dce.dro", {}, {{"grid", Value::List{16, 16, 8}}, {"kind", "concentration"}}).at("dynamic");
  const auto signal = run_op("dce.signal", {{"concentration", c}, {"T1", 1.3}, {"S0", 100.0}});
  const auto back =
      run_op("dce.concentration", {{"signal", signal.at("signal")}, {"T1", 1.3}}, {{"baseline", Value::List{0, 2}}});
  const Image a = ValueTraits<Image>::from(c), b = ValueTraits<Image>::from(back.at("concentration"));
  const auto x = a.data.span<const float>(), y = b.data.span<const float>();
  // The first frames hold none, so S0 is exact; a rounding of the float32 signal is at most 1e-6 mM here.
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 1e-5 * std::abs(x[i]) + 2e-6) << i;
  EXPECT_EQ(b.times, a.times);
  EXPECT_EQ(b.affine.m, a.affine.m);
}

TEST(DceOps, T1MethodsGiveTheTruthBack) {
  const Value vfa = object().at("vfa"), mask = object().at("mask");
  const auto truth_maps = maps_of(object().at("truth"));
  for (const char* method : {"t1.vfa_linear", "t1.vfa_nonlinear"}) {
    const auto out = run_op("t1.vfa", {{"series", vfa}, {"mask", mask}}, {{"method", method}});
    const auto maps = maps_of(out.at("maps"));
    const Image T1 = ValueTraits<Image>::from(out.at("T1"));
    EXPECT_TRUE(same_bits(T1.data, maps.get("T1").values));
    std::vector<double> error;
    const auto got = T1.data.span<const float>(), want = truth_maps.get("T10").values.span<const float>();
    for (std::size_t v = 0; v < got.size(); ++v)
      if (std::isfinite(want[v])) error.push_back(std::abs(got[v] / want[v] - 1));
    std::nth_element(error.begin(), error.begin() + std::ssize(error) / 2, error.end());
    EXPECT_LT(error[error.size() / 2], 0.02) << method;  // SNR of 200
  }
  // Inversion recovery of a made series: exact up to float32.
  Image series;
  series.data = Array::of<float>({2, 1, 1, 5}, {"x", "y", "z", "n"});
  const double TI[] = {0.1, 0.4, 0.9, 1.8, 4}, T1[] = {0.7, 1.4};
  for (std::size_t n = 0; n < 5; ++n)
    for (std::size_t v = 0; v < 2; ++v)
      series.data.span<float>()[n * 2 + v] = static_cast<float>(std::abs(100 * (1 - 2 * std::exp(-TI[n] / T1[v]))));
  const auto ir = run_op("t1.inversion_recovery", {{"series", ValueTraits<Image>::to(series)}},
                         {{"TI", Value::List{100, 400, 900, 1800, 4000}}});
  for (std::size_t v = 0; v < 2; ++v)
    EXPECT_NEAR(ValueTraits<Image>::from(ir.at("T1")).data.span<const float>()[v], T1[v], 1e-3);
  EXPECT_TRUE(maps_of(ir.at("maps")).has("efficiency"));
  EXPECT_EQ(caught([&] {
              run_op("t1.look_locker", {{"series", ValueTraits<Image>::to(series)}});
            }).code(),
            Errc::shape);  // no times
}

TEST(DceOps, CurvesOfInputs) {
  const auto plasma = ValueTraits<Aif>::from(run_op("dce.aif_model", {}, {{"arrival", 10.0}}).at("aif"));
  const auto blood =
      ValueTraits<Aif>::from(run_op("dce.aif_model", {}, {{"arrival", 10.0}, {"blood", true}}).at("aif"));
  EXPECT_TRUE(plasma.plasma);
  EXPECT_FALSE(blood.plasma);
  const Value v = ValueTraits<Aif>::to(blood);
  const auto again = ValueTraits<Aif>::from(run_op("dce.to_plasma", {{"in", v}}).at("out"));
  for (std::size_t i = 0; i < plasma.size(); ++i) EXPECT_NEAR(again.values[i], plasma.values[i], 1e-12);
  // Later by whole samples is the same values further along.
  const auto later =
      ValueTraits<Aif>::from(run_op("dce.shift", {{"in", ValueTraits<Aif>::to(plasma)}}, {{"delay", 7.0}}).at("out"));
  for (std::size_t i = 7; i < plasma.size(); ++i) EXPECT_NEAR(later.values[i], plasma.values[i - 7], 1e-9);
  const auto fine =
      ValueTraits<Aif>::from(run_op("dce.resample", {{"in", ValueTraits<Aif>::to(plasma)}}, {{"step", 0.5}}).at("out"));
  for (std::size_t i = 0; i < plasma.size(); ++i) EXPECT_NEAR(fine.values[2 * i], plasma.values[i], 1e-9);
  // Rate 0 integrates: the trapezoid of linear pieces is exact.
  const auto area = ValueTraits<Curve>::from(
      run_op("dce.convolve", {{"in", ValueTraits<Aif>::to(plasma)}}, {{"rate", 0.0}}).at("out"));
  double sum = 0;
  for (std::size_t i = 1; i < plasma.size(); ++i) sum += 0.5 * (plasma.values[i] + plasma.values[i - 1]);
  EXPECT_NEAR(area.y[0].back(), sum, 1e-9 * sum);
}

TEST(DceOps, TissueCurveIsTheModel) {
  const Value aif = run_op("dce.aif_model", {}, {{"arrival", 10.0}}).at("aif");
  const auto out = ValueTraits<Curve>::from(
      run_op("dce.tissue_curve", {{"aif", aif}}, {{"model", "dce.tofts"}, {"params", "Ktrans=0.3, ve=0.4"}})
          .at("tissue"));
  const auto a = ValueTraits<Aif>::from(aif);
  std::vector<double> g(a.size());  // Tofts is Ktrans times the input convolved with exp(-Ktrans / ve t)
  perfusion::convolve_exp(a.times, a.values, 0.005 / 0.4, a.times, g);
  for (std::size_t i = 0; i < g.size(); ++i) EXPECT_NEAR(out.y[0][i], 0.005 * g[i], 1e-9);
  EXPECT_THAT(caught([&] {
                run_op("dce.tissue_curve", {{"aif", aif}}, {{"params", "Ktrnas=1"}});
              }).what(),
              HasSubstr("did you mean Ktrans?"));
  EXPECT_EQ(caught([&] { run_op("dce.tissue_curve", {{"aif", aif}}, {{"params", "ve=7"}}); }).code(), Errc::range);
  EXPECT_EQ(caught([&] {
              run_op("dce.tissue_curve", {{"aif", aif}}, {{"model", "dce.dual_input"}});
            }).code(),
            Errc::range);
}

TEST(DceOps, DetectionFindsTheArteryAndDrawsIt) {
  // A concentration series with three voxels of blood in it.
  auto c = ValueTraits<Image>::from(concentration_object().at("dynamic"));
  c.data = c.data.clone();
  const auto truth = ValueTraits<Aif>::from(concentration_object().at("aif"));
  const std::size_t volume = 16 * 16 * 8;
  const std::size_t artery[] = {8 + 16 * (8 + 16 * 4), 9 + 16 * (8 + 16 * 4), 8 + 16 * (9 + 16 * 4)};
  Image region = c;
  region.times.clear();
  region.data = Array::of<std::uint8_t>({16, 16, 8}, {"x", "y", "z"});
  for (const auto v : artery) {
    region.data.span<std::uint8_t>()[v] = 1;
    for (std::size_t t = 0; t < 60; ++t)
      c.data.span<float>()[t * volume + v] = static_cast<float>(truth.values[t] * 0.58);
  }
  const Value series = ValueTraits<Image>::to(c);
  const auto found = run_op("dce.aif_detect", {{"concentration", series}});
  const auto given =
      run_op("dce.aif_from_mask", {{"concentration", series}, {"region", ValueTraits<Image>::to(region)}});
  const auto a = ValueTraits<Aif>::from(found.at("aif")), b = ValueTraits<Aif>::from(given.at("aif"));
  EXPECT_FALSE(a.plasma);
  for (std::size_t t = 0; t < 60; ++t) EXPECT_NEAR(a.values[t], b.values[t], 1e-5);
  const auto score = ValueTraits<Image>::from(found.at("voxels"));
  for (std::size_t v = 0; v < volume; ++v)
    EXPECT_EQ(std::isfinite(score.data.span<const float>()[v]), region.data.span<const std::uint8_t>()[v] == 1) << v;
  const auto picture = ValueTraits<io::Picture>::from(found.at("picture"));
  int red = 0;
  for (std::size_t i = 0; i + 3 < picture.pixels.size(); i += 4) red += picture.pixels[i] == 230;
  EXPECT_GT(red, 0);
}

TEST(DceOps, FitOfAVoxelAndDerivedQuantities) {
  const auto s = steps_of(concentration_object(), {{"arrival", 20.0}}, {{"model", "dce.tofts"}});
  const auto curve = ValueTraits<Curve>::from(
      run_op("dce.voxel_curve",
             {{"concentration", s.c.at("concentration")}, {"maps", s.fit.at("maps")}, {"aif", s.input.at("aif")}},
             {{"i", 6}, {"j", 7}, {"k", 4}})
          .at("curve"));
  const std::size_t v = 6 + 16 * (7 + 16 * 4);
  double sse = 0;
  for (const double r : curve.y[2]) sse += r * r;
  // N - p = 58; the fit works in float32.
  EXPECT_NEAR(std::sqrt(sse / 58), s.maps.get("residual_sd").values.span<const float>()[v], 2e-5);
  const auto kep = maps_of(run_op("dce.derived", {{"maps", s.fit.at("maps")}}, {{"model", "dce.tofts"}}).at("maps"));
  const auto x = kep.get("kep").values.span<const float>(), y = s.maps.get("kep").values.span<const float>();
  EXPECT_NEAR(x[v], y[v], 1e-6 * y[v]);
  EXPECT_EQ(caught([&] {
              run_op(
                  "dce.voxel_curve",
                  {{"concentration", s.c.at("concentration")}, {"maps", s.fit.at("maps")}, {"aif", s.input.at("aif")}},
                  {{"i", 16}});
            }).code(),
            Errc::range);
}

TEST(DceOps, MapsArePickedSelectedAndJoined) {
  const auto s = steps_of(concentration_object(), {{"arrival", 20.0}}, {{"model", "dce.tofts"}});
  const Value maps = s.fit.at("maps");
  const Image engine = ValueTraits<Image>::from(run_op("maps.pick", {{"maps", maps}}).at("image"));
  const Image shown =
      ValueTraits<Image>::from(run_op("maps.pick", {{"maps", maps}}, {{"units", "lexicon"}}).at("image"));
  const std::size_t v = 6 + 16 * (7 + 16 * 4);
  EXPECT_FLOAT_EQ(shown.data.span<const float>()[v], 60 * engine.data.span<const float>()[v]);
  EXPECT_EQ(shown.meta.at("Units"), MetaValue(std::string("1/min")));
  EXPECT_EQ(run_op("maps.pick", {{"maps", maps}}, {{"name", "status"}}).at("image").field("data").array().dtype(),
            DType::u8);
  EXPECT_THAT(caught([&] {
                run_op("maps.pick", {{"maps", maps}}, {{"name", "Ktran"}});
              }).what(),
              HasSubstr("did you mean Ktrans?"));
  EXPECT_EQ(caught([&] {
              run_op("maps.pick", {{"maps", maps}}, {{"name", "R2"}, {"what", "standard_error"}});
            }).code(),
            Errc::usage);
  const auto two = run_op("maps.select", {{"maps", maps}}, {{"names", "ve Ktrans"}}).at("out");
  EXPECT_EQ(maps_of(two).maps[0].name, "ve");
  EXPECT_EQ(caught([&] { run_op("maps.merge", {{"in.1", maps}, {"in.2", two}}); }).code(), Errc::usage);
  flow::Form form(operations().get("maps.pick"), {{"maps", maps}}, {});
  operations().get("maps.pick").adapt(form);
  EXPECT_EQ(form.change("name").choices.back(), "status");
}

TEST(DceOps, FormsHideWhatIsNotUsed) {
  const auto hidden = [](const char* op, Values settings) {
    const auto& type = operations().get(op);
    flow::Form form(type, {}, std::move(settings));
    type.adapt(form);
    return form.hidden();
  };
  using testing::Contains;
  using testing::Not;
  EXPECT_THAT(hidden("dce.fit", {}), Contains("noise_sd"));
  EXPECT_THAT(hidden("dce.fit", {{"fitter", "fitter.map"}}), Not(Contains("noise_sd")));
  EXPECT_THAT(hidden("dce.fit", {{"fit_delay", true}}), Contains("delay"));
  EXPECT_THAT(hidden("dce.baseline_t1", {{"method", "t1.look_locker"}}), Contains("TR"));
  EXPECT_THAT(hidden("dce.input_function", {{"source", "curve"}}), Contains("model"));
  EXPECT_THAT(hidden("dce.concentration", {{"method", "none"}}), Contains("FA"));
  EXPECT_THAT(hidden("dce.dro", {{"kind", "concentration"}}), Contains("snr"));
}

TEST(DceOps, SettingsOfParametersComeBackFromTheirText) {
  std::map<std::string, dce::ParamSetting> p;
  p["Ktrans"] = {.lower = 0.1 / 3, .start = 1e-3};
  p["ve"] = {.prior_mean = 0.3, .prior_sd = 0.1, .prior_log = true};
  p["delay"] = {.fixed = 2};
  const auto back = parse_param_settings(param_settings_text(p));
  ASSERT_EQ(back.size(), 3U);
  EXPECT_EQ(back.at("Ktrans").lower, p["Ktrans"].lower);  // to the last bit
  EXPECT_EQ(back.at("Ktrans").start, 1e-3);
  EXPECT_TRUE(back.at("ve").prior_log);
  EXPECT_EQ(back.at("ve").prior_sd, 0.1);
  EXPECT_EQ(back.at("delay").fixed, 2);
  EXPECT_DOUBLE_EQ(*parse_param_settings("Ktrans: upper=2").at("Ktrans").upper, 2.0 / 60);  // lexicon unit
  EXPECT_DOUBLE_EQ(*parse_param_settings("Ktrans: upper=2 1/s").at("Ktrans").upper, 2.0);
  const auto code = [](const char* text) { return caught([&] { parse_param_settings(text); }).code(); };
  EXPECT_EQ(code("Ktran: upper=2"), Errc::unknown_name);
  EXPECT_EQ(code("Ktrans: uper=2"), Errc::unknown_name);
  EXPECT_EQ(code("Ktrans upper=2"), Errc::usage);
  EXPECT_EQ(code("Ktrans: upper=two"), Errc::usage);
  EXPECT_EQ(code("Ktrans: upper=2 mm"), Errc::usage);
  EXPECT_EQ(code("ve: lower=0.5, upper=0.1"), Errc::usage);
  EXPECT_EQ(code("ve: prior_sd=0"), Errc::usage);
  EXPECT_EQ(code("ve: prior_log=perhaps"), Errc::usage);
}

TEST(DceOps, BadInputIsToldFromWhereItIs) {
  const auto& o = object();
  const auto code = [&](const char* op, Values in, Values settings = {}) {
    const auto e = caught([&] { run_op(op, std::move(in), std::move(settings)); });
    EXPECT_FALSE(e.advice().empty()) << e.what();
    return e.code();
  };
  Image small = ValueTraits<Image>::from(o.at("mask"));
  small.data = Array::of<std::uint8_t>({4, 4, 4});
  const Value other = ValueTraits<Image>::to(small);
  Image empty = ValueTraits<Image>::from(o.at("mask"));
  empty.data = Array::of<std::uint8_t>(empty.data.shape());
  EXPECT_EQ(code("dce.concentration", {{"signal", o.at("dynamic")}, {"T1", 1.2}, {"mask", other}}), Errc::shape);
  EXPECT_EQ(
      code("dce.concentration", {{"signal", o.at("dynamic")}, {"T1", 1.2}, {"mask", ValueTraits<Image>::to(empty)}}),
      Errc::range);
  EXPECT_EQ(code("dce.concentration", {{"signal", o.at("dynamic")}}), Errc::range);
  EXPECT_EQ(code("dce.concentration", {{"signal", o.at("dynamic")}, {"T1", 1.2}}, {{"baseline", Value::List{5, 2}}}),
            Errc::usage);
  EXPECT_EQ(code("dce.baseline_t1", {}), Errc::range);
  Image timeless = ValueTraits<Image>::from(o.at("dynamic"));
  timeless.times.clear();
  EXPECT_EQ(code("dce.concentration", {{"signal", ValueTraits<Image>::to(timeless)}, {"T1", 1.2}}), Errc::shape);
  Image bare = ValueTraits<Image>::from(o.at("dynamic"));
  bare.meta.clear();
  EXPECT_EQ(code("dce.concentration", {{"signal", ValueTraits<Image>::to(bare)}, {"T1", 1.2}}), Errc::usage);
  const Value c = concentration_object().at("dynamic"), aif = concentration_object().at("aif");
  EXPECT_EQ(code("dce.input_function", {{"concentration", c}}), Errc::range);
  EXPECT_EQ(code("dce.input_function", {{"concentration", c}, {"venous", aif}, {"arrival", 20.0}}), Errc::usage);
  EXPECT_EQ(code("dce.fit", {{"concentration", c}, {"aif", run_op("dce.aif_model", {}, {{"blood", true}}).at("aif")}}),
            Errc::usage);
  EXPECT_EQ(code("dce.fit", {{"concentration", c}, {"aif", aif}}, {{"compare", "extended_tofts"}}), Errc::usage);
  EXPECT_EQ(code("dce.fit", {{"concentration", c}, {"aif", aif}}, {{"skip_frames", Value::List{60}}}), Errc::usage);
  EXPECT_EQ(code("dce.fit", {{"concentration", c}, {"aif", aif}}, {{"delay_bounds", Value::List{5, 1}}}), Errc::usage);
  EXPECT_EQ(code("dce.fit", {{"concentration", c}, {"aif", aif}}, {{"model", "dce.dual_input"}}), Errc::range);
  EXPECT_EQ(code("dce.select_model", {{"concentration", c}, {"aif", aif}}, {{"models", "tofts"}}), Errc::usage);
  EXPECT_EQ(code("dce.dro", {}, {{"grid", Value::List{4, 4}}}), Errc::usage);
}

}  // namespace
}  // namespace larmor::nodes
