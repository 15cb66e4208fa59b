// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <string>

namespace larmor::nodes {

/// The array under other axis names, written "coil z y x" or with commas; itself when `names` is empty.
/// Errors   Errc::shape when their number is not the rank, Errc::usage for a name that comes twice
Array with_axis_names(const Array& array, const std::string& names);

}  // namespace larmor::nodes
