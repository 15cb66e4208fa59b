// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <larmor/flow/engine.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>

/// Runs the graphs that come with Larmor through the engine.
namespace larmor::test {

using flow::Value;

struct Ran {
  flow::RunReport report;
  std::map<std::string, Value> outputs;
  Array array(const std::string& name) const { return flow::ValueTraits<Array>::from(outputs.at(name)); }
};

inline flow::Graph example(const std::string& name) {
  return flow::load_graph(std::filesystem::path(LARMOR_SOURCE_DIR) / "examples/graphs" / (name + ".json"));
}

inline Ran run(const flow::Graph& graph, std::map<std::string, Value> inputs = {}) {
  flow::Engine engine(nodes::operations());
  flow::RunOptions options;
  options.inputs = std::move(inputs);
  Ran out{engine.run(graph, options), {}};
  for (const auto& [path, node] : out.report.nodes) EXPECT_EQ(node.error, "") << path << ": " << node.advice;
  EXPECT_EQ(out.report.state, "done");
  for (const auto& [name, port] : graph.outputs) out.outputs[name] = engine.value(graph, name, options);
  return out;
}

/// A file of the shared test data; empty when it is not there.
inline std::filesystem::path data(const std::string& name) {
  const char* folder = std::getenv("LARMOR_TEST_DATA");
  const auto path = std::filesystem::path(folder ? folder : LARMOR_SOURCE_DIR "/../shared/data") / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

inline std::vector<double> values(const Array& a) {
  const Array c = a.cast(DType::f64).contiguous_copy();
  return {c.data<double>(), c.data<double>() + c.size()};
}
inline std::vector<double> magnitudes(const Array& a) {
  const Array c = a.cast(DType::c128).contiguous_copy();
  std::vector<double> out;
  for (std::int64_t i = 0; i < c.size(); ++i) out.push_back(std::abs(c.data<std::complex<double>>()[i]));
  return out;
}
/// Correlation of two sets of numbers.
inline double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    ma += a[i] / static_cast<double>(a.size()), mb += b[i] / static_cast<double>(b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    ab += (a[i] - ma) * (b[i] - mb), aa += (a[i] - ma) * (a[i] - ma), bb += (b[i] - mb) * (b[i] - mb);
  return ab / std::sqrt(aa * bb);
}

}  // namespace larmor::test
