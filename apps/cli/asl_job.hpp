// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <vector>

#include "config.hpp"

namespace larmor::cli {

const ConfigTable& asl_config();

/// Files below a folder by their role, found by name.
struct AslFiles {
  std::vector<std::filesystem::path> series, contexts, m0, mask, T1, GM, WM, CSF;
};
AslFiles find_asl(const std::filesystem::path& folder);
/// The aslcontext.tsv of a series: of the same name, else the only one; empty when there is none.
std::filesystem::path context_beside(const std::filesystem::path& series,
                                     const std::vector<std::filesystem::path>& all);

class Wizard;
void ask_asl(Wizard& wizard);

}  // namespace larmor::cli
