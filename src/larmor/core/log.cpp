// SPDX-License-Identifier: Apache-2.0
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <larmor/core/log.hpp>

namespace larmor::log {
namespace {
spdlog::logger& logger() {
  static const auto the_logger = [] {
    auto l = std::make_shared<spdlog::logger>("larmor", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    l->set_pattern("%^%l%$: %v");
    return l;
  }();
  return *the_logger;
}
}  // namespace

void set_level(Level level) {
  constexpr spdlog::level::level_enum map[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                               spdlog::level::err, spdlog::level::off};
  logger().set_level(map[static_cast<int>(level)]);
}
void debug(std::string_view text) { logger().debug("{}", text); }
void info(std::string_view text) { logger().info("{}", text); }
void warning(std::string_view text) { logger().warn("{}", text); }
void error(std::string_view text) { logger().error("{}", text); }

}  // namespace larmor::log
