// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/io/table.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <larmor/perfusion/asl/pipeline.hpp>

namespace larmor::nodes {

/// Every figure of a map's quality in the units people use, with what it means.
io::Table quality_table(const asl::Quality& quality);

/// What the report of an ASL analysis shows. What is empty is left out.
struct AslReport : MapsReport {
  AslReport() { title = "ASL perfusion"; }
  Image signal;                // differences over M0 of blood (x, y, z, delay), with their timings
  Image series;                // (x, y, z, t): its mean is the picture below the maps
  io::Table quality = {};      // of quality_table
  io::Table differences = {};  // of asl.differences
  std::string mask_from = {}, M0_from = {};
};
/// Tiles, maps with histograms, uncertainty, signals of single voxels against time, quality of the map, differences,
/// settings, references. Errors   Errc::usage for maps that no quantification has made
io::HtmlReport asl_report(const AslReport& data);

/// The signal of a voxel at other times after the start of labelling, from the maps of its parameters; empty where
/// there is none, and of the formula.
std::vector<double> asl_curve(const ParameterMaps& maps, const asl::NotedTimings& timings, double T1, double partition,
                              std::span<const double> times, std::int64_t voxel);

}  // namespace larmor::nodes
