// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/clinic/derive.hpp>
#include <larmor/clinic/sr.hpp>

namespace larmor::clinic {
namespace {

// A place in the content tree (PS3.3 C.17.3); each function adds a child and returns it.
class Content {
 public:
  explicit Content(dicom::Item item) : item_(std::move(item)) {}

  Content container(const char* relation, const Code& name, const char* tid = nullptr) {
    auto c = child(relation, "CONTAINER", &name);
    c.item_.set("ContinuityOfContent", "SEPARATE");
    if (tid) c.item_.add("ContentTemplateSequence").set("MappingResource", "DCMR").set("TemplateIdentifier", tid);
    return c;
  }
  Content code(const char* relation, const Code& name, const Code& value) {
    auto c = child(relation, "CODE", &name);
    add_code(c.item_, "ConceptCodeSequence", value);
    return c;
  }
  Content text(const char* relation, const Code& name, const std::string& value) {
    auto c = child(relation, "TEXT", &name);
    c.item_.set("TextValue", value);
    return c;
  }
  Content uid(const char* relation, const Code& name, const std::string& value) {
    auto c = child(relation, "UIDREF", &name);
    c.item_.set("UID", value);
    return c;
  }
  Content number(const char* relation, const Code& name, double value, const Code& unit) {
    auto c = child(relation, "NUM", &name);
    auto measured = c.item_.add("MeasuredValueSequence");
    measured.set("NumericValue", std::round(value * 1e6) / 1e6);
    add_code(measured, "MeasurementUnitsCodeSequence", unit);
    return c;
  }
  Content image(const char* relation, const Code* name, const dicom::Dataset& object, int segment = 0) {
    auto c = child(relation, "IMAGE", name);
    auto ref = c.item_.add("ReferencedSOPSequence");
    ref.set("ReferencedSOPClassUID", object.text("SOPClassUID"))
        .set("ReferencedSOPInstanceUID", object.text("SOPInstanceUID"));
    if (segment) ref.set("ReferencedSegmentNumber", segment);
    return c;
  }

