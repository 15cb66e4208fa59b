// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/number_text.hpp>
#include <string>
#include <vector>

namespace larmor::cli {

/// Rows of text in aligned columns; numbers stand right. The first row is the head.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t indent = 0);
using nodes::short_number;
using nodes::with_commas;

}  // namespace larmor::cli
