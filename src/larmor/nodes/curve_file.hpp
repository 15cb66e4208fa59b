// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/aif.hpp>
#include <string>

namespace larmor::nodes {

/// Curve from CSV or TSV: a column named time, times, t or time_s (else the first) and the next [mM]; the times are
/// multiplied by `time_factor`. Errors   those of io::read_table; Errc::format (one column); those of Aif::check
Aif read_curve(const std::filesystem::path& path, double time_factor, bool plasma);
/// CSV with columns time and `column`.
void write_curve(const std::filesystem::path& path, const Aif& aif, const std::string& column);

}  // namespace larmor::nodes