 private:
  Content child(const char* relation, const char* type, const Code* name) {
    auto item = item_.add("ContentSequence");
    item.set("RelationshipType", relation).set("ValueType", type);
    if (name) add_code(item, "ConceptNameCodeSequence", *name);
    return Content(item);
  }
  dicom::Item item_;
};

constexpr const char *contains = "CONTAINS", *context = "HAS OBS CONTEXT", *modifier = "HAS CONCEPT MOD",
                     *acquisition = "HAS ACQ CONTEXT";
constexpr Code volume_name{"118565006", "SCT", "Volume"};
constexpr Code mm3{"mm3", "UCUM", "cubic millimeter"};
constexpr Code percent{"%", "UCUM", "percent"};
constexpr Code finding{"121071", "DCM", "Finding"};
constexpr Code finding_site{"363698007", "SCT", "Finding Site"};
constexpr Code laterality{"272741003", "SCT", "Laterality"};
constexpr Code topography{"106233006", "SCT", "Topographical modifier"};
constexpr Code tracking_text{"112039", "DCM", "Tracking Identifier"};
constexpr Code tracking_uid{"112040", "DCM", "Tracking Unique Identifier"};
constexpr Code comment{"121106", "DCM", "Comment"};
constexpr Code percentile_name{"NORMPERC", "99LARMOR", "Percentile of the norm table"};

void add_site(Content& group, const Side* side, const Structure* structure) {
  auto site = group.code(modifier, finding_site, codes::hippocampus);
  if (side && side->side == "left") site.code(modifier, laterality, codes::left);
  if (side && side->side == "right") site.code(modifier, laterality, codes::right);
  if (structure) site.code(modifier, topography, structure->modifier);
}

void add_volume(Content& measurements, const Side& side, const dicom::Dataset& seg, const Structure& s) {
  const auto segment = seg.items("SegmentSequence")[static_cast<std::size_t>(s.label - 1)];
  auto group = measurements.container(contains, {"125007", "DCM", "Measurement Group"}, "1411");
  group.text(context, tracking_text, segment.text("TrackingID"));
  group.uid(context, tracking_uid, segment.text("TrackingUID"));
  group.code(contains, finding, codes::hippocampus);
  constexpr Code referenced{"121191", "DCM", "Referenced Segment"};
  group.image(contains, &referenced, seg, s.label);
  group.uid(contains, {"121232", "DCM", "Source series for segmentation"}, side.series.uid);
  add_site(group, &side, &s);
  const auto& v = side.volume(s.name);
  group.number(contains, volume_name, v.mm3, mm3);
  if (v.percentile) group.number(contains, percentile_name, *v.percentile, percent);
}

/// What follows from several measurements (TID 1420). The rows below the number are ours: the template is extensible.
Content add_derived(Content& derived, const Code& name, double value, const Code& unit, const Side* side,
                    const Structure* structure = nullptr) {
  auto n = derived.number(contains, name, value, unit);
  add_site(n, side, structure);
  return n;
}

void add_total(Content& derived, const Results& r, const Side& side) {
  const auto& v = side.volume("total");
  add_derived(derived, volume_name, v.mm3, mm3, &side)
      .code(modifier, {"121401", "DCM", "Derivation"}, {"255619001", "SCT", "Total"});
  if (v.percentile) add_derived(derived, percentile_name, *v.percentile, percent, &side);
  for (const auto& c : r.changes)
    if (c.side == side.side && c.structure == "total")
      add_derived(derived, {"VOLCHANGE", "99LARMOR", "Change of volume since an earlier study"}, c.percent, percent,
                  &side)
          .text("HAS PROPERTIES", comment, fmt::format("{:.1f} mm3 in the study of {}", c.earlier_mm3, c.earlier_date));
}

void add_notes(Content& notes, const Side& side) {
  const auto& v = side.volume("total");
  const std::string where = side.side.empty() ? "" : side.side + " hippocampus: ";
  if (!v.no_percentile.empty()) notes.text(contains, comment, where + "no percentile, " + v.no_percentile);
  for (const auto& n : side.notes)
    notes.text(contains, comment, fmt::format("{}{} ({}): {}", where, n.serious ? "review" : "note", n.id, n.what));
}

void add_asymmetry(Content& derived, const Results& r) {
  constexpr Code name{"ASYMINDEX", "99LARMOR", "Asymmetry index, 200 (left - right) / (left + right)"};
  for (const auto& a : r.asymmetry) {
    const Structure* of = nullptr;
    for (const auto& s : structures())
      if (a.structure == s.name) of = &s;
    add_derived(derived, name, a.percent, percent, nullptr, of);
  }
}

void add_evidence(dicom::Dataset& d, const Results& r, const std::vector<dicom::Dataset>& segs) {
  auto study = d.add("CurrentRequestedProcedureEvidenceSequence");
  study.set("StudyInstanceUID", r.head().text("StudyInstanceUID"));
  const auto object = [](dicom::Item& series, const dicom::Dataset& o) {
    series.add("ReferencedSOPSequence")
        .set("ReferencedSOPClassUID", o.text("SOPClassUID"))
        .set("ReferencedSOPInstanceUID", o.text("SOPInstanceUID"));
  };
  for (const auto& side : r.sides) {
    auto series = study.add("ReferencedSeriesSequence");
    series.set("SeriesInstanceUID", side.series.uid);
    std::size_t last = side.series.instances.size();
    for (const auto& f : side.frames)
      if (f.instance != last) object(series, side.series.instances[last = f.instance].data);
  }
  for (const auto& seg : segs) {
    auto series = study.add("ReferencedSeriesSequence");
    series.set("SeriesInstanceUID", seg.text("SeriesInstanceUID"));
    object(series, seg);
  }
}

}  // namespace

dicom::Dataset make_sr(const Results& r, const std::vector<dicom::Dataset>& segs, int series_number) {
  auto d = begin_object(r, {"1.2.840.10008.5.1.4.1.1.88.22", "SR", "Hippocampus volumes", series_number});
  d.empty_sequence("ReferencedPerformedProcedureStepSequence");
  d.empty_sequence("PerformedProcedureCodeSequence");
  d.set("CompletionFlag", "COMPLETE").set("VerificationFlag", "UNVERIFIED").set("PreliminaryFlag", "PRELIMINARY");
  add_evidence(d, r, segs);

  d.set("ValueType", "CONTAINER").set("ContinuityOfContent", "SEPARATE");
  add_code(d, "ConceptNameCodeSequence", {"126000", "DCM", "Imaging Measurement Report"});
  d.add("ContentTemplateSequence").set("MappingResource", "DCMR").set("TemplateIdentifier", "1500");
  Content root(d);
  root.code(modifier, {"121049", "DCM", "Language of Content Item and Descendants"}, {"en", "RFC5646", "English"});
  root.code(context, {"121005", "DCM", "Observer Type"}, {"121007", "DCM", "Device"});
  root.uid(context, {"121012", "DCM", "Device Observer UID"}, dicom::uid_from("larmor hippocampus " LARMOR_VERSION));
  root.text(context, {"121013", "DCM", "Device Observer Name"}, "larmor hippocampus " LARMOR_VERSION);
  root.text(context, {"121014", "DCM", "Device Observer Manufacturer"}, "Larmor");
  root.text(context, {"121015", "DCM", "Device Observer Model Name"}, r.sides.front().segmenter);
  root.code(modifier, {"121058", "DCM", "Procedure reported"}, {"25056-3", "LN", "MRI unspecified body region"});

  auto library = root.container(contains, {"111028", "DCM", "Image Library"}, "1600");
  for (const auto& side : r.sides) {
    auto group = library.container(contains, {"126200", "DCM", "Image Library Group"});
    group.code(acquisition, {"121139", "DCM", "Modality"}, {"MR", "DCM", "Magnetic Resonance"});
    std::size_t last = side.series.instances.size();
    for (const auto& f : side.frames)
      if (f.instance != last) group.image(contains, nullptr, side.series.instances[last = f.instance].data);
  }
  auto measurements = root.container(contains, {"126010", "DCM", "Imaging Measurements"});
  for (std::size_t k = 0; k < r.sides.size(); ++k)
    for (const auto& s : structures()) add_volume(measurements, r.sides[k], segs.at(k), s);
  auto derived = root.container(contains, {"126011", "DCM", "Derived Imaging Measurements"});
  for (const auto& side : r.sides) add_total(derived, r, side);
  add_asymmetry(derived, r);
  auto notes = root.container(contains, {"C0034375", "UMLS", "Qualitative Evaluations"});
  notes.text(contains, comment, "Research use only, not for diagnosis.");
  if (!r.norms.empty()) notes.text(contains, comment, "Percentiles by: " + r.norms);
  for (const auto& side : r.sides) add_notes(notes, side);
  for (const auto& n : r.notes) notes.text(contains, comment, n.what);
  return d;
}

}  // namespace larmor::clinic
