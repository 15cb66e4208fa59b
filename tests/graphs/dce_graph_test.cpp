// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <larmor/core/units.hpp>
#include <larmor/flow/engine.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <larmor/perfusion/dce/pipeline.hpp>

#include "../same_bits.hpp"
#include "../unit/io/support.hpp"

namespace larmor::nodes {
namespace {

using flow::State;
using flow::Value;
using flow::ValueTraits;
using testing::HasSubstr;

flow::Graph example() { return flow::load_graph(LARMOR_SOURCE_DIR "/examples/graphs/dce.json"); }

void set(flow::Graph& graph, const std::string& promoted, const Value& value) {
  const auto& p = graph.settings.at(promoted);
  graph.nodes.at(p.node).settings[p.setting] = value;
}

/// A small object as files would give it, and the same as the library takes it.
struct Data {
  std::map<std::string, Value> inputs;
  dce::PipelineData data;
  dce::PipelineOptions options;
};
Data make_data(bool signal) {
  dce::DroOptions o;
  o.grid = {16, 16, 8};
  o.snr = signal ? 100 : 0;
  o.signal = signal;
  const auto dro = dce::make_dro(o);
  Data d;
  d.data.dynamic = dro.dynamic;
  d.data.mask = mask_from(dro.mask);
  d.inputs = {{"dynamic", ValueTraits<Image>::to(dro.dynamic)}, {"mask", ValueTraits<Image>::to(dro.mask)}};
  d.options.concentration = !signal;
  d.options.spgr = {.FA = 15 * units::degree, .TR = 5 * units::millisecond, .r1 = o.r1};
  if (signal) {
    d.data.t1_series = dro.vfa;
    d.inputs["t1_series"] = ValueTraits<Image>::to(dro.vfa);
    d.options.t1_protocol.FA = in_rad(meta_numbers(dro.vfa.meta, "FlipAngle"));
    d.options.t1_protocol.TR = {5 * units::millisecond};
  }
  return d;
}

ParameterMaps run_graph(const flow::Graph& graph, const std::map<std::string, Value>& inputs) {
  flow::Engine engine(operations());
  flow::RunOptions run;
  run.inputs = inputs;
  const auto report = engine.run(graph, run);
  EXPECT_EQ(report.state, "done") << report.to_json();
  return ValueTraits<ParameterMaps>::from(engine.value(graph, "maps", run));
}

void expect_equal(const ParameterMaps& a, const ParameterMaps& b) {
  ASSERT_EQ(a.maps.size(), b.maps.size());
  for (std::size_t i = 0; i < a.maps.size(); ++i) {
    EXPECT_EQ(a.maps[i].name, b.maps[i].name);
    EXPECT_EQ(a.maps[i].unit, b.maps[i].unit);
    EXPECT_TRUE(same_bits(a.maps[i].values, b.maps[i].values)) << a.maps[i].name;
    EXPECT_TRUE(same_bits(a.maps[i].standard_error, b.maps[i].standard_error)) << a.maps[i].name;
  }
  EXPECT_TRUE(same_bits(a.status, b.status));
}

TEST(DceGraph, GivesTheMapsOfTheLibrary) {
  auto d = make_data(true);
  auto graph = shipped_graph("dce");
  expect_equal(run_graph(graph, d.inputs), dce::run_pipeline(d.data, d.options).maps);
  // One T1 for all, several models, another input, a parameter with a bound.
  d.inputs.erase("t1_series");
  d.data.t1_series = {}, d.data.T10 = {1.3F};
  set(graph, "t1.fixed", 1.3F);
  d.options.models = {"dce.patlak", "dce.extended_tofts"};
  set(graph, "fit.model", "dce.patlak"), set(graph, "fit.compare", "dce.extended_tofts");
  d.options.input.model = "aif.georgiou";
  set(graph, "aif.model", "aif.georgiou");
  d.options.fit.params["ve"] = {.upper = 0.3};
  set(graph, "fit.params", "ve: upper=0.3");
  d.options.descriptors = false;
  set(graph, "output.descriptors", false);
  expect_equal(run_graph(graph, d.inputs), dce::run_pipeline(d.data, d.options).maps);
}

TEST(DceGraph, TakesConcentrationAndAMeasuredInput) {
  auto d = make_data(false);
  auto graph = shipped_graph("dce");
  Aif blood{.times = {}, .values = {}, .plasma = false};
  for (int i = 0; i < 60; ++i)
    blood.times.push_back(5.0 * i), blood.values.push_back(i < 4 ? 0 : 6 * std::exp(-i / 9.0));
  d.data.curves = {blood};
  d.inputs["aif_curve"] = ValueTraits<Aif>::to(blood);
  d.options.input.source = dce::AifSource::curve, d.options.input.Hct = 0.4;
  set(graph, "t1.source", "none"), set(graph, "signal.method", "none");
  set(graph, "aif.source", "curve"), set(graph, "aif.Hct", 0.4);
  expect_equal(run_graph(graph, d.inputs), dce::run_pipeline(d.data, d.options).maps);
}

TEST(DceGraph, MapAndB1AreTaken) {
  auto d = make_data(true);
  d.data.t1_series = {};
  d.inputs.erase("t1_series");
  const std::size_t n = 16 * 16 * 8;
  for (std::size_t v = 0; v < n; ++v)
    d.data.T10.push_back(1.0F + 0.0001F * static_cast<float>(v)),
        d.data.B1.push_back(0.9F + 0.0001F * static_cast<float>(v));
  Image map = d.data.dynamic;
  map.times.clear();
  map.data = Array::from<float>(d.data.T10, {16, 16, 8}, {"x", "y", "z"});
  d.inputs["t1_map"] = ValueTraits<Image>::to(map);
  map.data = Array::from<float>(d.data.B1, {16, 16, 8}, {"x", "y", "z"});
  d.inputs["B1"] = ValueTraits<Image>::to(map);
  expect_equal(run_graph(shipped_graph("dce"), d.inputs), dce::run_pipeline(d.data, d.options).maps);
}

TEST(DceGraph, MakesAReportOfItsOwn) {
  const auto d = make_data(true);
  const auto graph = shipped_graph("dce");
  flow::Engine engine(operations());
  flow::RunOptions run;
  run.inputs = d.inputs;
  ASSERT_EQ(engine.run(graph, run).state, "done");
  const auto page = ValueTraits<Page>::from(engine.value(graph, "report", run));
  for (const char* section : {"Maps", "Uncertainty", "Arterial input", "Fitted curves", "Quality", "T1 before contrast",
                              "Uptake", "References", "Provenance"})
    EXPECT_THAT(page.html, HasSubstr(section));
}

TEST(DceGraph, WhatIsMissingIsToldAtItsNode) {
  auto d = make_data(true);
  d.inputs.erase("t1_series");
  const auto graph = shipped_graph("dce");
  flow::Engine engine(operations());
  flow::RunOptions run;
  run.inputs = d.inputs;
  const auto report = engine.run(graph, run);
  EXPECT_EQ(report.state, "failed");
  const auto& t1 = report.nodes.at("t1");
  EXPECT_EQ(t1.state, State::error);
  EXPECT_EQ(t1.code, "range");
  EXPECT_THAT(t1.error, HasSubstr("no T1"));
  EXPECT_FALSE(t1.advice.empty());
  EXPECT_THAT(t1.where, testing::Contains(HasSubstr("t1")));
  EXPECT_EQ(report.nodes.at("fit").state, State::skipped);
}

TEST(DceGraph, DocumentsAreAsThePrettyPrinterWritesThem) {
  for (const auto& [name, text] : shipped_graphs()) EXPECT_EQ(flow::to_json(shipped_graph(name)), text) << name;
  const std::string file = LARMOR_SOURCE_DIR "/examples/graphs/dce.json";
  EXPECT_EQ(flow::to_json(flow::load_graph(file)), test::slurp(file));
  for (const auto& graph : {shipped_graph("dce"), example()})
    for (const auto& issue : flow::check(graph, operations())) ADD_FAILURE() << issue.node << ": " << issue.message;
  EXPECT_THAT(test::caught([] { shipped_graph("dec"); }).what(), HasSubstr("did you mean dce?"));
}

TEST(DceExample, FindsTheTruthAgain) {
  flow::Engine engine(operations());
  const auto graph = example();
  const auto report = engine.run(graph);
  EXPECT_EQ(report.state, "done") << report.to_json();
  EXPECT_TRUE(engine.value(graph, "good").boolean());
  for (const auto& [path, node] : report.nodes) EXPECT_TRUE(node.warnings.empty()) << path << node.warnings[0];
  // Noise-free it is nearer still, and a model without plasma is not: the comparison means something.
  auto clean = example();
  set(clean, "snr", 0.0);
  ASSERT_EQ(engine.run(clean).state, "done");
  const auto error = engine.value(clean, "error.out").field("data").array();
  double largest = 0;
  for (const float e : error.span<const float>())
    if (std::isfinite(e)) largest = std::max(largest, std::abs(static_cast<double>(e)));
  EXPECT_LT(largest, 0.02);  // 1/min; the first pass is sampled every second: 2 % of 0.35
  auto wrong = example();
  set(wrong, "model", "dce.tofts");
  const auto told = engine.run(wrong);
  EXPECT_EQ(told.state, "done");
  EXPECT_FALSE(engine.value(wrong, "good").boolean());
  EXPECT_EQ(told.nodes.at("check").state, State::warning);
  // Only what depends on the model ran again.
  EXPECT_EQ(told.nodes.at("object").state, State::cached);
  EXPECT_EQ(told.nodes.at("fit").state, State::done);
}

}  // namespace
}  // namespace larmor::nodes
