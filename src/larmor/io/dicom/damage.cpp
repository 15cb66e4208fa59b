// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/dicom/dcmtk.hpp>
//
#include <larmor/io/dicom/damage.hpp>

namespace larmor::dicom {

bool Damaged::is_of(const Study& s) const { return !series.empty() && patient == s.patient_id && study == s.uid; }
bool Damaged::is_of(const Series& s) const {
  return !series.empty() && series == s.uid && patient == s.head().text("PatientID") &&
         study == s.head().text("StudyInstanceUID");
}

std::vector<Damaged> damaged_files(const Found& found) {
  std::vector<Damaged> out;
  for (const auto& r : found.rejected) {
    if (r.kind != Rejected::Kind::damaged) continue;
    Damaged d{.file = r.file, .reason = r.reason, .patient = {}, .study = {}, .series = {}, .description = {}};
    set_up();
    DcmFileFormat file;
    static_cast<void>(file.loadFile(r.file.c_str()));  // what stands before the damage is read
    DcmItem& rest = *file.getDataset();
    const auto text = [&](const DcmTagKey& tag) {
      OFString value;
      if (rest.findAndGetOFStringArray(tag, value).bad()) return std::string();
      std::string s = utf8({value.c_str(), value.length()}, rest);
      while (!s.empty() && (s.back() == ' ' || s.back() == '\0')) s.pop_back();
      return s;
    };
    // The last attribute may be cut off itself.
    const unsigned long n = rest.card();
    if (n > 0 && rest.getElement(n - 1)->getTag() > DCM_SeriesInstanceUID)
      d.patient = text(DCM_PatientID), d.study = text(DCM_StudyInstanceUID), d.series = text(DCM_SeriesInstanceUID),
      d.description = text(DCM_SeriesDescription);
    out.push_back(std::move(d));
  }
  return out;
}

void require_whole(const Series& series, const std::vector<Damaged>& damaged) {
  for (const auto& d : damaged)
    if (d.is_of(series))
      throw Error(Errc::format, d.reason, "copy or export it again").at("series " + series.describe());
}

}  // namespace larmor::dicom
