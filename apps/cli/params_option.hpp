// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/model.hpp>
#include <map>
#include <string>
#include <vector>

#include "command.hpp"

namespace larmor::cli {

/// `--param NAME=VALUE[,VALUE...] [unit]`, repeated.
Option params_option(std::string what);
/// What it says, by parameter, in engine units. `more` are names beside the model's (unit by name).
/// Errors   Errc::usage, Errc::unknown_name
std::map<std::string, std::vector<double>> read_params(const Call& call, const char* option, const dce::Model& model);

}  // namespace larmor::cli
