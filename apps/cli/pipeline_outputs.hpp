// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pipeline.hpp"

namespace larmor::cli {

RunSummary summarise_run(const Pipeline& pipeline, const PipelineJob& job, const PipelineRun& run, const Config& config,
                         double read_seconds);
/// Everything but the report: maps with sidecars, dataset_description.json, summary.json, config.yaml, and the job's
/// own files.
void write_run(const std::filesystem::path& folder, const Pipeline& pipeline, const PipelineJob& job,
               const PipelineRun& run, const Config& config, const RunSummary& summary);
std::string summary_json(const RunSummary& summary, const PipelineJob& job, const PipelineRun& run);
std::string summary_text(const RunSummary& summary);

}  // namespace larmor::cli
