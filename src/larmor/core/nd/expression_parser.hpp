// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/nd/expression.hpp>

namespace larmor::nd {

struct Parsed {
  std::vector<std::string> variables;
  std::vector<Expression::Step> steps;
  int depth = 0;
};
Parsed parse_expression(const std::string& text);

}  // namespace larmor::nd
