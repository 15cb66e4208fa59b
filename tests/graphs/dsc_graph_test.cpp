// SPDX-License-Identifier: Apache-2.0
// The shipped graph "dsc" and its operations: dsc.dro dsc.relaxation dsc.leakage dsc.input_function dsc.concentration
// dsc.first_pass dsc.deconvolve dsc.normalise dsc.report.
#include <gmock/gmock.h>

#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/perfusion/dce/steps.hpp>
#include <larmor/perfusion/dsc/maps.hpp>

#include "../same_bits.hpp"
#include "run_graph.hpp"

namespace larmor::test {
namespace {

using flow::ValueTraits;
using testing::HasSubstr;

void set(flow::Graph& graph, const std::string& promoted, const Value& value) {
  const auto& p = graph.settings.at(promoted);
  graph.nodes.at(p.node).settings[p.setting] = value;
}

struct Data {
  dsc::DroOptions options;
  dsc::Dro dro;
  std::map<std::string, Value> inputs;
};
Data object(double snr = 80) {
  Data d;
  d.options.grid = {24, 20, 6}, d.options.snr = snr;
  d.dro = dsc::make_dro(d.options);
  d.inputs = {{"dynamic", ValueTraits<Image>::to(d.dro.dynamic)},
              {"mask", ValueTraits<Image>::to(d.dro.mask)},
              {"aif_region", ValueTraits<Image>::to(d.dro.artery)},
              {"reference", ValueTraits<Image>::to(d.dro.reference)}};
  return d;
}
flow::Graph graph_of(const char* method, const char* leakage = "none") {
  auto graph = nodes::shipped_graph("dsc");
  set(graph, "aif.source", "region"), set(graph, "aif.relation", "blood_1.5T");
  set(graph, "deconvolution.method", method), set(graph, "leakage.method", leakage);
  return graph;
}

TEST(DscGraph, GivesTheMapsOfTheLibrary) {
  const Data d = object();
  const Ran ran = run(graph_of("dsc.csvd", "leakage.bsw"), d.inputs);
  const auto maps = ValueTraits<ParameterMaps>::from(ran.outputs.at("maps"));

  const auto mask = mask_from(d.dro.mask);
  const auto& t = d.dro.dynamic.times;
  const auto r = dsc::relaxation_change(d.dro.dynamic.data, t, {}, {.TE = d.options.TE});
  const auto l = dsc::correct_leakage(
      r.dR2, t, mask, {.method = "leakage.bsw", .baseline_first = r.baseline_first, .baseline_last = r.baseline_last});
  const auto input = dsc::find_input(r.dR2, t, {.source = dsc::InputSource::region, .blood = dsc::blood_1_5T}, mask,
                                     mask_from(d.dro.artery), nullptr);
  dsc::DeconvolutionOptions o;
  o.method = "dsc.csvd", o.baseline_frames = r.baseline_last - r.baseline_first;
  const auto found =
      dsc::deconvolve(dsc::concentration(l.corrected, {}), t, input.blood.values, input.arrival, mask, o);
  const auto direct = dsc::normalised(dsc::maps_of(found, d.dro.mask, {}, o.method, o.correction, r.status),
                                      mask_from(d.dro.reference));
  for (const auto& m : direct.maps) {
    EXPECT_TRUE(same_bits(maps.get(m.name).values, m.values)) << m.name;
    EXPECT_TRUE(same_bits(maps.get(m.name).standard_error, m.standard_error)) << m.name;
  }
  EXPECT_TRUE(same_bits(maps.status, direct.status));
  for (const char* name : {"K2", "CNR", "S0", "rCBF", "rCBV"}) EXPECT_TRUE(maps.has(name)) << name;
  const auto page = ValueTraits<nodes::Page>::from(ran.outputs.at("report"));
  for (const char* text : {"Arterial input", "Leakage", "Wu et al., MRM 50:164 (2003)", "Fitted curves"})
    EXPECT_THAT(page.html, HasSubstr(text));
}

TEST(DscGraph, EveryChoiceRuns) {
  const Data d = object();
  for (const auto& [id, m] : dsc::deconvolutions()) {
    auto graph = graph_of(id.c_str(), "leakage.bidirectional");
    set(graph, "tissue.first_pass", "gamma_variate"), set(graph, "aif.first_pass", true);
    set(graph, "deconvolution.rule", "rectangle"), set(graph, "normalise.reference_CBF", 22.0);
    const auto maps = ValueTraits<ParameterMaps>::from(run(graph, d.inputs).outputs.at("maps"));
    EXPECT_TRUE(maps.has("CBF") && maps.has("rCBF") && maps.has("kep")) << id;
  }
}

TEST(DscGraph, ItsExampleComparesWithTheTruth) {
  auto graph = example("dsc");
  const auto table = ValueTraits<io::Table>::from(run(graph).outputs.at("comparison"));
  ASSERT_EQ(table.rows.size(), 4u);  // CBF, CBV, MTT, delay
  EXPECT_EQ(table.rows[0][0], "CBF");
}

TEST(DscGraph, OperationsSayWhatIsWrong) {
  const Data d = object();
  const auto message = [&](const flow::Graph& graph, const std::map<std::string, Value>& inputs) {
    flow::Engine engine(nodes::operations());
    flow::RunOptions options;
    options.inputs = inputs;
    std::string all;
    for (const auto& [path, node] : engine.run(graph, options).nodes) all += node.error + "\n" + node.advice + "\n";
    return all;
  };
  auto without = d.inputs;
  without.erase("aif_region");
  EXPECT_THAT(message(graph_of("dsc.osvd"), without), HasSubstr("no AIF region"));
  auto nameless = d.inputs;
  Image plain = d.dro.dynamic;
  plain.meta.clear();
  nameless["dynamic"] = ValueTraits<Image>::to(plain);
  EXPECT_THAT(message(graph_of("dsc.osvd"), nameless), HasSubstr("TE is not known"));
  auto graph = graph_of("dsc.osvd");
  set(graph, "aif.source", "curve");
  EXPECT_THAT(message(graph, d.inputs), HasSubstr("no measured input curve"));
  auto short_curve = d.inputs;
  short_curve["aif_curve"] = ValueTraits<Aif>::to(Aif{.times = {0, 10, 20}, .values = {0, 1, 0}, .plasma = false});
  EXPECT_THAT(message(graph, short_curve), HasSubstr("the input curve ends at 20 s"));
  auto elsewhere = d.inputs;
  Image outside = d.dro.reference;
  outside.data = d.dro.artery.data;
  elsewhere["reference"] = ValueTraits<Image>::to(outside);
  EXPECT_THAT(message(graph_of("dsc.osvd"), elsewhere), HasSubstr("the reference region has no usable voxel"));
  auto frames = graph_of("dsc.osvd");
  set(frames, "signal.baseline", Value(std::vector<Value>{Value(30.0), Value(20.0)}));
  EXPECT_THAT(message(frames, d.inputs), HasSubstr("takes frames 30 to 20 of 60"));
}

TEST(DscQuality, WarnsOfWhatIsWrongWithTheInput) {
  Aif input{.times = {}, .values = {}, .plasma = false};
  for (int i = 0; i < 60; ++i) input.times.push_back(1.5 * i), input.values.push_back(i >= 10 && i < 40 ? 5.0 : 0.0);
  const std::vector<float> CNR(10, 2.0f);
  const std::vector<std::uint8_t> status{1, 1, 7, 7, 0};
  const auto q = dsc::quality(input, 120, 0.03, 15, CNR, status);
  EXPECT_NEAR(q.usable, 0.5, 1e-12);
  EXPECT_NEAR(q.input_width, 1.5 * 29, 1e-9);
  EXPECT_EQ(q.warnings.size(), 5u);
  const auto good = dsc::quality(dsc::make_dro({.grid = {8, 8, 4}}).aif, 50, 0.03, 15, std::vector<float>(10, 20.0f),
                                 std::vector<std::uint8_t>(5, 1));
  EXPECT_TRUE(good.warnings.empty()) << good.warnings[0];
}

}  // namespace
}  // namespace larmor::test
