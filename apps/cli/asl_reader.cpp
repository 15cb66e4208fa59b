// SPDX-License-Identifier: Apache-2.0
#include "asl_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <larmor/io/table.hpp>
#include <larmor/nodes/protocol.hpp>

#include "series_files.hpp"

namespace larmor::cli {

namespace fs = std::filesystem;

AslReader::AslReader(const Config& config, const fs::path& data) : SeriesReader(config, data) {
  found_ = find_asl(folder_);
  if (!is_folder_) found_.series = {data_};
  series();
  mask_ = input_mask(found_.mask, series_, "ASL series", "quantified");
  acquisition();
  other_images();
}

void AslReader::series() {
  auto read = series_4d("input.series", found_.series, "ASL series", "*asl.nii, *asl.nii.gz", "x, y, z, t", true);
  series_ = std::move(read.image);
  volume_types(read.path);
}

void AslReader::volume_types(const fs::path& series) {
  if (config_.has("input.context")) {
    std::string words;
    for (const auto& w : config_.texts("input.context")) words += w + " ";
    try {
      nodes::note_context(series_, words, config_.where("input.context"));
    } catch (const Error& e) {
      throw Error(Errc::usage, e.message(), e.advice()).at(config_.where("input.context"));
    }
    return;
  }
  fs::path context;
  if (config_.has("input.context_file")) {
    context = relative(config_.text("input.context_file"));
    facts_.sources.push_back({"volume types", context.string(), "input.context_file"});
  } else {
    context = context_beside(series, found_.contexts);
    if (!context.empty()) facts_.sources.push_back({"volume types", context.string(), "by name"});
  }
  if (context.empty()) {
    note("no aslcontext.tsv: volumes are taken as label and control in turns; name them with input.context");
    return;
  }
  const auto table = reading("input.context_file", [&] { return io::read_table(context); });
  const std::vector<std::string> kinds{"control", "label", "m0scan", "deltam"};
  if (std::find_first_of(table.columns.begin(), table.columns.end(), kinds.begin(), kinds.end()) != table.columns.end())
    throw Error(Errc::format,
                fmt::format("the first line is '{}', a volume type, where the header is expected",
                            fmt::join(table.columns, " ")),
                "write volume_type as the first line")
        .at(context.string());
  const std::size_t column = table.columns.size() == 1 ? 0 : table.column("volume_type");
  std::vector<std::string> types;
  for (const auto& row : table.rows) types.push_back(row.at(column));
  series_.meta["VolumeType"] = types;
  context_ = context;
}

std::vector<double> AslReader::own(const char* key, std::initializer_list<const char*> fields) {
  std::vector<double> sidecar;
  for (const char* field : fields)
    if (sidecar.empty()) sidecar = nodes::meta_numbers(series_.meta, field);
  const auto values = protocol(key, sidecar, series_.source.empty() ? "the series" : series_.source);
  return config_.has(key) ? values : std::vector<double>{};
}

void AslReader::acquisition() {
  auto& g = given_;
  g.labelling = config_.text("acquisition.labelling");
  if (config_.has("acquisition.labelling") && g.labelling != "auto")
    if (const auto type = asl::fact_text(series_.meta, "ArterialSpinLabelingType");
        !type.empty() && type != asl::labellings().get(g.labelling).bids)
      note(fmt::format("acquisition.labelling: {} from the configuration; the sidecar says {}, which is overruled",
                       g.labelling, type));
  g.LD = own("acquisition.LD", {"LabelingDuration", "BolusCutOffDelayTime"});
  g.PLD = own("acquisition.PLD", {"PostLabelingDelay"});
  g.slice_times = own("acquisition.slice_times", {"SliceTiming"});
  const auto number = [&](const char* key) {
    return config_.has(key) ? std::optional<double>(config_.number(key)) : std::nullopt;
  };
  g.label_eff = number("acquisition.label_eff"), g.T1_blood = number("acquisition.T1_blood");
  g.suppression_eff = config_.number("acquisition.suppression_eff");
  if (config_.has("acquisition.suppression_pulses"))
    g.suppression_pulses = config_.integer("acquisition.suppression_pulses");
  g.readout_FA = number("acquisition.readout_FA"), g.M0_FA = number("acquisition.M0_FA");
  g.readout_interval = number("acquisition.readout_interval");
  g.encoding = config_.integer("acquisition.encoding");
  const auto n = static_cast<std::size_t>(series_.volumes());
  std::vector<std::string> notes;
  try {
    roles_ = asl::roles_from(series_.meta, n, g.encoding);
  } catch (Error& e) {
    throw e.at(context_.empty() ? facts_.sources[0].path : context_.string());
  }
  try {
    protocol_ = asl::protocol_from(series_.meta, n, g, &notes);
    asl::check_slice_times(protocol_, series_.data.extent(2));
  } catch (Error& e) {
    for (const char* key : {"LD", "PLD", "slice_times", "encoding", "readout_FA", "readout_interval", "labelling"})
      if (config_.has(std::string("acquisition.") + key))
        throw Error(Errc::usage, e.message(), e.advice()).at(config_.source());
    throw e.at("sidecar of " + facts_.sources[0].path);
  }
  for (auto& text : notes) note(std::move(text));
  check_order();
  if (const auto missing = asl::missing_fields(series_.meta); !missing.empty() && missing.size() < 8)
    note(fmt::format("the sidecar lacks fields that BIDS requires: {}", fmt::join(missing, ", ")));
}

/// Control and label that changed places give negative flow everywhere.
void AslReader::check_order() {
  const auto mean = [&](asl::Role role) -> std::optional<double> {
    if (std::find(roles_.begin(), roles_.end(), role) == roles_.end()) return {};
    const Image image = asl::mean_of_role(series_, roles_, role);
    const auto values = image.data.span<float>();
    double sum = 0, n = 0;
    for (std::size_t v = 0; v < values.size(); ++v)
      if ((mask_.empty() || mask_[v]) && std::isfinite(values[v])) sum += static_cast<double>(values[v]), n += 1;
    return n > 0 ? std::optional(sum / n) : std::nullopt;
  };
  if (!protocol_.encoding.empty()) return;
  const auto control = mean(asl::Role::control), label = mean(asl::Role::label);
  if (control && label && *control < *label)
    note(
        fmt::format("the label images are brighter than the control images (mean {:g} and {:g}): if blood flow comes "
                    "out negative, the volume types have changed places",
                    *label, *control));
}

void AslReader::other_images() {
  const fs::path m0 = one_file("m0.file", found_.m0, "M0 scan");
  if (!m0.empty()) {
    m0_ = image("m0.file", m0);
    if (m0_.data.rank() > 4)
      throw Error(Errc::shape, fmt::format("the M0 scan is {}", to_string(m0_.data.shape())),
                  "give (x, y, z) or (x, y, z, t)")
          .at(m0.string());
    require_same_space(series_, m0_, "ASL series", "M0 scan");
  }
  const std::string m0_method = asl::m0_methods().resolve(config_.text("m0.method"));
  const bool needs_region = m0_method == "m0.csf" || m0_method == "m0.white_matter";
  const fs::path m0_region = one_file("m0.region", {}, "region of M0");
  if (!m0_region.empty())
    m0_region_ = region("m0.region", m0_region, "region of M0", series_, "ASL series");
  else if (needs_region)
    throw Error(Errc::usage, fmt::format("{} needs a mask of {}", m0_method, asl::m0_methods().get(m0_method).region),
                "name it with m0.region")
        .at(config_.where("m0.method"));
  const auto T1 = one_file("fit.T1_map", found_.T1, "T1 map");
  if (!T1.empty()) {
    const std::string unit = config_.text("fit.T1_map_unit");
    T1_ = reading("fit.T1_map", [&] { return read_map(T1, series_, "T1 map", unit == "ms" ? 1e-3 : 1.0); });
    reading("fit.T1_map", [&] {
      require_middle(T1_, T1_middle.first, T1_middle.second, "T1 map in s",
                     fmt::format("its unit is not {}: set fit.T1_map_unit: {}", unit, unit == "ms" ? "s" : "ms"));
      return 0;
    });
  }
  for (const auto& [name, key, paths] : {std::tuple{"GM", "tissue.GM", &found_.GM},
                                         {"WM", "tissue.WM", &found_.WM},
                                         {"CSF", "tissue.CSF", &found_.CSF}}) {
    const auto path = one_file(key, *paths, name);
    if (!path.empty()) fractions_[name] = reading(key, [&, k = key] { return read_map(path, series_, k, 1.0); });
  }
  find_M0();
}

/// Says now where M0 will come from, and whether there is one.
void AslReader::find_M0() {
  Image scan = m0_;
  const auto source = config_.text("m0.source");
  const std::map<std::string, asl::M0Source> words{{"auto", asl::M0Source::automatic},
                                                   {"scan", asl::M0Source::scan},
                                                   {"included", asl::M0Source::included},
                                                   {"estimate", asl::M0Source::estimate},
                                                   {"control", asl::M0Source::control}};
  const auto estimate =
      config_.has("m0.estimate") ? std::optional<double>(config_.number("m0.estimate")) : std::nullopt;
  m0_from_ = asl::find_M0(words.at(source), series_, roles_, scan, estimate).from;
}

}  // namespace larmor::cli
