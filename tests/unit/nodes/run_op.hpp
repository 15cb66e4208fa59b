// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/operations.hpp>
#include <map>
#include <string>

namespace larmor::test {

/// Runs one built-in operation and gives its outputs.
inline std::map<std::string, flow::Value> run_op(const std::string& id, std::map<std::string, flow::Value> inputs,
                                                 std::map<std::string, flow::Value> settings = {},
                                                 flow::Ports::Services services = {}) {
  const auto& all = nodes::operations();
  return flow::run_operation(all.get(id), all.types, std::move(inputs), std::move(settings), std::move(services));
}

/// There and back through what a cache file or another process sees.
inline flow::Value again(const flow::Value& value) {
  const auto encoded = flow::encode(value);
  return flow::decode(encoded.head, encoded.buffers);
}

}  // namespace larmor::test
