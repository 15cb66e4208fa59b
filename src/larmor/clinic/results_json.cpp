// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/clinic/checks.hpp>
#include <larmor/clinic/results.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

namespace larmor::clinic {
namespace {

using json = nlohmann::ordered_json;

// Without the last digits of binary fractions (1.9140000000000001): a millionth of a mm3 means nothing.
double decimal(double v) { return std::stod(fmt::format("{:.9f}", v)); }

json notes_json(const std::vector<Note>& notes) {
  json out = json::array();
  for (const auto& n : notes) out.push_back({{"id", n.id}, {"what", n.what}, {"serious", n.serious}});
  return out;
}

json quality_json(const Side& s) {
  const Quality q = quality_of(s);
  const auto four = [](double v) { return std::stod(fmt::format("{:.4g}", v)); };
  json out{{"pieces", q.pieces},
           {"voxels_at_edge", q.at_edge},
           {"surface_of_ball", four(q.surface)},
           {"anterior_share", four(q.anterior)},
           {"clipped_share", four(q.clipped)}};
  if (q.contrast) out["contrast"] = four(*q.contrast);
  if (q.uncertainty) out["mean_uncertainty"] = four(*q.uncertainty);
  return out;
}

json side_json(const Side& s) {
  json volumes = json::array();
  for (const auto& v : s.volumes) {
    json one{{"structure", v.structure}, {"mm3", decimal(v.mm3)}, {"mL", decimal(v.mL())}, {"voxels", v.voxels}};
    if (v.percentile) one["percentile"] = *v.percentile;
    if (!v.no_percentile.empty()) one["no_percentile"] = v.no_percentile;
    volumes.push_back(one);
  }
  return {{"side", s.side},
          {"side_from", s.side_from},
          {"series",
           {{"uid", s.series.uid},
            {"description", s.series.description},
            {"number", s.series.head().text("SeriesNumber")},
            {"images", s.frames.size()}}},
          {"size", s.image.grid()},
          {"spacing_mm", s.image.affine.spacing()},
          {"volumes", volumes},
          {"quality", quality_json(s)},
          {"flags", notes_json(s.notes)},
          {"segmenter", s.segmenter},
          {"automatic", s.automatic}};
}

}  // namespace

std::string results_json(const Results& r, const std::string& provenance) {
  const auto& d = r.head();
  json sides = json::array(), asymmetry = json::array(), changes = json::array();
  for (const auto& s : r.sides) sides.push_back(side_json(s));
  for (const auto& a : r.asymmetry) asymmetry.push_back({{"structure", a.structure}, {"percent", a.percent}});
  for (const auto& c : r.changes) {
    json one{
        {"side", c.side}, {"structure", c.structure}, {"earlier_date", c.earlier_date}, {"earlier_mm3", c.earlier_mm3},
        {"mm3", c.mm3},   {"percent", c.percent},     {"same_segmenter", c.same_model}};
    if (c.percent_per_year) one["percent_per_year"] = *c.percent_per_year;
    changes.push_back(one);
  }
  json patient{{"id", r.subject.id},
               {"name", r.subject.name},
               {"birth_date", r.subject.birth_date},
               {"sex", r.subject.sex},
               {"age", r.subject.age}};
  if (r.subject.years) patient["age_years"] = *r.subject.years;
  if (!r.subject.added.empty())
    patient["from_other_series"] = {{"attributes", r.subject.added}, {"series", r.subject.added_from}};
  json out{{"larmor_hippocampus", 1},
           {"notice", "Research use only, not for diagnosis."},
           {"version", LARMOR_VERSION},
           {"made", r.made_date + "T" + r.made_time},
           {"patient", patient},
           {"study",
            {{"uid", d.text("StudyInstanceUID")},
             {"date", d.text("StudyDate")},
             {"time", d.text("StudyTime")},
             {"accession", d.text("AccessionNumber")},
             {"description", d.text("StudyDescription")}}},
           {"sides", sides},
           {"asymmetry", asymmetry},
           {"changes", changes},
           {"norms", r.norms},
           {"flags", notes_json(r.notes)}};
  if (!provenance.empty()) {
    auto p = json::parse(provenance, nullptr, false);
    if (!p.is_discarded()) out["Provenance"] = p;
  }
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Earlier read_earlier(const std::filesystem::path& path) {
  const auto j = json::parse(io::read_text(path), nullptr, false);
  try {
    if (j.is_discarded() || !j.contains("larmor_hippocampus"))
      throw Error(Errc::format, fmt::format("{} holds no results of larmor hippocampus", path.string()),
                  "give the results.json of an earlier study");
    if (j.at("larmor_hippocampus") != 1)
      throw Error(Errc::format, fmt::format("{} is of version {} and this program reads 1", path.string(),
                                            j.at("larmor_hippocampus").dump()));
    Earlier e{.patient_id = j.at("patient").at("id"),
              .study_uid = j.at("study").at("uid"),
              .date = j.at("study").at("date"),
              .file = path.string(),
              .volumes = {}};
    for (const auto& s : j.at("sides"))
      for (const auto& v : s.at("volumes"))
        e.volumes.push_back(
            {.side = s.at("side"), .structure = v.at("structure"), .segmenter = s.at("segmenter"), .mm3 = v.at("mm3")});
    return e;
  } catch (const json::exception& x) {
    throw Error(Errc::format, fmt::format("{} is damaged: {}", path.string(), x.what()),
                "give the results.json of an earlier study");
  }
}

}  // namespace larmor::clinic
