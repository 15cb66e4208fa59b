// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace larmor::nodes {

/// "12,408"
std::string with_commas(long long n);
/// Four figures: 0, 0.05, 1e-3, inf.
std::string short_number(double x);

}  // namespace larmor::nodes
