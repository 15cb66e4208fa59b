// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

/// What can be named on the command line and in configurations, read from the registries: `larmor list`, the reference
/// pages, completion and the wizard use this.
namespace larmor::cli {

/// "models", "aifs", ...
std::vector<std::string> catalogue_kinds();
/// JSON of one kind (an array), or of "all" (an object of arrays). Errors   Errc::unknown_name
std::string catalogue_json(std::string_view kind);
/// The same as an aligned table.
std::string catalogue_text(std::string_view kind);
/// Reference page in Markdown. Errors   Errc::unknown_name
std::string catalogue_page(std::string_view kind);

std::vector<std::string> model_ids();
std::vector<std::string> aif_ids();
std::vector<std::string> fitter_ids();
std::vector<std::string> t1_ids();

}  // namespace larmor::cli
