// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

namespace larmor::io {

/// Removes what an OutputFolder of a process that is gone (killed, say) left in `parent`: of the folder `name`, or of
/// any when it is empty. The next OutputFolder of the same target does so by itself.
void remove_leftovers(const std::filesystem::path& parent, const std::string& name = {});

}  // namespace larmor::io
