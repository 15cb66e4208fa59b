// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/map_files.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::cli {

using nodes::MapFiles;
using nodes::MapSummary;
using nodes::summarise;
using nodes::write_dataset_description;
using nodes::write_maps;
using nodes::written_unit;

/// {"software": "larmor", "version": ..., "command": ..., "settings": {...}, "sources": [...]} as JSON.
/// A source has its role, its name as given, its size and the SHA-256 of its content.
/// `settings` values are JSON texts.
std::string provenance_json(const std::string& command, const std::map<std::string, std::string>& settings,
                            const std::vector<std::pair<std::string, std::string>>& sources);

}  // namespace larmor::cli
