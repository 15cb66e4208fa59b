// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/clinic/rules.hpp>
#include <larmor/core/log.hpp>
#include <nlohmann/json.hpp>

#include "../dicom_series.hpp"
#include "../hippocampus_job.hpp"
#include "../print_json.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  if (call.flag("--rules-default")) {
    if (call.json)
      print_json({{"rules_yaml", clinic::default_rules_yaml()}});
    else
      fmt::print("{}", clinic::default_rules_yaml());
    return 0;
  }
  if (!call.given("STUDY"))
    throw Error(Errc::usage, "larmor hippocampus: STUDY is missing (folder of a DICOM study)",
                "usage: larmor hippocampus STUDY -o OUT");
  if (!call.given("--out"))
    throw Error(Errc::usage, "larmor hippocampus: --out is missing (folder that receives the results)", "add -o OUT");
  HippocampusJob job = job_from(call);
  require_outside(call.text("--out"), call.text("STUDY"));
  const auto archive = archive_from(call);
  job.study = call.text("STUDY"), job.out = call.text("--out"), job.labels = call.texts("--labels"),
  job.earlier = call.texts("--earlier");
  const auto done = run_hippocampus(job, console_progress(call.quiet), Cancel::interrupt());
  for (const auto& line : done.explanation) log::info(line);
  std::string told;
  const bool sent = !archive || send_results(done.objects, *archive, Cancel::interrupt(), told);
  if (call.json) {
    nlohmann::ordered_json j{{"folder", job.out}};
    j.update(nlohmann::ordered_json::parse(done.results));
    j.erase("Provenance");
    if (archive) j["sent"] = sent;
    print_json(j);
  } else {
    fmt::print("{}", results_text(done.results));
    if (!told.empty()) fmt::print("{}\n", told);
  }
  if (!call.quiet)
    fmt::print(stderr, "{}: {} DICOM objects, report.pdf, labels, results.json  ({:.2f} s)\n", call.text("--out"),
               done.objects.size(), done.seconds);
  if (!sent) fmt::print(stderr, "not all objects were stored; sent.json says which, and the results are kept\n");
  return sent ? 0 : 1;
}

std::vector<Option> options() {
  std::vector<Option> all{
      folder("--out", "folder that receives the results").output().as("-o"),
      file("--labels",
           "labels instead of the network's (NIfTI: 0, 1 anterior, 2 posterior), corrected by hand, say; one a side, "
           "the left one first")
          .many(),
      file("--earlier", "results.json of an earlier study of the patient, or a folder with some").many(),
      flag("--rules-default", "print the rules by which a series is chosen, as YAML")};
  for (auto& o : hippocampus_options()) all.push_back(std::move(o));
  return all;
}

}  // namespace

void register_hippocampus(Commands& commands) {
  commands.add(
      {.name = "hippocampus",
       .does = "Volumes of the hippocampus from a DICOM study, as DICOM SEG, SR, PDF and Secondary Capture, NIfTI, "
               "JSON and CSV",
       .in = {{.name = "STUDY", .what = "folder of a DICOM study", .kind = Kind::folder, .optional = true}},
       .opt = options(),
       .refs = {"DICOM PS3.3 A.51 (segmentation), PS3.16 TID 1500 (measurement report)",
                "Antonelli et al., Nat Commun 13:4128 (2022)"},
       .examples =
           {"larmor hippocampus study1 -o results/study1",
            "larmor hippocampus study1 -o results/study1 --side left --earlier results",
            "larmor hippocampus study1 -o corrected --labels corrected.nii.gz --send pacs:104 --called ARCHIVE"},
       .more = "The series is chosen by rules on its attributes; the side comes from DICOM or --side, never from the "
               "picture. Two crops, one left and one right, are measured "
               "together. OUT appears whole or not at all; the study is not changed. With --send the exit code is 1 "
               "when an object was not stored.\n"
               "The work is the shipped graph \"hippocampus\": larmor graph show hippocampus, or open it in Studio. "
               "Research use only, not for diagnosis.",
       .run = run});
}

}  // namespace larmor::cli
