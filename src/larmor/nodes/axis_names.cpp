// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/nodes/axis_names.hpp>

namespace larmor::nodes {

Array with_axis_names(const Array& array, const std::string& names) {
  Axes axes;
  for (std::size_t at = 0; (at = names.find_first_not_of(" ,", at)) != std::string::npos;) {
    const auto end = std::min(names.find_first_of(" ,", at), names.size());
    axes.push_back(names.substr(at, end - at));
    at = end;
  }
  if (axes.empty()) return array;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (std::find(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(i), axes[i]) !=
        axes.begin() + static_cast<std::ptrdiff_t>(i))
      throw Error(Errc::usage, "two axes are called '" + axes[i] + "'", "give each its own name");
  if (static_cast<int>(axes.size()) != array.rank())
    throw Error(
        Errc::shape,
        std::to_string(axes.size()) + " names for the " + std::to_string(array.rank()) + " axes of " + array.describe(),
        "give one name an axis, in their order");
  return array.with_axes(axes);
}

}  // namespace larmor::nodes
