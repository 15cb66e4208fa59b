// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/flow/value.hpp>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"

/// What the commands of reconstruction share: they run the operations that graphs run.
namespace larmor::cli {

std::map<std::string, flow::Value> run_operation_of(const Call& call, const std::string& id,
                                                    std::map<std::string, flow::Value> inputs,
                                                    std::map<std::string, flow::Value> settings);

/// k-space of a command line: as it is in the file, and as the command is to see it.
struct ReconJob {
  flow::Value full, kspace;         // the same unless --undersample was given
  std::optional<flow::Value> mask;  // of --undersample
  std::string axes, coil_axis;
  std::int64_t calibration = 0;  // --calibration, or what of 24 was measured
};
/// KSPACE with the names of --rename. Errors   Errc::usage when none of its axes is that of the coils
flow::Value named_kspace(const Call& call);
/// KSPACE, --rename, --axes, --coil-axis, --undersample, --calibration, --random, --seed.
std::vector<Option> kspace_options();
ReconJob read_kspace(const Call& call);
/// --axes, or the two of x, y and z that have more than one element; x, y otherwise.
std::string kspace_axes(const Call& call, const flow::Value& kspace);
/// --calibration, or as much of the middle as was measured, 24 at most.
std::int64_t kspace_calibration(const Call& call, const flow::Value& kspace, const std::string& axes);
/// Whether the file's k-space lacks no sample.
bool complete(const ReconJob& job);

/// Sensitivities: those of --maps, or calibrated on the middle of the k-space as the file has it.
std::vector<Option> maps_options();
flow::Value read_maps(const Call& call, const ReconJob& job);

/// What --json prints is gathered in `told`; without it, lines are printed as they come.
void print_told(const Call& call, const nlohmann::ordered_json& told);
/// Writes a result to the file of this option or positional, and says so in `told` under its name.
void write_result(const Call& call, const std::string& name, const flow::Value& value, nlohmann::ordered_json& told);

/// Names of files to write that hold no array are an error before the work. Errors   Errc::usage, Errc::unknown_name
void require_array_files(const Call& call, std::initializer_list<const char*> names);

/// OUT and --error; tells what was written, and with --undersample how far it is from `reference`.
std::vector<Option> image_options();
void write_image(const Call& call, const flow::Value& image, nlohmann::ordered_json& told);
/// The image of all samples, combined with the sensitivities; nothing without --undersample.
std::optional<flow::Value> reference_of(const Call& call, const ReconJob& job, const flow::Value& maps);
void tell_error(const Call& call, const flow::Value& image, const flow::Value& reference, nlohmann::ordered_json& told);

}  // namespace larmor::cli
