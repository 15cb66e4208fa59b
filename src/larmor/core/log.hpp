// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace larmor::log {

enum class Level { debug, info, warning, error, off };
/// Messages below `level` are dropped. Talk goes to stderr; stdout is for numbers.
void set_level(Level level);
void debug(std::string_view text);
void info(std::string_view text);
void warning(std::string_view text);
void error(std::string_view text);

}  // namespace larmor::log
