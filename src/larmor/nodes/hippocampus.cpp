// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/clinic/checks.hpp>
#include <larmor/clinic/norms.hpp>
#include <larmor/nodes/hippocampus.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/volumetry.hpp>
#include <map>
#include <mutex>

namespace larmor::nodes {
namespace fs = std::filesystem;

Segmented segment_image(const Image& image, const std::string& model, bool mirror, const Cancel* cancel) {
  static std::mutex mutex;
  static std::map<std::string, seg::Segmenter> models;
  const seg::Segmenter segmenter = [&] {
    const std::lock_guard lock(mutex);
    auto it = models.find(model);
    if (it == models.end()) it = models.emplace(model, model.empty() ? seg::Segmenter() : seg::Segmenter(model)).first;
    return it->second;
  }();
  auto s = segmenter.predict(image, {.mirror = mirror}, cancel);
  Segmented out{.labels = std::move(s.labels),
                .probabilities = std::move(s.probabilities),
                .notes = {},
                .segmenter = "model " + s.model,
                .automatic = true};
  if (out.probabilities->data.empty()) out.probabilities.reset();
  for (auto& f : s.flags) out.notes.push_back({f.id, f.what, f.serious});
  return out;
}

Measured measure(const ChosenSeries& chosen, const Image& image, const Segmented& segmented) {
  require_same_space(image, segmented.labels, "the image", "the labels");
  Measured m{.subject = chosen.subject,
             .side = {.side = chosen.side,
                      .side_from = chosen.side_from,
                      .series = chosen.series,
                      .frames = dicom::lay_out(chosen.series).frames,
                      .image = image,
                      .labels = segmented.labels,
                      .probabilities = segmented.probabilities,
                      .volumes = {},
                      .notes = segmented.notes,
                      .segmenter = segmented.segmenter,
                      .automatic = segmented.automatic},
             .explanation = chosen.explanation};
  const auto volumes = seg::label_volumes(segmented.labels, 2);
  m.side.volumes = {
      {.structure = "anterior", .voxels = volumes[0].voxels, .mm3 = volumes[0].mm3},
      {.structure = "posterior", .voxels = volumes[1].voxels, .mm3 = volumes[1].mm3},
      {.structure = "total", .voxels = volumes[0].voxels + volumes[1].voxels, .mm3 = volumes[0].mm3 + volumes[1].mm3}};
  clinic::add_checks(m.side);
  if (m.side.side.empty())
    m.side.notes.push_back({"side", "the side is not known: neither DICOM nor an operator says it", false});
  return m;
}

std::vector<fs::path> results_files(const std::vector<std::string>& places) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (const auto& place : places) {
    if (!fs::is_directory(place, ec)) {
      out.emplace_back(place);
      continue;
    }
    for (auto it = fs::recursive_directory_iterator(place, fs::directory_options::skip_permission_denied, ec);
         !ec && it != fs::recursive_directory_iterator(); it.increment(ec))
      if (it->path().filename() == "results.json") out.push_back(it->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

clinic::Results assemble(const std::vector<Measured>& sides, const ReportSettings& settings) {
  clinic::Results r;
  r.subject = sides.at(0).subject;
  for (const auto& m : sides) r.sides.push_back(m.side);
  if (sides.size() > 1) {
    const auto study = [](const Measured& m) { return m.side.series.head().text("StudyInstanceUID"); };
    if (study(sides[0]) != study(sides[1]) || sides[0].subject.id != sides[1].subject.id)
      throw Error(Errc::usage,
                  fmt::format("two sides of different studies: patient '{}' and patient '{}'", sides[0].subject.id,
                              sides[1].subject.id),
                  "give both sides of one study");
    if (r.sides[0].side == r.sides[1].side)
      throw Error(Errc::usage, fmt::format("both series are of side '{}'", r.sides[0].side),
                  "give a left and a right one");
    if (r.sides[0].side == "right") std::swap(r.sides[0], r.sides[1]);
    for (const char* structure : {"anterior", "posterior", "total"})
      r.asymmetry.push_back(
          {structure, seg::asymmetry_index(r.sides[0].volume(structure).mm3, r.sides[1].volume(structure).mm3)});
  }
  if (!settings.norms.empty()) clinic::add_percentiles(r, clinic::read_norms(settings.norms));
  std::vector<clinic::Earlier> earlier;
  std::error_code ec;
  for (const auto& place : settings.earlier) {
    const bool folder = fs::is_directory(place, ec);
    for (const auto& file : results_files({place})) {
      auto e = clinic::read_earlier(file);
      // A folder may hold everybody; a file that was named has to be of this person.
      if (!folder || e.patient_id == r.subject.id) earlier.push_back(std::move(e));
    }
  }
  clinic::add_changes(r, earlier);
  clinic::stamp(r);
  return r;
}

}  // namespace larmor::nodes
