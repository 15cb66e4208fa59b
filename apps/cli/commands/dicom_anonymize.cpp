// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/log.hpp>
#include <larmor/io/dicom/anonymize.hpp>
#include <larmor/io/dicom/scan.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "../dicom_series.hpp"
#include "command.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

dicom::AnonymizeOptions options_of(const Call& call) {
  dicom::AnonymizeOptions o{.key = call.given("--key") ? call.text("--key") : dicom::new_uid()};
  for (const auto& word : call.texts("--keep")) {
    if (word == "uids")
      o.keep_uids = true;
    else if (word == "device")
      o.keep_device = true;
    else if (word == "institution")
      o.keep_institution = true;
    else if (word == "characteristics")
      o.keep_characteristics = true;
    else if (word == "dates")
      o.keep_dates = true;
    else {
      dicom::tag(word);
      o.keep.push_back(word);
    }
  }
  o.keep_private = call.texts("--keep-private");
  if (call.given("--shift-days")) o.shift_days = call.integer("--shift-days");
  if (o.keep_dates && o.shift_days)
    throw Error(Errc::usage, "dates cannot be kept and moved", "give --keep dates or --shift-days");
  if (call.given("--id")) o.patient_id = call.text("--id");
  if (call.given("--name")) o.patient_name = call.text("--name");
  return o;
}

int run(const Call& call) {
  const auto options = options_of(call);
  const auto& cancel = Cancel::interrupt();
  require_outside(call.text("--out"), call.text("PATH"));
  if (std::error_code ec;
      std::filesystem::is_directory(call.text("--out"), ec) && !std::filesystem::is_empty(call.text("--out"), ec))
    throw Error(Errc::usage, fmt::format("folder {} is not empty", call.text("--out")),
                "name a new one: objects of two runs would stand in one series");
  const auto found = dicom::scan(call.text("PATH"), console_progress(call.quiet), &cancel);
  if (found.studies.empty())
    throw Error(Errc::format, fmt::format("no DICOM object is in {}", call.text("PATH")),
                dicom::rejected_text(found.rejected));
  std::set<std::string> patients;
  for (const auto& s : found.studies) patients.insert(s.patient_id);
  if (!options.patient_id.empty() && patients.size() > 1)
    throw Error(Errc::usage, fmt::format("--id gives one identifier to {} patients", patients.size()),
                "leave --id out, or name the folder of one patient");
  io::OutputFolder out(call.text("--out"));
  int written = 0, left_out = 0;
  std::map<std::string, int> warnings;
  for (std::size_t s = 0; s < found.studies.size(); ++s)
    for (std::size_t k = 0; k < found.studies[s].series.size(); ++k) {
      const auto& series = found.studies[s].series[k];
      int n = 0;
      for (const auto& instance : series.instances) {
        cancel.check();
        try {
          auto clean = dicom::anonymize(instance.data, options);
          for (const auto& w : clean.warnings) ++warnings[w];
          // Names of files and folders may name people too.
          clean.data.write(out.path() / fmt::format("study{}", s + 1) / fmt::format("series{}", k + 1) /
                               fmt::format("{:05}.dcm", ++n),
                           true);
          ++written;
        } catch (const Error& e) {
          if (e.code() == Errc::file || e.code() == Errc::cancelled || e.code() == Errc::usage) throw;
          fmt::print(stderr, "{}: left out: {}\n", instance.file.string(), e.message());
          ++left_out;
        }
      }
    }
  out.commit();
  for (const auto& [text, count] : warnings) log::warning(fmt::format("{} ({} objects)", text, count));
  if (call.json)
    print_json({{"folder", call.text("--out")},
                {"written", written},
                {"left_out", left_out},
                {"studies", found.studies.size()}});
  else
    fmt::print("{} objects of {} {} de-identified{}\n", written, found.studies.size(),
               found.studies.size() == 1 ? "study" : "studies", left_out ? fmt::format(", {} left out", left_out) : "");
  if (!found.rejected.empty() && !call.quiet) fmt::print(stderr, "{}\n", dicom::rejected_text(found.rejected));
  return left_out || !written ? 1 : 0;
}

}  // namespace

void register_dicom_anonymize(Commands& commands) {
  commands.add(
      {.name = "dicom anonymize",
       .does = "De-identified copies of DICOM files by the Basic Profile of PS3.15",
       .in = {{.name = "PATH", .what = "a file, or a folder with files below it", .kind = Kind::folder}},
       .opt =
           {folder("--out", "folder that receives the copies").output().as("-o").need(),
            text(
                "--keep",
                "uids, device, institution, characteristics, dates (options of PS3.15), or keywords: SeriesDescription")
                .many(),
            Option{.name = "--shift-days",
                   .what = "move dates instead of removing them [days]",
                   .kind = Kind::integer,
                   .lower = -36500,
                   .upper = 36500},
            text("--keep-private", "private attributes of this creator, when they are known to be safe").many(),
            text("--id", "new PatientID; default: made from the key and the old one"),
            text("--name", "new PatientName; default: the new PatientID"),
            text("--key",
                 "secret from which new UIDs and identifiers are made, the same in every run; default: a new one")},
       .refs = {"DICOM PS3.15 E.1-1 to E.3 (Application Level Confidentiality Profiles)"},
       .examples = {"larmor dicom anonymize study1 -o clean --keep characteristics --keep SeriesDescription",
                    "larmor dicom anonymize archive -o clean --key \"$SECRET\" --shift-days -412"},
       .more = "UIDs are replaced consistently, so that references between the files hold. Removed are also private "
               "attributes, free text, overlays and names of people "
               "that the profile does not list. Pixels are not changed: objects that may have names burned in are "
               "reported. Structured reports and documents are left out "
               "(exit code 1). The input is not changed.",
       .run = run});
}

}  // namespace larmor::cli
