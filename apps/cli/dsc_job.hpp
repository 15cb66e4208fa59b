// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <vector>

#include "config.hpp"

namespace larmor::cli {

const ConfigTable& dsc_config();

/// Files below a folder by their role, found by name.
struct DscFiles {
  std::vector<std::filesystem::path> dynamic, mask, artery, reference, table;
};
DscFiles find_dsc(const std::filesystem::path& folder);

class Wizard;
void ask_dsc(Wizard& wizard);

}  // namespace larmor::cli
