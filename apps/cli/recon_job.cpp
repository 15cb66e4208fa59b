// SPDX-License-Identifier: Apache-2.0
#include "recon_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/log.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <nlohmann/json.hpp>

#include "print_json.hpp"

namespace larmor::cli {

using flow::Value;
using json = nlohmann::ordered_json;

std::map<std::string, Value> run_operation_of(const Call& call, const std::string& id,
                                              std::map<std::string, Value> inputs,
                                              std::map<std::string, Value> settings) {
  flow::Ports::Services services;
  services.cancel = Cancel::interrupt(), services.progress = console_progress(call.quiet);
  services.warn = [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); };
  if (!call.quiet) services.log = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
  try {
    return flow::run_operation(nodes::operations().get(id), nodes::operations().types, std::move(inputs),
                               std::move(settings), std::move(services));
  } catch (Error& e) {
    throw e.at("larmor " + call.command->name);
  }
}

std::vector<Option> kspace_options() {
  return {
      text("--rename", "names of the axes, in the file's order: coil, y, x; default: those in the file"),
      text("--axes", "axes to transform; default: x, y, or those of x, y, z with more than one element"),
      text("--coil-axis", "axis of the coils", "coil"),
      text("--undersample", "leave only some of the lines, like y=3, and tell how far the image is from that of all"),
      integer("--calibration",
              "samples of the middle: kept, and used for sensitivities; fewer where fewer were measured", 24, 0, 1024),
      flag("--random", "undersample at random, dense in the middle"),
      integer("--seed", "of random lines", 1, 0, 1000000)};
}

namespace {

/// The file, with the names of --rename: those of k-space always, those of `sensitivities` where the file has none.
Value named(const Call& call, const std::string& path, bool sensitivities) {
  const std::string coil = call.text("--coil-axis");
  const auto array = [](const Value& v) { return flow::ValueTraits<Array>::from(v); };
  const auto has_coils = [&](const Value& v) {
    const Axes axes = array(v).axes();
    return std::find(axes.begin(), axes.end(), coil) != axes.end();
  };
  Value data = nodes::read_file(path);
  if (call.given("--rename") && !(sensitivities && has_coils(data))) {
    try {
      data = run_operation_of(call, "array.rename_axes", {{"in", data}}, {{"names", call.text("--rename")}}).at("out");
    } catch (Error& e) {
      throw e.at(path);
    }
  }
  if (has_coils(data)) return data;
  const Array a = array(data);
  // As NumPy mostly has them: coil, slice, y, x.
  std::string names = coil;
  for (int left = a.rank() - 1; left > 0; --left)
    names += left == 1 ? ", x" : left == 2 ? ", y" : left == 3 ? ", slice" : fmt::format(", a{}", left);
  throw Error(Errc::usage,
              fmt::format("{} no axis called '{}': {}", sensitivities ? "sensitivities have" : "k-space has", coil,
                          a.describe()),
              fmt::format("name the axes in the file's order, such as --rename \"{}\", or the one of the coils: "
                          "--coil-axis {}",
                          names, a.rank() > 0 ? a.axes().front() : coil))
      .at(path)
      .at("larmor " + call.command->name);
}

}  // namespace

Value named_kspace(const Call& call) { return named(call, call.text("KSPACE"), false); }

ReconJob read_kspace(const Call& call) {
  ReconJob job;
  job.full = named_kspace(call), job.coil_axis = call.text("--coil-axis");
  job.kspace = job.full;
  job.axes = kspace_axes(call, job.full);
  job.calibration = kspace_calibration(call, job.full, job.axes);
  if (!call.given("--undersample")) {
    for (const char* option : {"--random", "--seed", "--error"})
      if (call.given(option))
        throw Error(Errc::usage,
                    fmt::format("larmor {}: {} does nothing without --undersample", call.command->name, option),
                    "leave it out, or say how to undersample: --undersample y=2");
    return job;
  }
  const bool keep = call.command->name != "recon sense" || call.given("--random");
  const auto out = run_operation_of(call, "recon.undersample", {{"in", job.full}},
                                    {{"factors", call.text("--undersample")},
                                     {"calibration", keep ? job.calibration : 0},
                                     {"random", call.flag("--random")},
                                     {"seed", call.integer("--seed")}});
  job.kspace = out.at("out"), job.mask = out.at("mask");
  return job;
}

std::string kspace_axes(const Call& call, const Value& kspace) {
  const Array a = flow::ValueTraits<Array>::from(kspace);
  if (call.given("--axes")) {
    nodes::axes_in(a, call.text("--axes"));  // says what is wrong with them
    return call.text("--axes");
  }
  std::vector<std::string> wide;
  for (const char* name : {"x", "y", "z"})
    if (std::find(a.axes().begin(), a.axes().end(), name) == a.axes().end())
      return "x, y";
    else if (a.extent(a.axis(name)) > 1)
      wide.emplace_back(name);
  return wide.size() == 2 ? wide[0] + ", " + wide[1] : "x, y";
}

