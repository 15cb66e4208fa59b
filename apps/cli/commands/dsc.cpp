// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

namespace larmor::cli {

void register_dsc(Commands& commands) { commands.add(pipeline_command("dsc")); }

}  // namespace larmor::cli
