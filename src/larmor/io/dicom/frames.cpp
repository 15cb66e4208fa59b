// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/dicom/frames.hpp>
#include <limits>

namespace larmor::dicom {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Where an attribute of a frame may stand, nearest first.
struct Groups {
  const Item* object;
  std::optional<Item> shared, own;

  std::vector<double> numbers(std::string_view sequence, std::string_view name) const {
    for (const auto* group : {&own, &shared})
      if (*group)
        if (const auto item = (*group)->item(sequence))
          if (auto v = item->numbers(name); !v.empty()) return v;
    return object->numbers(name);
  }
  // A text that is no number, in the place that counts.
  bool unreadable(std::string_view sequence, std::string_view name) const {
    for (const auto* group : {&own, &shared})
      if (*group)
        if (const auto item = (*group)->item(sequence); item && item->has(name)) return item->numbers(name).empty();
    return object->has(name) && object->numbers(name).empty();
  }
  double number(std::string_view sequence, std::string_view name, double otherwise) const {
    const auto v = numbers(sequence, name);
    return v.empty() ? otherwise : v[0];
  }
};

template <std::size_t N>
bool take(std::array<double, N>& to, const std::vector<double>& from) {
  if (from.size() != N || !std::all_of(from.begin(), from.end(), [](double v) { return std::isfinite(v); }))
    return false;
  std::copy(from.begin(), from.end(), to.begin());
  return true;
}

Frame frame_of(const Groups& g) {
  Frame f;
  f.rows = static_cast<int>(g.object->number("Rows").value_or(0));
  f.columns = static_cast<int>(g.object->number("Columns").value_or(0));
  f.placed = take(f.position, g.numbers("PlanePositionSequence", "ImagePositionPatient"));
  f.placed &= take(f.orientation, g.numbers("PlaneOrientationSequence", "ImageOrientationPatient"));
  take(f.spacing, g.numbers("PixelMeasuresSequence", "PixelSpacing"));
  f.thickness = g.number("PixelMeasuresSequence", "SliceThickness", 0);
  f.gap = std::abs(g.number("PixelMeasuresSequence", "SpacingBetweenSlices", 0));
  f.slope = g.number("PixelValueTransformationSequence", "RescaleSlope", 1);
  f.intercept = g.number("PixelValueTransformationSequence", "RescaleIntercept", 0);
  // A text that is no number must not pass for none.
  for (const auto& [value, name] : {std::pair(&f.slope, "RescaleSlope"), {&f.intercept, "RescaleIntercept"}})
    if (g.unreadable("PixelValueTransformationSequence", name)) *value = nan;
  f.temporal = g.number("FrameContentSequence", "TemporalPositionIndex",
                        g.object->number("TemporalPositionIdentifier").value_or(nan));
  f.acquisition =
      g.number("FrameContentSequence", "FrameAcquisitionNumber", g.object->number("AcquisitionNumber").value_or(nan));
  f.echo_time = g.number("MREchoSequence", "EffectiveEchoTime", g.object->number("EchoTime").value_or(nan));
  f.trigger = g.number("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime",
                       g.object->number("TriggerTime").value_or(nan));
  f.b_value = g.number("MRDiffusionSequence", "DiffusionBValue", nan);
  f.inversion = g.number("MRModifierSequence", "InversionTimes", g.object->number("InversionTime").value_or(nan));
  f.flip = g.number("MRTimingAndRelatedParametersSequence", "FlipAngle", nan);
  f.instance_number = g.object->number("InstanceNumber").value_or(0);
  return f;
}

}  // namespace

std::vector<Frame> frames_of(const Series& series) {
  std::vector<Frame> out;
  for (std::size_t i = 0; i < series.instances.size(); ++i) {
    const Dataset& d = series.instances[i].data;
    if (!d.has_pixels()) continue;
    const double n = std::max(1.0, d.number("NumberOfFrames").value_or(1));
    const auto own = d.items("PerFrameFunctionalGroupsSequence");
    if (!own.empty() && static_cast<double>(own.size()) != n)
      throw Error(Errc::format,
                  fmt::format("{} says {} frames and describes {}", series.instances[i].file.string(), n, own.size()),
                  "copy or export it again");
    const auto shared = d.item("SharedFunctionalGroupsSequence");
    // Of frames that are not described one is enough, to be refused: a damaged number may promise billions.
    for (int k = 0; k < std::max(1, static_cast<int>(own.size())); ++k) {
      Frame f = frame_of({&d, shared, own.empty() ? std::nullopt : std::optional(own[static_cast<std::size_t>(k)])});
      f.instance = i, f.number = k;
      if (n > 1 && own.empty()) f.placed = false;  // frames that all claim one place
      out.push_back(f);
    }
  }
  return out;
}

}  // namespace larmor::dicom
