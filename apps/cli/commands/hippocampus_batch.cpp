// SPDX-License-Identifier: Apache-2.0
#include "../hippocampus_batch.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../print_json.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  BatchJob batch{.root = call.text("ROOT"),
                 .out = call.text("--out"),
                 .each = job_from(call),
                 .labels = call.given("--labels") ? call.text("--labels") : "",
                 .archive = archive_from(call),
                 .workers = call.integer("--workers"),
                 .again = call.flag("--again"),
                 .skip_others = call.flag("--skip-others"),
                 .changes = !call.flag("--no-changes"),
                 .quiet = call.quiet};
  const auto summary = run_batch(batch, Cancel::interrupt());
  if (call.json) {
    nlohmann::ordered_json told{{"folder", batch.out}};
    told.update(nlohmann::ordered_json::parse(summary_json(summary)));
    print_json(told);
  } else {
    fmt::print("{}", summary_table(summary));
  }
  if (summary.rows.empty()) {
    fmt::print(stderr, "no DICOM study is in {} ({} files)\n", batch.root, summary.files);
    return 2;
  }
  if (summary.measured() == 0 && summary.failed() == 0) {
    fmt::print(stderr, "no study in {} has a series that fits the rules\n", batch.root);
    return 2;
  }
  return summary.failed() ? 1 : 0;
}

std::vector<Option> options() {
  std::vector<Option> all{
      folder("--out", "folder that receives a folder of results for each study, summary.json and summary.csv")
          .output()
          .as("-o")
          .need(),
      integer("--workers", "studies at the same time", 1, 1, 256),
      folder("--labels",
             "folder with labels for each study, as an earlier run wrote them (FOLDER/<study>/labels.nii.gz), "
             "corrected by hand, say"),
      flag("--again", "measure also what has results already"),
      flag("--skip-others", "studies in which no series fits the rules are no failures"),
      flag("--no-changes", "no change against earlier studies of the same patient in OUT")};
  for (auto& o : hippocampus_options()) all.push_back(std::move(o));
  return all;
}

}  // namespace

void register_hippocampus_batch(Commands& commands) {
  commands.add(
      {.name = "hippocampus batch",
       .does = "larmor hippocampus for every study below a folder",
       .in = {{.name = "ROOT", .what = "folder with DICOM files, or with folders of them", .kind = Kind::folder}},
       .opt = options(),
       .examples = {"larmor hippocampus batch archive -o results --workers 2",
                    "larmor hippocampus batch inbox -o results --send pacs:104 --aet LARMOR --called ARCHIVE"},
       .more = "Studies are found by content, whatever files and folders are called. What has results of the same "
               "files and settings is not measured again, so a run that was "
               "killed goes on where it was; objects that an archive did not store are sent again. Every study has a "
               "folder of its own, named after patient, date and study.\n"
               "Exit code 0 when all is done, 1 when a study failed, a file was damaged or an object was not stored, 2 "
               "when nothing was found.",
       .run = run});
}

}  // namespace larmor::cli
