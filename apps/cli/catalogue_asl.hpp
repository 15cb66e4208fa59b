// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

/// The registries of ASL as `larmor list` gives them.
namespace larmor::cli {

nlohmann::ordered_json asl_models_json();
nlohmann::ordered_json labellings_json();
nlohmann::ordered_json differences_json();
nlohmann::ordered_json m0_methods_json();

}  // namespace larmor::cli
