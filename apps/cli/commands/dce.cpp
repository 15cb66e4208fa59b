// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

namespace larmor::cli {

void register_dce(Commands& commands) { commands.add(pipeline_command("dce")); }

}  // namespace larmor::cli
