// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/engine.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/perfusion/asl/dro.hpp>
#include <larmor/perfusion/asl/pipeline.hpp>

#include "../same_bits.hpp"
#include "../unit/io/support.hpp"

namespace larmor::nodes {
namespace {

using flow::Value;
using flow::ValueTraits;
using testing::HasSubstr;

void set(flow::Graph& graph, const std::string& promoted, const Value& value) {
  const auto& p = graph.settings.at(promoted);
  graph.nodes.at(p.node).settings[p.setting] = value;
}

struct Data {
  asl::PipelineData data;
  std::map<std::string, Value> inputs;
};
Data data_of(const asl::DroOptions& o) {
  const auto dro = asl::make_dro(o);
  Data d;
  d.data.series = dro.series, d.data.M0 = dro.M0, d.data.mask = mask_from(dro.mask);
  d.inputs = {{"series", ValueTraits<Image>::to(dro.series)}, {"mask", ValueTraits<Image>::to(dro.mask)}};
  if (!dro.M0.data.empty()) d.inputs["m0"] = ValueTraits<Image>::to(dro.M0);
  if (!dro.tissue.empty()) {
    d.data.GM = dro.tissue[0].data, d.data.WM = dro.tissue[1].data;
    d.inputs["GM"] = ValueTraits<Image>::to(dro.tissue[0]), d.inputs["WM"] = ValueTraits<Image>::to(dro.tissue[1]);
  }
  return d;
}

void expect_graph_is_pipeline(const flow::Graph& graph, const Data& d, const asl::PipelineOptions& options) {
  flow::Engine engine(operations());
  flow::RunOptions run;
  run.inputs = d.inputs;
  const auto report = engine.run(graph, run);
  ASSERT_EQ(report.state, "done") << report.to_json();
  const auto a = ValueTraits<ParameterMaps>::from(engine.value(graph, "maps", run));
  const auto b = asl::run_pipeline(d.data, options);
  ASSERT_EQ(a.maps.size(), b.maps.maps.size());
  for (const auto& m : b.maps.maps) {
    EXPECT_TRUE(same_bits(a.get(m.name).values, m.values)) << m.name;
    EXPECT_TRUE(same_bits(a.get(m.name).standard_error, m.standard_error)) << m.name;
    EXPECT_EQ(a.get(m.name).unit, m.unit);
  }
  EXPECT_TRUE(same_bits(a.status, b.maps.status));
  const auto page = ValueTraits<Page>::from(engine.value(graph, "report", run));
  EXPECT_NE(page.html.find("Quality of the map"), std::string::npos);
  EXPECT_NE(page.html.find("Alsop et al., MRM 73:102 (2015)"), std::string::npos);
  const auto table = ValueTraits<io::Table>::from(engine.value(graph, "quality", run));
  EXPECT_EQ(table.rows.size(), 8u);
}

asl::DroOptions small() {
  asl::DroOptions o;
  o.grid = {16, 16, 6}, o.snr = 300, o.repeats = 6;
  o.PLD = {0.5, 1.0, 1.5, 2.0}, o.slice_interval = 0.05;
  return o;
}

TEST(AslGraph, GivesTheMapsOfTheLibrary) {
  auto options = small();
  options.tissues = true, options.suppression_pulses = 2;
  const Data d = data_of(options);
  auto graph = shipped_graph("asl");
  asl::PipelineOptions p;
  p.given.labelling = "auto", p.given.suppression_eff = 0.95;
  p.differences.outlier_sd = 3.5;
  expect_graph_is_pipeline(graph, d, p);
  // Other choices: subtraction, M0, model with one value held, partial volumes.
  p.differences.method = "difference.surround";
  set(graph, "differences.method", "difference.surround");
  p.M0.method = "m0.single";
  set(graph, "m0.method", "m0.single");
  p.quantify.model = "asl.pcasl_dispersed", p.quantify.params["sigma"].fixed = 0.15;
  p.partial_volume = true;
  set(graph, "partial_volume.on", true);
  for (const std::string section : {"fit", "partial_volume"})
    set(graph, section + ".model", "asl.pcasl_dispersed"), set(graph, section + ".params", "sigma: fixed=0.15");
  p.tissue.T1 = {1.2f};
  set(graph, "fit.T1", 1.2);
  p.given.T1_blood = 1.7;
  set(graph, "acquisition.T1_blood", 1.7);
  expect_graph_is_pipeline(graph, d, p);
}

TEST(AslGraph, FormulaOfOneDelayAndTimeEncoding) {
  auto options = small();
  options.PLD = {1.8}, options.M0_included = true;
  auto graph = shipped_graph("asl");
  asl::PipelineOptions p;
  p.given.labelling = "auto", p.given.suppression_eff = 0.95;
  p.differences.outlier_sd = 3.5;
  p.quantify.consensus = true;
  set(graph, "fit.method", "formula");
  const Data one = data_of(options);
  flow::Engine engine(operations());
  flow::RunOptions run;
  run.inputs = one.inputs;
  ASSERT_EQ(engine.run(graph, run).state, "done");
  const auto a = ValueTraits<ParameterMaps>::from(engine.value(graph, "maps", run));
  const auto b = asl::run_pipeline(one.data, p);
  EXPECT_TRUE(same_bits(a.get("CBF").values, b.maps.get("CBF").values));
  EXPECT_TRUE(same_bits(a.get("CBF").standard_error, b.maps.get("CBF").standard_error));

  options = small();
  options.encoding = 8, options.LD = {0.5}, options.PLD = {0.3};
  graph = shipped_graph("asl");
  set(graph, "acquisition.encoding", 8);
  p = {};
  p.given.labelling = "auto", p.given.suppression_eff = 0.95, p.given.encoding = 8;
  p.differences.outlier_sd = 3.5;
  expect_graph_is_pipeline(graph, data_of(options), p);
}

TEST(AslGraph, TheObjectFeedsTheShippedGraph) {
  const auto& types = operations();
  const auto made =
      flow::run_operation(types.get("asl.dro"), types.types, {},
                          {{"grid", flow::ValueTraits<std::vector<double>>::to({12, 12, 5})}, {"repeats", 2}});
  auto graph = shipped_graph("asl");
  flow::Engine engine(types);
  flow::RunOptions run;
  run.inputs = {{"series", made.at("series")}, {"m0", made.at("M0")}, {"mask", made.at("mask")}};
  ASSERT_EQ(engine.run(graph, run).state, "done");
  const auto truth = ValueTraits<ParameterMaps>::from(made.at("truth"));
  EXPECT_TRUE(truth.has("CBF") && truth.has("ATT"));
  EXPECT_TRUE(ValueTraits<ParameterMaps>::from(engine.value(graph, "maps", run)).has("ATT"));
}

/// Errors of the operations reach the node with what to do.
TEST(AslGraph, BadInputIsRefusedAtItsNode) {
  const auto& types = operations();
  Image plain;
  plain.data = Array(DType::f32, {4, 4, 2, 4});
  const auto series = ValueTraits<Image>::to(plain);
  const auto refused = [&](const char* op, std::map<std::string, Value> in,
                           std::map<std::string, Value> settings) -> std::string {
    try {
      flow::run_operation(types.get(op), types.types, std::move(in), std::move(settings));
    } catch (const Error& e) {
      return e.what();
    }
    return {};
  };
  EXPECT_THAT(refused("asl.differences", {{"series", series}}, {}), HasSubstr("no ArterialSpinLabelingType"));
  EXPECT_THAT(refused("asl.differences", {{"series", series}}, {{"labelling", "labelling.pcasl"}}),
              HasSubstr("no LabelingDuration"));
  EXPECT_THAT(refused("asl.differences", {{"series", series}}, {{"context", "control label m0scan"}}),
              HasSubstr("3 volume types do not fill 4 volumes"));
  EXPECT_THAT(refused("asl.differences", {{"series", series}}, {{"context", "control lable"}}),
              HasSubstr("did you mean label?"));
  EXPECT_THAT(refused("asl.quantify", {{"difference", series}, {"M0", series}}, {}),
              HasSubstr("does not say when it was labelled"));
  EXPECT_THAT(refused("asl.m0", {{"series", series}}, {{"source", "scan"}}), HasSubstr("there is no M0 scan"));
  EXPECT_THAT(refused("asl.partial_volume", {{"difference", series}, {"M0", series}}, {}),
              HasSubstr("does not say when"));
  ParameterMaps none;
  none.reference = plain;
  EXPECT_THAT(refused("asl.quality", {{"maps", ValueTraits<ParameterMaps>::to(none)}}, {}), HasSubstr("CBF"));
  EXPECT_THAT(refused("asl.report", {{"maps", ValueTraits<ParameterMaps>::to(none)}, {"signal", series}}, {}),
              HasSubstr("no quantification of ASL"));
}

}  // namespace
}  // namespace larmor::nodes
