// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/clinic/results.hpp>
#include <larmor/io/table.hpp>

namespace larmor::clinic {

std::optional<double> age_in_years(const std::string& age) {
  // Three digits by the standard; some write "72Y".
  if (age.size() < 2 || age.size() > 4 || age.find_first_not_of("0123456789") != age.size() - 1) return {};
  const double n = std::stod(age.substr(0, age.size() - 1));
  switch (age.back()) {
    case 'Y':
      return n;
    case 'M':
      return n / 12;
    case 'W':
      return n * 7 / 365.25;
    case 'D':
      return n / 365.25;
    default:
      return {};
  }
}

namespace {

// Days since 1970 of "20200131" (or "2020.01.31" of old files).
std::optional<double> days_of(std::string date) {
  std::erase(date, '.');
  if (date.size() != 8 || date.find_first_not_of("0123456789") != std::string::npos) return {};
  using namespace std::chrono;
  const year_month_day d{year(std::stoi(date.substr(0, 4))), month(static_cast<unsigned>(std::stoi(date.substr(4, 2)))),
                         day(static_cast<unsigned>(std::stoi(date.substr(6, 2))))};
  if (!d.ok()) return {};
  return static_cast<double>(sys_days(d).time_since_epoch().count());
}

}  // namespace

Subject subject_of(const dicom::Series& series, const dicom::Study& study) {
  const auto& head = series.head();
  Subject s{.id = head.text("PatientID"),
            .name = head.text("PatientName"),
            .birth_date = head.text("PatientBirthDate"),
            .sex = head.text("PatientSex"),
            .age = head.text("PatientAge"),
            .years = {},
            .added = {},
            .added_from = {}};
  struct Wanted {
    const char* keyword;
    std::string* value;
    bool unique;
  };
  for (const auto& [keyword, value, unique] :
       {Wanted{"PatientSex", &s.sex, true}, {"PatientBirthDate", &s.birth_date, true}, {"PatientAge", &s.age, false}}) {
    for (const auto& other : study.series) {
      const std::string told = other.head().text(keyword);
      if (told.empty()) continue;
      if (value->empty()) {
        *value = told;
        s.added.emplace_back(keyword);
        s.added_from = other.description;
      } else if (unique && *value != told) {
        throw Error(Errc::format,
                    fmt::format("{} is '{}' in one series of the study and '{}' in '{}'", keyword, *value, told,
                                other.description),
                    "are these files of one person? Correct the study and try again");
      }
    }
  }
  s.years = age_in_years(s.age);
  if (!s.years) {
    const auto born = days_of(s.birth_date), then = days_of(head.text("StudyDate"));
    if (born && then && *then >= *born) s.years = (*then - *born) / 365.25;
  }
  return s;
}

const Volume& Side::volume(std::string_view structure) const {
  for (const auto& v : volumes)
    if (v.structure == structure) return v;
  throw Error(Errc::internal, fmt::format("no volume of '{}'", structure));
}

bool Results::serious() const {
  const auto is = [](const Note& n) { return n.serious; };
  return std::any_of(notes.begin(), notes.end(), is) || std::any_of(sides.begin(), sides.end(), [&](const Side& s) {
           return std::any_of(s.notes.begin(), s.notes.end(), is);
         });
}

void stamp(Results& results) {
  const auto now = fmt::localtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  results.made_date = fmt::format("{:%Y%m%d}", now);
  results.made_time = fmt::format("{:%H%M%S}", now);
}

void write_results_csv(const std::filesystem::path& path, const Results& r) {
  io::Table t;
  t.columns = {"patient_id", "study_date", "study_uid", "side", "structure", "volume_mm3", "volume_mL",
               "voxels",     "percentile", "age_years", "sex",  "segmenter", "flags"};
  for (const auto& s : r.sides) {
    std::string flags;
    for (const auto& n : s.notes) flags += (flags.empty() ? "" : " ") + n.id;
    for (const auto& v : s.volumes)
      t.rows.push_back({r.subject.id, r.head().text("StudyDate"), r.head().text("StudyInstanceUID"), s.side,
                        v.structure, fmt::format("{:.2f}", v.mm3), fmt::format("{:.5f}", v.mL()),
                        std::to_string(v.voxels), v.percentile ? fmt::format("{:.1f}", *v.percentile) : "",
                        r.subject.years ? fmt::format("{:.1f}", *r.subject.years) : "", r.subject.sex, s.segmenter,
                        flags});
  }
  io::write_table(path, t);
}

void add_changes(Results& r, const std::vector<Earlier>& earlier) {
  const auto date = r.head().text("StudyDate"), study = r.head().text("StudyInstanceUID");
  const auto now = days_of(date);
  if (r.subject.id.empty() && !earlier.empty()) {
    r.notes.push_back({"earlier",
                       "no change is given: the study has no PatientID, so nobody knows whose results the "
                       "earlier ones are",
                       false});
    return;
  }
  for (const auto& side : r.sides) {
    for (const auto& v : side.volumes) {
      const Earlier* last = nullptr;
      const Earlier::One* found = nullptr;
      for (const auto& e : earlier) {
        if (e.patient_id != r.subject.id)
          throw Error(Errc::usage,
                      fmt::format("{} is of patient '{}', and the study of '{}'", e.file, e.patient_id, r.subject.id),
                      "give earlier results of the same patient");
        if (e.study_uid == study || e.date >= date) continue;
        for (const auto& one : e.volumes)
          if (one.side == side.side && one.structure == v.structure && (!last || e.date > last->date))
            last = &e, found = &one;
      }
      if (!last || !(found->mm3 > 0)) continue;
      Change c{.structure = v.structure,
               .side = side.side,
               .earlier_date = last->date,
               .earlier_mm3 = found->mm3,
               .mm3 = v.mm3,
               .percent = 100 * (v.mm3 / found->mm3 - 1)};
      const auto then = days_of(last->date);
      // A rate over a few weeks is measurement error stretched to a year.
      if (now && then && *now - *then >= 30) c.percent_per_year = c.percent * 365.25 / (*now - *then);
      c.same_model = found->segmenter == side.segmenter;
      r.changes.push_back(c);
      if (!c.same_model && v.structure == "total")
        r.notes.push_back(
            {"segmenter",
             fmt::format(
                 "the earlier result of {} was made with '{}', this one with '{}': part of the change may be theirs",
                 last->date, found->segmenter, side.segmenter),
             false});
    }
  }
}

}  // namespace larmor::clinic
