// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/asl/bids.hpp>
#include <larmor/perfusion/asl/steps.hpp>

namespace larmor::asl {

/// Where M0 comes from: a scan of its own, volumes of the series, a number, or the mean of the control images.
enum class M0Source { automatic, scan, included, estimate, control };
struct M0Image {
  Image image;               // (x, y, z)
  std::optional<double> TR;  // [s] of it
  std::optional<double> TE;  // [s]
  std::string from;          // in words
};
/// automatic: what M0Type of the series says, else the scan, else volumes of the series, else the number, else the
/// controls (of a series without background suppression).
///
/// scan      may be empty; estimate M0 of tissue, in the unit of the series
/// Errors    Errc::range when what is asked for is not there; controls of a series with background suppression
M0Image find_M0(M0Source source, const Image& series, std::span<const Role> roles, const Image& scan,
                std::optional<double> estimate);

/// Tissues of a partial-volume correction.
struct TissueKind {
  std::string name;      // "GM": suffix of the maps
  double T1, partition;  // [s], [mL/g]
};
inline const TissueKind grey_matter{"GM", 1.33, 0.98}, white_matter{"WM", 0.83, 0.82};

/// T1 of the pure tissues [s], one a voxel, from a T1 map whose voxels are mixtures: rates 1 / T1 are separated like
/// signals. Where the window does not tell, or tells less than 0.2 s or more than 6 s, it is the kind's own.
///
/// Result   grey matter, white matter. Errors   those of pure_tissues
std::array<std::vector<float>, 2> pure_T1(std::span<const float> T1, const Array& GM, const Array& WM, const Array& CSF,
                                          Mask mask, const PartialVolumeOptions& window);

/// Maps of the pure tissues, with their suffix: CBF_GM, CBF_WM, ATT_GM, ... Signals are separated timing by timing
/// (pure_tissues) and quantified with what is known of each tissue.
///
/// T1   [s] map of the mixtures, one a voxel, or empty: the kinds' own
ParameterMaps partial_volume_maps(const Array& signal, std::span<const Sample> samples, std::span<const double> weights,
                                  const Protocol& protocol, const Array& GM, const Array& WM, const Array& CSF,
                                  std::span<const float> T1, Mask mask, const Image& reference,
                                  const QuantifyOptions& options, const PartialVolumeOptions& window,
                                  const Progress& progress = {}, const Cancel* cancel = nullptr);

/// M0 of blood as a map, with what it is called.
ParameterMap M0_map(const Array& M0_blood, Mask mask);

/// What was measured. Empty members were not.
struct PipelineData {
  Image series;                    // (x, y, z, t), its sidecar and "VolumeType" in meta
  Image M0;                        // (x, y, z[, t]) with its sidecar
  std::vector<std::uint8_t> mask;  // voxels to quantify; empty: all
  std::vector<std::uint8_t> M0_region;
  std::vector<float> T1;  // [s] of tissue, one a voxel; empty: options.tissue
  Array GM, WM, CSF;      // fractions (x, y, z)
};
struct PipelineOptions {
  Given given;
  DifferenceOptions differences;
  M0Source M0_source = M0Source::automatic;
  std::optional<double> M0_estimate = {};
  bool M0_echo = false;  // bring a single M0 from T2* of its tissue to that of blood
  M0Options M0;
  Tissue tissue;
  QuantifyOptions quantify;
  bool partial_volume = false;
  PartialVolumeOptions window;
};
struct PipelineResult {
  ParameterMaps maps;  // CBF, ...; M0_blood; CBF_GM, ... when asked for
  Differences differences;
  Protocol protocol;
  M0Image M0;
  Quality quality;
  std::vector<std::string> notes;
};
/// Differences, M0, quantification, partial volumes and quality: arrays in, maps out. The shipped graph graphs/asl.json
/// does the same step by step.
PipelineResult run_pipeline(const PipelineData& data, const PipelineOptions& options, const Progress& progress = {},
                            const Cancel* cancel = nullptr);

}  // namespace larmor::asl
