// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

namespace larmor::cli {

void register_ivim(Commands& commands) { commands.add(pipeline_command("ivim")); }

}  // namespace larmor::cli
