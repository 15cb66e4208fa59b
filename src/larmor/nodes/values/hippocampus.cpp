// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/hippocampus.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::flow {
namespace {

using nodes::ChosenSeries;
using nodes::Measured;
using nodes::Segmented;

Value texts(const std::vector<std::string>& all) { return Value::List(all.begin(), all.end()); }
std::vector<std::string> texts_of(const Value& v) {
  std::vector<std::string> out;
  if (!v.none())
    for (const auto& one : v.list()) out.push_back(one.text());
  return out;
}

Value notes_value(const std::vector<clinic::Note>& notes) {
  Value::List all;
  for (const auto& n : notes)
    all.push_back(Value::record("", {{"id", n.id}, {"what", n.what}, {"serious", n.serious}}));
  return all;
}
std::vector<clinic::Note> notes_of(const Value& v) {
  std::vector<clinic::Note> out;
  for (const auto& n : v.list())
    out.push_back({n.field("id").text(), n.field("what").text(), n.field("serious").boolean()});
  return out;
}

Value subject_value(const clinic::Subject& s) {
  Value::Fields f{{"id", s.id},   {"name", s.name},          {"birth_date", s.birth_date}, {"sex", s.sex},
                  {"age", s.age}, {"added", texts(s.added)}, {"added_from", s.added_from}};
  if (s.years) f.emplace_back("years", *s.years);
  return Value::record("", std::move(f));
}
clinic::Subject subject_from(const Value& v) {
  clinic::Subject s{v.field("id").text(),       v.field("name").text(),      v.field("birth_date").text(),
                    v.field("sex").text(),      v.field("age").text(),       {},
                    texts_of(v.field("added")), v.field("added_from").text()};
  if (const Value years = v.field("years"); !years.none()) s.years = years.number();
  return s;
}

void need(const Value& value, const char* type, const char* advice) {
  if (value.type() != type)
    throw Error(Errc::type, std::string("a ") + type + " is needed and this is " + value.describe(), advice);
}

dicom::Series series_from(const std::vector<std::string>& files) {
  dicom::Series s;
  for (const auto& f : files) s.instances.push_back({f, dicom::Dataset::read(f)});
  if (s.instances.empty()) throw Error(Errc::shape, "a DICOM series without files");
  s.uid = s.head().text("SeriesInstanceUID"), s.description = s.head().text("SeriesDescription"),
  s.modality = s.head().text("Modality");
  return s;
}

}  // namespace

Value ValueTraits<ChosenSeries>::to(const ChosenSeries& c) {
  std::vector<std::string> files;
  for (const auto& i : c.series.instances) files.push_back(i.file.string());
  return Value::record("dicom_series", {{"files", texts(files)},
                                        {"description", c.series.description},
                                        {"uid", c.series.uid},
                                        {"subject", subject_value(c.subject)},
                                        {"side", c.side},
                                        {"side_from", c.side_from},
                                        {"explanation", texts(c.explanation)}});
}

ChosenSeries ValueTraits<ChosenSeries>::from(const Value& v) {
  need(v, "dicom_series", "choose one with hippocampus.choose or read one with dicom.read_series");
  return {series_from(texts_of(v.field("files"))), subject_from(v.field("subject")), v.field("side").text(),
          v.field("side_from").text(), texts_of(v.field("explanation"))};
}

Value ValueTraits<Segmented>::to(const Segmented& s) {
  Value::Fields f{{"labels", ValueTraits<Image>::to(s.labels)},
                  {"notes", notes_value(s.notes)},
                  {"segmenter", s.segmenter},
                  {"automatic", s.automatic}};
  if (s.probabilities) f.emplace_back("probabilities", ValueTraits<Image>::to(*s.probabilities));
  return Value::record("segmentation", std::move(f));
}

Segmented ValueTraits<Segmented>::from(const Value& v) {
  need(v, "segmentation", "make one with hippocampus.segment");
  Segmented s{.labels = ValueTraits<Image>::from(v.field("labels")),
              .probabilities = {},
              .notes = notes_of(v.field("notes")),
              .segmenter = v.field("segmenter").text(),
              .automatic = v.field("automatic").boolean()};
  if (const Value p = v.field("probabilities"); !p.none()) s.probabilities = ValueTraits<Image>::from(p);
  return s;
}

Value ValueTraits<Measured>::to(const Measured& m) {
  Value::List volumes;
  for (const auto& v : m.side.volumes)
    volumes.push_back(Value::record("", {{"structure", v.structure}, {"voxels", v.voxels}, {"mm3", v.mm3}}));
  return Value::record("hippocampus",
                       {{"series", ValueTraits<ChosenSeries>::to(
                                       {m.side.series, m.subject, m.side.side, m.side.side_from, m.explanation})},
                        {"image", ValueTraits<Image>::to(m.side.image)},
                        {"segmentation", ValueTraits<Segmented>::to({m.side.labels, m.side.probabilities, m.side.notes,
                                                                     m.side.segmenter, m.side.automatic})},
                        {"volumes", volumes}});
}

Measured ValueTraits<Measured>::from(const Value& v) {
  need(v, "hippocampus", "make one with hippocampus.measure");
  auto chosen = ValueTraits<ChosenSeries>::from(v.field("series"));
  auto segmented = ValueTraits<Segmented>::from(v.field("segmentation"));
  Measured m{.subject = chosen.subject,
             .side = {.side = chosen.side,
                      .side_from = chosen.side_from,
                      .series = chosen.series,
                      .frames = dicom::lay_out(chosen.series).frames,
                      .image = ValueTraits<Image>::from(v.field("image")),
                      .labels = segmented.labels,
                      .probabilities = segmented.probabilities,
                      .volumes = {},
                      .notes = segmented.notes,
                      .segmenter = segmented.segmenter,
                      .automatic = segmented.automatic},
             .explanation = chosen.explanation};
  for (const auto& one : v.field("volumes").list())
    m.side.volumes.push_back({.structure = one.field("structure").text(),
                              .voxels = static_cast<std::int64_t>(one.field("voxels").number()),
                              .mm3 = one.field("mm3").number()});
  return m;
}

}  // namespace larmor::flow
