// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace larmor::server {

using json = nlohmann::json;

/// Applies a JSON patch (RFC 6902) in place and returns the patch that takes it back. All or nothing: on an error the
/// document is as it was. Costs what the operations touch, not what the document holds.
/// Errors   Errc::format for something that is no patch; HttpError 409 for one that does not apply, with the operation
json apply_patch(json& document, const json& patch);

/// "/a/b~1c" -> {"a", "b/c"}. Errors   Errc::format
std::vector<std::string> split_pointer(std::string_view pointer);

/// Joins patches of one undo step: a slider that is dragged keeps only its last value.
void merge_patches(json& forward, const json& next, json& inverse, const json& next_inverse);

}  // namespace larmor::server
