// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace larmor::cli {

/// An operation that runs as it is, with comments that say what to change.
std::string python_template(const std::string& name);
std::string cpp_template(const std::string& name);

}  // namespace larmor::cli
