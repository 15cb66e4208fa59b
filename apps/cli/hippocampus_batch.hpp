// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "hippocampus_job.hpp"

namespace larmor::cli {

struct BatchJob {
  std::string root, out;
  HippocampusJob each;  // what is the same for all
  std::string labels =
      {};  // folder with <study folder>/labels*.nii.gz: corrected segmentations instead of the network's
  std::optional<clinic::Archive> archive;
  int workers = 1;
  bool again = false, skip_others = false, changes = true, quiet = false;
};

struct BatchRow {
  std::string patient_id, study_date, study_uid, folder;
  /// "done", "there" (from an earlier run), "failed", "no series", "waiting" (the run ended before it)
  std::string status = "waiting";
  std::string reason;  // of a failure
  std::string sent;    // "5 of 5 objects stored at ..."; empty: nothing was to be sent
  bool stored = true;
  std::string results;  // results.json
  double seconds = 0;
};
struct BatchSummary {
  std::vector<BatchRow> rows;
  std::vector<std::pair<std::string, std::string>> damaged;  // file, reason
  std::size_t files = 0, foreign = 0;
  int measured() const;
  int failed() const;  // studies, damaged files, objects not stored
};

/// Measures every study below job.root. Writes summary.json and summary.csv into job.out after each study.
/// Errors   Errc::file, Errc::cancelled; what a study does wrong is in its row
BatchSummary run_batch(const BatchJob& job, const Cancel& cancel);
std::string summary_json(const BatchSummary& summary);
std::string summary_table(const BatchSummary& summary);

}  // namespace larmor::cli
