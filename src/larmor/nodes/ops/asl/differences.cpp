// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/asl_ports.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

io::Table table_of(const asl::Differences& d) {
  io::Table t{
      .columns = {"difference", "LD [s]", "time [s]", "mean", "sd", "distance", "used"}, .rows = {}, .source = {}};
  std::vector<int> kinds;
  for (std::size_t i = 0; i < d.group.size(); ++i) {
    if (kinds.empty() || kinds.back() != d.group[i]) kinds.push_back(d.group[i]);
    const auto& s = d.samples[kinds.size() - 1];
    const bool looked = !d.outliers.mean.empty();
    t.rows.push_back({std::to_string(i + 1), short_number(s.LD), short_number(s.time),
                      looked ? short_number(d.outliers.mean[i]) : "", looked ? short_number(d.outliers.sd[i]) : "",
                      looked ? fmt::format("{:.1f}", d.outliers.score[i]) : "", d.outliers.keep[i] ? "yes" : "no"});
  }
  return t;
}

void differences(flow::Ports& io) {
  Image series = asl_series_in(io, "series");
  const auto given = asl_given(io);
  const auto n = static_cast<std::size_t>(series.volumes());
  std::vector<std::string> notes;
  const auto protocol = asl::protocol_from(series.meta, n, given, &notes);
  asl::check_slice_times(protocol, series.data.extent(2));
  const auto roles = asl::roles_from(series.meta, n, given.encoding);
  const auto d = asl::differences_of(series, roles, protocol,
                                     {.method = io.setting("method").str(), .outlier_sd = io.setting("outlier_sd")},
                                     mask_in(io, "mask", series), io.progress(), &io.cancel());
  for (const auto& text : notes) io.log(text);
  std::size_t lost = 0;
  for (const auto k : d.outliers.keep) lost += !k;
  if (lost) io.log(fmt::format("{} of {} differences left out", lost, d.group.size()));

  Image mean = place_of(series, d.mean.data.with_axes({"x", "y", "z", "delay"}));
  asl::note_timings(mean.meta, d.samples, d.weights, protocol);
  io.out("mean") = mean;
  Image error = mean;
  error.data = d.standard_error.with_axes({"x", "y", "z", "delay"});
  io.out("error") = error;
  io.out("all") = place_of(series, d.all.data.with_axes({"x", "y", "z", "t"}));
  std::vector<std::string> types;
  for (const auto r : roles) types.push_back(asl::name_of(r));
  series.meta["VolumeType"] = types;
  io.out("series") = series;
  io.out("table") = table_of(d);
}

void adapt(flow::Form& form) {
  if (static_cast<int>(form.setting("encoding")) > 0) form.hide("method");
  const auto labelling = form.setting("labelling").str();
  if (labelling != "auto" || form.in("series").none()) return;
  const auto meta = form.in("series").field("meta");
  if (meta.none() || meta.field("ArterialSpinLabelingType").none())
    form.warn("the series does not say how it was labelled: set labelling, LD and PLD");
}

}  // namespace

void register_asl_differences(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& [id, m] : asl::difference_methods()) from += (from.empty() ? "" : "; ") + m.source;
  flow::NodeType type{
      .title = "Labelled differences",
      .does = "Control minus label of an ASL series, one mean image a timing, without outlying volumes",
      .from = from,
      .help =
          "Every difference is a weighted sum of volumes, so the standard error of the mean is exact for white noise "
          "whatever the method. Time-encoded series are decoded. The means carry their timing (labelling duration, "
          "signal time, efficiency) for asl.quantify.\n\nWhat is not set comes from the sidecar: "
          "ArterialSpinLabelingType, LabelingDuration or BolusCutOffDelayTime, PostLabelingDelay, "
          "LabelingEfficiency, BackgroundSuppressionNumberPulses, SliceTiming, MagneticFieldStrength, LookLocker.",
      .version = 2,
      .tags = {"arterial spin labelling", "perfusion", "control", "label", "subtraction", "Hadamard", "outliers"}};
  for (auto& s : asl_protocol_settings()) type.settings.push_back(std::move(s));
  nodes.add(
      "asl.differences",
      std::move(type)
          .in<Gridded>("series", "control, label and M0 volumes (x, y, z, t), with its sidecar", {.min_rank = 4})
          .maybe<Gridded>("mask", "voxels that outliers are looked for in")
          .out<Image>("mean", "control - label (x, y, z, delay), with its timings")
          .out<Image>("error", "standard error of the mean; NaN of one difference alone")
          .out<Image>("all", "every difference (x, y, z, t), timing after timing")
          .out<Image>("series", "the series, with the type of every volume")
          .out<io::Table>("table", "every difference: timing, mean, sd, distance from the others, used or not")
          .set(Setting::choice("method", "how volumes are subtracted", "difference.pairwise",
                               asl::difference_methods().ids()))
          .set({"outlier_sd", "differences further from the others are left out [robust sd]; 0: keep all", 3.5, 0, 100})
          .run(differences)
          .validate(adapt));
}

}  // namespace larmor::nodes
