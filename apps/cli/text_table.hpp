// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace larmor::cli {

/// Rows of text in aligned columns; numbers stand right. The first row is the head.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t indent = 0);
/// "12,408"
std::string with_commas(long long n);
/// A bound or start value as short text: 0, 0.05, 1e-3, inf.
std::string short_number(double x);

}  // namespace larmor::cli
