// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <nlohmann/json.hpp>

namespace larmor::server {

using json = nlohmann::json;
class Shipped;

/// Types, operations, shipped graphs and what opens which file: all that the canvas knows of operations.
json catalogue(const flow::NodeTypes& types, const Shipped& shipped);

/// A setting as forms draw it; bounds that are infinite are left out.
json describe(const flow::Setting& setting);
json describe(const flow::Issue& issue);
json describe(const std::vector<flow::Issue>& issues);
/// Small values as JSON, arrays as a line about them.
json plain(const flow::Value& value);

}  // namespace larmor::server
