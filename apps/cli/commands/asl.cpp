// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

namespace larmor::cli {

void register_asl(Commands& commands) { commands.add(pipeline_command("asl")); }

}  // namespace larmor::cli
