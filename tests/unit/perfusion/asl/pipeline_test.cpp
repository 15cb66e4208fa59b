// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/dro.hpp>
#include <larmor/perfusion/asl/pipeline.hpp>

namespace larmor::asl {
namespace {

using testing::HasSubstr;

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

PipelineData data_of(const Dro& dro) {
  PipelineData d;
  d.series = dro.series, d.M0 = dro.M0;
  d.mask = mask_from(dro.mask);
  if (!dro.tissue.empty()) d.GM = dro.tissue[0].data, d.WM = dro.tissue[1].data;
  return d;
}

/// Largest relative error of a map against the truth, over voxels that both have.
double worst(const ParameterMaps& maps, const ParameterMaps& truth, const std::string& name,
             std::int64_t* n = nullptr) {
  const auto x = maps.get(name).values.span<float>(), y = truth.get(name).values.span<float>();
  double most = 0;
  std::int64_t count = 0;
  for (std::size_t v = 0; v < y.size(); ++v) {
    if (!std::isfinite(y[v])) continue;
    if (!std::isfinite(x[v])) return INFINITY;
    most = std::max(most, std::abs(static_cast<double>(x[v]) / static_cast<double>(y[v]) - 1)), ++count;
  }
  if (n) *n = count;
  return count ? most : INFINITY;
}

DroOptions small() {
  DroOptions o;
  o.grid = {24, 24, 6}, o.repeats = 1;
  return o;
}

TEST(AslReference, IsTheModelByAnotherWay) {
  for (const bool pulsed : {false, true})
    for (const double time : {0.4, 1.0, 2.3, 4.0})
      for (const double ATT : {0.3, 1.1}) {
        const Sample s{.time = time, .LD = 1.3, .efficiency = 0.9};
        const double closed =
            signal(models().get(pulsed ? "asl.pasl" : "asl.pcasl"), std::vector<Sample>{s}, std::vector{12.0, ATT},
                   {.T1_tissue = 1.2, .T1_blood = 1.6, .slice_delay = 0, .partition = 0.88})[0];
        EXPECT_NEAR(reference_signal(pulsed, 0.012, ATT, s, 1.2, 1.6, 0.88), closed, 1e-14);
      }
}

TEST(AslPipeline, ManyDelaysGiveFlowAndArrival) {
  for (const bool two_dimensional : {false, true})
    for (const char* id : {"labelling.pcasl", "labelling.pasl_q2tips"}) {
      DroOptions o = small();
      o.labelling = id;
      const bool pulsed = std::string(id) == "labelling.pasl_q2tips";
      o.LD = {pulsed ? 0.7 : 1.4},
      o.PLD = pulsed ? std::vector{0.8, 1.1, 1.4, 1.7, 2.0, 2.4, 2.8} : std::vector{0.3, 0.6, 0.9, 1.2, 1.5, 2.0};
      if (two_dimensional) o.slice_interval = 0.045, o.suppression_pulses = 2;
      const Dro dro = make_dro(o);
      const auto r = run_pipeline(data_of(dro), {});
      EXPECT_EQ(r.M0.from, "a scan of its own");
      EXPECT_EQ(r.protocol.slice_times.size(), two_dimensional ? 6u : 0u);
      // f32 series of 1000 with differences of 1 to 15: 6e-8 x 1000 / 1 at worst, and the slope by ATT.
      EXPECT_LT(worst(r.maps, dro.truth, "CBF"), 3e-3) << id << two_dimensional;
      // ATT of the least flow, where every delay lies after arrival: an amplification of 30.
      EXPECT_LT(worst(r.maps, dro.truth, "ATT"), 0.05) << id;
      EXPECT_LT(worst(r.maps, dro.truth, "M0_blood"), 1e-5) << id;
    }
}

TEST(AslPipeline, TimeEncodedSeriesGiveFlowAndArrival) {
  DroOptions o = small();
  o.encoding = 8, o.LD = {0.5}, o.PLD = {0.3};
  const Dro dro = make_dro(o);
  PipelineOptions p;
  p.given.encoding = 8;
  const auto r = run_pipeline(data_of(dro), p);
  EXPECT_LT(worst(r.maps, dro.truth, "CBF"), 3e-3);
  EXPECT_LT(worst(r.maps, dro.truth, "ATT"), 3e-3);
}

TEST(AslPipeline, OneDelayByFormulaAndByModel) {
  DroOptions o = small();
  o.CBF = {10}, o.ATT = {0.8}, o.M0_included = true;
  const Dro dro = make_dro(o);
  PipelineOptions p;
  p.quantify.consensus = true;
  const auto formula = run_pipeline(data_of(dro), p);
  EXPECT_EQ(formula.M0.from, "M0 volumes of the series");
  EXPECT_NEAR(6 * formula.quality.spatial_CoV, 0, 1e-3);
  const std::size_t middle = 12 + 24 * (12 + 24 * 3);
  EXPECT_NEAR(6 * formula.maps.get("CBF").values.data<float>()[middle], 45.8, 0.05);
  p.quantify.consensus = false;
  p.quantify.params["ATT"].fixed = 0.8;
  EXPECT_LT(worst(run_pipeline(data_of(dro), p).maps, dro.truth, "CBF"), 1e-3);
}

TEST(AslPipeline, VelocitySelectiveNeedsNoArrival) {
  DroOptions o = small();
  o.labelling = "labelling.vsasl", o.LD = {1.2}, o.PLD = {1.3}, o.ATT = {0}, o.label_eff = 0.5;
  const Dro dro = make_dro(o);
  EXPECT_LT(worst(run_pipeline(data_of(dro), {}).maps, dro.truth, "CBF"), 1e-3);
}

TEST(AslPipeline, PartialVolumesAreTakenApart) {
  DroOptions o = small();
  o.tissues = true, o.LD = {1.4}, o.PLD = {0.5, 1.0, 1.5, 2.0};
  const Dro dro = make_dro(o);
  PipelineOptions p;
  p.partial_volume = true;
  const auto r = run_pipeline(data_of(dro), p);
  for (const char* name : {"CBF_GM", "CBF_WM", "ATT_GM", "ATT_WM"}) {
    std::int64_t n = 0;
    EXPECT_LT(worst(r.maps, dro.truth, name, &n), 0.01)
        << name;  // roundings of the series, over the contrast of a window
    EXPECT_GT(n, 1000) << name;
  }
  EXPECT_NEAR(6 * r.quality.mean_GM, 50, 6);  // of voxels of 70 to 100 %, fitted as one tissue
  EXPECT_GT(r.quality.QEI, 0.5);
}

TEST(AslPipeline, M0ComesFromWhereTheSidecarSays) {
  DroOptions o = small();
  o.CBF = {10}, o.ATT = {0.8};
  Dro dro = make_dro(o);
  auto data = data_of(dro);
  PipelineOptions p;
  p.quantify.consensus = true;
  const auto cbf = [&] {
    const auto r = run_pipeline(data, p);
    return 6 * static_cast<double>(r.maps.get("CBF").values.data<float>()[12 + 24 * (12 + 24 * 3)]);
  };
  data.M0 = {};
  EXPECT_THAT(message(cbf), HasSubstr("M0Type is Separate, but there is no M0 scan"));
  data.series.meta["M0Type"] = std::string("Absent");
  EXPECT_NEAR(cbf(), 45.8, 0.05);  // controls of TR 20 s
  data.series.meta["BackgroundSuppression"] = true;
  EXPECT_THAT(message(cbf), HasSubstr("background suppressed"));
  data.series.meta["BackgroundSuppression"] = false;
  data.series.meta["M0Type"] = std::string("Estimate"), data.series.meta["M0Estimate"] = 500.0;
  EXPECT_NEAR(cbf(), 2 * 45.8, 0.1);
  p.M0_source = M0Source::included;
  EXPECT_THAT(message(cbf), HasSubstr("no m0scan volume"));
  p.M0_source = M0Source::estimate, p.M0_estimate = -3;
  EXPECT_THAT(message(cbf), HasSubstr("an M0 of -3"));
}

TEST(AslBids, SidecarsBecomeProtocols) {
  const Dro dro = make_dro(small());
  EXPECT_THAT(missing_fields(dro.series.meta), testing::IsEmpty());
  Metadata m = dro.series.meta;
  m.erase("EchoTime"), m.erase("M0Type");
  m["MRAcquisitionType"] = std::string("2D");
  EXPECT_THAT(missing_fields(m), testing::UnorderedElementsAre("EchoTime", "M0Type", "SliceTiming"));
  m["SliceTiming"] = std::vector<double>{0.5, 0.25, 0.75};
  m["BackgroundSuppression"] = true;
  std::vector<std::string> notes;
  const Protocol p = protocol_from(m, 2, {}, &notes);
  EXPECT_EQ(p.labelling, "labelling.pcasl");
  EXPECT_EQ(p.slice_times, (std::vector{0.25, 0.0, 0.5}));
  EXPECT_THAT(notes, testing::Contains(HasSubstr("unknown number of pulses")));
  Metadata timed = m;
  timed["BackgroundSuppressionPulseTime"] = std::vector<double>{1.85, 3.1};
  EXPECT_EQ(protocol_from(timed, 2, {}).suppression_pulses, 2);
  // What is given wins.
  Given g;
  g.labelling = "casl", g.LD = {2.0}, g.PLD = {1.5}, g.T1_blood = 1.5, g.label_eff = 0.6, g.suppression_pulses = 3;
  const Protocol own = protocol_from(m, 2, g);
  EXPECT_EQ(own.labelling, "labelling.casl");
  EXPECT_EQ(own.LD, std::vector{2.0});
  EXPECT_DOUBLE_EQ(efficiency_of(own), 0.6 * std::pow(0.95, 3));
  // Pulsed labelling.
  Metadata pulsed{{"ArterialSpinLabelingType", std::string("PASL")},
                  {"BolusCutOffFlag", true},
                  {"BolusCutOffDelayTime", std::vector<double>{0.7, 1.6}},
                  {"BolusCutOffTechnique", std::string("Q2TIPS")},
                  {"PostLabelingDelay", 1.8},
                  {"MagneticFieldStrength", 1.5}};
  const Protocol q = protocol_from(pulsed, 4, {});
  EXPECT_EQ(q.labelling, "labelling.pasl_q2tips");
  EXPECT_EQ(q.LD, std::vector{0.7});
  EXPECT_EQ(protocol_from(pulsed, 2, {}).LD, std::vector{0.7});  // not one a volume
  EXPECT_DOUBLE_EQ(q.T1_blood, 1.35);
  // Look-Locker.
  pulsed["LookLocker"] = true, pulsed["PostLabelingDelay"] = std::vector<double>{0.8, 1.1, 1.4, 1.7},
  pulsed["FlipAngle"] = 30.0;
  const Protocol train = protocol_from(pulsed, 4, {});
  EXPECT_NEAR(train.readout_interval, 0.3, 1e-12);
  EXPECT_NEAR(*train.readout_FA, M_PI / 6, 1e-12);

  const auto refused = [&](auto change) {
    Metadata wrong = dro.series.meta;
    change(wrong);
    return message([&] { protocol_from(wrong, 2, {}); });
  };
  EXPECT_THAT(refused([](Metadata& w) { w.erase("ArterialSpinLabelingType"); }),
              HasSubstr("no ArterialSpinLabelingType"));
  EXPECT_THAT(refused([](Metadata& w) { w["ArterialSpinLabelingType"] = std::string("XASL"); }),
              HasSubstr("is 'XASL'"));
  EXPECT_THAT(refused([](Metadata& w) { w.erase("LabelingDuration"); }), HasSubstr("no LabelingDuration"));
  EXPECT_THAT(refused([](Metadata& w) { w.erase("PostLabelingDelay"); }), HasSubstr("no PostLabelingDelay"));
  EXPECT_THAT(refused([](Metadata& w) { w["PostLabelingDelay"] = 1800.0; }), HasSubstr("seconds, not milliseconds"));
  EXPECT_THAT(refused([](Metadata& w) { w["BackgroundSuppression"] = std::string("yes"); }),
              HasSubstr("neither true nor false"));
  pulsed["BolusCutOffFlag"] = false;
  EXPECT_THAT(message([&] { protocol_from(pulsed, 4, {}); }), HasSubstr("was not cut off"));
  pulsed["BolusCutOffFlag"] = true, pulsed["BolusCutOffTechnique"] = std::string("QUIPSS");
  EXPECT_THAT(message([&] { protocol_from(pulsed, 4, {}); }), HasSubstr("'QUIPSS' is not quantified"));
  pulsed["BolusCutOffTechnique"] = std::string("QUIPSSII"), pulsed.erase("FlipAngle");
  EXPECT_THAT(message([&] { protocol_from(pulsed, 4, {}); }), HasSubstr("no FlipAngle"));
  EXPECT_THAT(message([&] { roles_from({}, 3, 0); }), HasSubstr("3 volumes are no pairs"));
  EXPECT_THAT(message([&] { roles_from(dro.series.meta, 5, 0); }), HasSubstr("2 volume types for 5 volumes"));
  EXPECT_THAT(message([&] { noted_timings({}); }), HasSubstr("does not say when it was labelled"));
}

TEST(AslDro, RefusesWhatItCannotMake) {
  const auto refused = [](auto change) {
    DroOptions o = small();
    change(o);
    return message([&] { make_dro(o); });
  };
  EXPECT_THAT(refused([](DroOptions& o) { o.grid = {2, 2, 2}; }), HasSubstr("a grid of 2 x 2 x 2"));
  EXPECT_THAT(refused([](DroOptions& o) { o.labelling = "pcsl"; }), HasSubstr("did you mean labelling.pcasl?"));
  EXPECT_THAT(refused([](DroOptions& o) { o.LD = {1, 2, 3}; }), HasSubstr("3 labelling durations for 1 delays"));
  EXPECT_THAT(refused([](DroOptions& o) { o.CBF = {-1}; }), HasSubstr("a CBF of -1"));
  EXPECT_THAT(refused([](DroOptions& o) { o.ATT = {800}; }), HasSubstr("an ATT of 800"));
  EXPECT_THAT(refused([](DroOptions& o) { o.ATT.clear(); }), HasSubstr("no levels"));
  EXPECT_THAT(refused([](DroOptions& o) { o.T1 = 0; }), HasSubstr("T1 is 0"));
  EXPECT_THAT(refused([](DroOptions& o) { o.repeats = 0; }), HasSubstr("0 repeats"));
  EXPECT_THAT(refused([](DroOptions& o) { o.snr = -1; }), HasSubstr("below 0"));
}

// Tissues whose T1 is not the usual one: a T1 map says so, and is separated like the signals.
TEST(AslPartialVolume, KnowsTheT1OfEachTissueFromAMap) {
  const double T1[] = {1.6, 1.0}, flow[] = {10, 4}, ATT[] = {0.8, 1.1};
  const std::vector<Sample> samples{{.time = 2.2, .LD = 1.4}, {.time = 2.7, .LD = 1.4}, {.time = 3.4, .LD = 1.4}};
  const std::int64_t n = 14;
  Array y(DType::f32, {n, n, 1, 3}), gm(DType::f32, {n, n, 1}), wm = gm.clone();
  std::vector<float> map;
  for (std::int64_t v = 0; v < n * n; ++v) {
    const double g = 0.1 + 0.8 * static_cast<double>((v * 37) % 101) / 100, share[] = {g, 1 - g};
    gm.data<float>()[v] = static_cast<float>(g), wm.data<float>()[v] = static_cast<float>(1 - g);
    map.push_back(static_cast<float>(1 / (g / T1[0] + (1 - g) / T1[1])));
    for (std::size_t i = 0; i < 2; ++i) {
      const TissueKind& kind = i == 0 ? grey_matter : white_matter;
      const auto pure = signal(models().get("asl.pcasl"), samples, std::vector{flow[i], ATT[i]},
                               {.T1_tissue = T1[i], .T1_blood = 1.65, .slice_delay = 0, .partition = kind.partition});
      for (std::int64_t k = 0; k < 3; ++k)
        y.data<float>()[k * n * n + v] += static_cast<float>(share[i] * pure[static_cast<std::size_t>(k)]);
    }
  }
  const auto of = pure_T1(map, gm, wm, {}, {}, {});
  for (std::size_t v = 0; v < map.size(); ++v) {
    EXPECT_NEAR(of[0][v], T1[0], 1e-3);  // float sums over 25 voxels
    EXPECT_NEAR(of[1][v], T1[1], 1e-3);
  }
  Image reference;
  reference.data = gm;
  const auto flows = [&](std::span<const float> t1) {
    return partial_volume_maps(y, samples, {}, {}, gm, wm, {}, t1, {}, reference, {}, {});
  };
  const auto with = flows(map), without = flows({});
  for (std::int64_t v = 0; v < n * n; ++v) {
    EXPECT_NEAR(with.get("CBF_GM").values.data<float>()[v], flow[0], 0.02 * flow[0]) << v;
    EXPECT_NEAR(with.get("CBF_WM").values.data<float>()[v], flow[1], 0.02 * flow[1]) << v;
    EXPECT_GT(std::abs(without.get("CBF_GM").values.data<float>()[v] / flow[0] - 1), 0.05) << v;
  }
  // Where nothing tells the tissues apart the usual T1 holds.
  const Array half = [&] {
    Array a = gm.clone();
    for (float& x : a.span<float>()) x = 0.5f;
    return a;
  }();
  EXPECT_EQ(pure_T1(map, half, half, {}, {}, {})[1][5], static_cast<float>(white_matter.T1));
  EXPECT_THAT(message([&] { pure_T1(std::vector<float>(7, 1.0f), gm, wm, {}, {}, {}); }),
              HasSubstr("a T1 map of 7 voxels for tissue fractions of 196"));
}

}  // namespace
}  // namespace larmor::asl