std::int64_t kspace_calibration(const Call& call, const Value& kspace, const std::string& axes) {
  if (call.given("--calibration")) return call.integer("--calibration");
  const Array a = flow::ValueTraits<Array>::from(kspace);
  const std::int64_t usual = call.integer("--calibration");
  const auto measured = recon::measured_middle(a, nodes::names_in(axes), usual);
  return measured >= 8 ? measured : usual;  // less than that is no calibration: the operation says what is missing
}

bool complete(const ReconJob& job) {
  const Array a = flow::ValueTraits<Array>::from(job.full);
  std::int64_t most = 1;
  for (const auto& name : nodes::names_in(job.axes)) most = std::max(most, a.extent(a.axis(name)));
  return recon::measured_middle(a, nodes::names_in(job.axes), most) == most;
}

std::vector<Option> maps_options() {
  return {file("--maps", "sensitivities; default: calibrated on the middle of k-space (ESPIRiT)"),
          number("--crop", "eigenvalues below are background, without --maps [1]", 0.8, 0, 0.999)};
}

Value read_maps(const Call& call, const ReconJob& job) {
  if (call.given("--maps")) return named(call, call.text("--maps"), true);
  return run_operation_of(call, "recon.espirit", {{"in", job.full}},
                          {{"axes", job.axes},
                           {"axis", job.coil_axis},
                           {"calibration", job.calibration},
                           {"crop", call.number("--crop")}})
      .at("maps");
}

std::vector<Option> image_options() {
  return {flag("--magnitude", "write magnitudes instead of complex numbers"),
          file("--error", "with --undersample: write the magnitude of the difference from the image of all samples")
              .output()};
}

void require_array_files(const Call& call, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (!call.given(name)) continue;
    const auto& kind = nodes::file_kind(call.text(name));
    bool holds = false;
    for (const char* writer : {"io.write_image", "io.write_npy", "io.write_ismrmrd", "io.write_cfl", "io.write_json"})
      holds = holds || kind.writer == writer;
    if (!holds)
      throw Error(
          Errc::usage,
          fmt::format("larmor {}: {} {}: a {} holds no array", call.command->name, name, call.text(name), kind.title),
          "write .npy, .cfl or .nii.gz");
  }
}

void print_told(const Call& call, const json& told) {
  if (call.json) print_json(told);
}

void write_result(const Call& call, const std::string& name, const Value& value, json& told) {
  nodes::write_file(call.text(name), value);
  if (name != "OUT") {
    told[name.substr(2)] = call.text(name);
    return;
  }
  const Array a = flow::ValueTraits<Array>::from(value);
  told.update({{"out", call.text(name)},
               {"shape", a.shape()},
               {"axes", a.axes()},
               {"type", std::string(to_string(a.dtype()))}});
  if (!call.json) fmt::print("{}  {}\n", call.text(name), a.describe());
}

void write_image(const Call& call, const Value& image, json& told) {
  write_result(call, "OUT",
               call.flag("--magnitude") ? run_operation_of(call, "math.abs", {{"in", image}}, {}).at("out") : image,
               told);
}

std::optional<Value> reference_of(const Call& call, const ReconJob& job, const Value& maps) {
  if (!call.given("--undersample")) return {};
  const Value images = run_operation_of(call, "fourier.ifft", {{"in", job.full}}, {{"axes", job.axes}}).at("out");
  return run_operation_of(call, "recon.coil_combine", {{"in", images}, {"maps", maps}}, {{"axis", job.coil_axis}})
      .at("out");
}

void tell_error(const Call& call, const Value& image, const Value& reference, json& told) {
  const auto bring = [](const Value& v) {
    return flow::ValueTraits<Array>::from(v).cast(DType::c128).contiguous_copy();
  };
  const Value difference = run_operation_of(call, "math.subtract", {{"a", image}, {"b", reference}}, {}).at("out");
  const Array d = bring(difference), r = bring(reference);
  double dd = 0, rr = 0;
  for (const auto& v : d.span<std::complex<double>>())
    if (!std::isnan(v.real())) dd += std::norm(v);
  for (const auto& v : r.span<std::complex<double>>()) rr += std::norm(v);
  told["NRMSE"] = rr > 0 ? std::sqrt(dd / rr) : NAN;
  if (!call.json) fmt::print("NRMSE {:.4f} to the image of all samples\n", told["NRMSE"].get<double>());
  if (call.given("--error"))
    write_result(call, "--error", run_operation_of(call, "math.abs", {{"in", difference}}, {}).at("out"), told);
}

}  // namespace larmor::cli
