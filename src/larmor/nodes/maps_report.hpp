// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <functional>
#include <larmor/data/parameter_maps.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larmor::nodes {

/// What became of the voxels of a fit, from its status map.
struct VoxelCounts {
  std::array<std::int64_t, fit::n_fit_status> by_status{};
  std::int64_t voxels = 0, masked = 0, usable = 0;
};
VoxelCounts count_voxels(const Array& status);

/// What the report of every analysis that gives maps shows. What is empty is left out.
struct MapsReport {
  std::string title, subtitle = {};
  ParameterMaps maps;
  bool engine_units = false;
  io::KeyValues references = {};
  std::vector<std::pair<std::string, double>> seconds = {};  // by stage
  double total_seconds = 0, voxels_per_second = 0;
  std::vector<std::string> notes = {};
  io::Table files = {};        // role, file, chosen by
  io::KeyValues details = {};  // drawers: title and text
};

/// Measured and fitted curves of single voxels.
struct VoxelCurves {
  std::string x, x_unit, y, y_unit, lead;  // of the axes and the section
  std::vector<double> at;                  // x of each sample
  std::function<std::vector<double>(std::int64_t voxel)> measured;
  std::function<std::vector<double>(std::int64_t voxel)> fitted;  // at the same places; empty: no fit
  std::vector<double> line_at = {};                               // where the line is drawn; empty: at the samples
  std::function<std::vector<double>(std::int64_t voxel)> line = {};
};

/// The parts of such a report, to be called in the order in which they shall stand.
class MapsPage {
 public:
  /// `underlay` is the grey picture below the maps (x, y, z) f32; `names` are the parameters in the order in which they
  /// are shown, the first two as tiles; `hot` of them are drawn in inferno.
  MapsPage(const MapsReport& data, Array underlay, std::vector<std::string> names, std::vector<std::string> hot = {});

  /// Tiles, facts, and what went wrong in how many voxels.
  void opening(const io::KeyValues& facts);
  /// Section "Maps": every parameter with its histogram.
  void parameters(const std::string& lead);
  void uncertainty(const std::string& lead);
  /// Voxels of low, median and high value of the first parameter, the worst fit, and one that failed.
  void curves(const VoxelCurves& view);
  void quality();
  /// Section with maps of these names, left out when there is none.
  void more_maps(const std::string& title, const std::string& lead, const std::vector<std::string>& names,
                 const char* colours = "viridis");
  void settings();
  /// Section "References"; `first` stand before those of the data. Each is cited once.
  void references(const io::KeyValues& first, const io::KeyValues& last = {});

  /// Map over the full width; its histogram waits for distributions().
  void show(const std::string& name, const char* colours);
  void distributions();
  std::string ortho(const Array& values, const std::string& label, const std::string& unit,
                    io::ColourScale scale) const;
  const VoxelCounts& counts() const { return counts_; }
  const Array& underlay() const { return underlay_; }
  io::HtmlReport& html() { return html_; }
  static std::string percent(std::int64_t part, std::int64_t all);

 private:
  struct Example {
    std::int64_t voxel;
    std::string title;
  };
  Array shown(const ParameterMap& m, const Array& values) const;
  std::string histogram(const Array& values, const std::string& label, const std::string& unit) const;
  std::vector<Example> examples() const;
  std::string values_of(std::int64_t voxel) const;
  void status_map();

  const MapsReport& d_;
  std::vector<std::string> names_, hot_;
  VoxelCounts counts_;
  io::HtmlReport html_;
  Array underlay_;
  std::optional<std::array<std::int64_t, 3>> centre_;
  std::vector<io::Figure> histograms_;
};

/// Mean over volumes first to last (exclusive) of a series (x, y, z, n), for the picture below the maps.
Array mean_picture(const Image& series, std::int64_t first, std::int64_t last);

}  // namespace larmor::nodes
