// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value.hpp>
#include <nlohmann/json.hpp>

namespace larmor::server {

/// A value without the elements of its arrays: {"array":true,"path","dtype","shape","axes","min","max"} stands for one,
/// records say their type as "$type", and an image also its spacing and unit. `hash` is that of the value: extremes of
/// arrays are kept by it.
nlohmann::json value_tree(const flow::Value& value, const std::string& hash);

/// The array at a path of the tree: "data", "maps.0.values", "" for the value itself, or for the first array inside.
/// Errors   Errc::unknown_name, Errc::type
Array array_at(const flow::Value& value, std::string_view path);

}  // namespace larmor::server
