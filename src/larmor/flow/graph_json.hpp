// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <nlohmann/json.hpp>

/// Shared by the files that read and write graph documents; heavy, for .cpp files only.
namespace larmor::flow {

using Json = nlohmann::json;  // keys sorted

/// Parses text, refusing what JSON parsers let pass: a key given twice, nesting that would overflow the stack.
/// Errors   Errc::format with line and column
Json parse_document(std::string_view text);
/// Brings a document of an older version to the current one. Errors   Errc::format
void migrate(Json& document);
/// Two spaces, keys sorted, what fits on a line on one line.
std::string pretty(const Json& json);
/// A value as it stands in a document: [1, 2] is a list, NaN is {"$number": "nan"}. Errors   Errc::type for an array
/// that is no list of numbers
Json setting_json(const Value& value);

}  // namespace larmor::flow
