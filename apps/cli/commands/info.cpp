// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/io/bids.hpp>
#include <larmor/io/cfl.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/ismrmrd.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/io/table.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

/// Of complex numbers: of their magnitude.
json statistics(const Array& a) {
  if (a.empty()) return json::object();
  std::vector<double> values;
  if (a.dtype() == DType::c64 || a.dtype() == DType::c128) {
    const Array f = a.cast(DType::c64).contiguous_copy();
    for (const auto z : f.span<std::complex<float>>()) values.push_back(std::abs(std::complex<double>(z)));
  } else {
    const Array f = a.cast(DType::f64).contiguous_copy();
    values.assign(f.span<double>().begin(), f.span<double>().end());
  }
  double lo = INFINITY, hi = -INFINITY, sum = 0;
  std::int64_t n = 0, bad = 0;
  for (const double x : values) {
    if (!std::isfinite(x)) {
      ++bad;
      continue;
    }
    lo = std::min(lo, x), hi = std::max(hi, x), sum += x, ++n;
  }
  json j{{"finite", n}, {"not_finite", bad}};
  if (n) j.update({{"min", lo}, {"max", hi}, {"mean", sum / static_cast<double>(n)}});
  return j;
}

json nifti_info(const std::string& path) {
  io::NiftiInfo head;
  io::read_nifti(path, &head);
  const Image i = io::read_image(path);
  json j{{"format", fmt::format("NIfTI-{}", head.version)},
         {"shape", i.data.shape()},
         {"type", std::string(to_string(i.data.dtype()))}};
  const auto mm = i.affine.spacing();
  j["spacing_mm"] = mm;
  j["orientation"] = i.affine.orientation();
  json affine = json::array();
  for (const auto& row : i.affine.m) affine.push_back(row);
  j["affine"] = affine;
  if (!i.times.empty()) j["times_s"] = i.times;
  if (!head.description.empty()) j["description"] = head.description;
  if (head.scl_slope != 1 || head.scl_inter != 0)
    j["scaling"] = {{"slope", head.scl_slope}, {"intercept", head.scl_inter}};
  j["values"] = statistics(i.data);
  json meta = json::object();
  for (const auto& entry : i.meta) std::visit([&](const auto& v) { meta[entry.first] = v; }, entry.second);
  if (!meta.empty()) j["sidecar"] = meta;
  for (const auto& e : head.extensions)
    if (e.code == 6) {
      auto p = json::parse(e.data, nullptr, false);
      j["provenance"] = p.is_discarded() ? json(e.data) : p;
    }
  return j;
}

json array_info(const std::string& format, const Array& a) {
  json j{{"format", format}, {"shape", a.shape()}};
  if (const auto& axes = a.axes(); std::any_of(axes.begin(), axes.end(), [](const auto& n) { return !n.empty(); }))
    j["axes"] = axes;
  j["type"] = std::string(to_string(a.dtype()));
  j[a.dtype() == DType::c64 || a.dtype() == DType::c128 ? "magnitude" : "values"] = statistics(a);
  return j;
}

json mrd_info(const std::string& path) {
  const auto mrd = io::read_ismrmrd(path);
  json j = array_info("ISMRMRD", mrd.kspace);
  if (mrd.traj) j["trajectory"] = mrd.traj->k.shape();
  if (!mrd.noise.empty()) j["noise"] = mrd.noise.shape();
  if (!mrd.calibration.empty()) j["calibration"] = mrd.calibration.shape();
  for (const auto& entry : mrd.protocol)
    std::visit([&](const auto& v) { j["protocol"][entry.first] = v; }, entry.second);
  if (!mrd.notes.empty()) j["notes"] = mrd.notes;
  return j;
}

json pulseq_info(const std::string& path) {
  const auto sequence = io::read_pulseq(path);
  std::size_t pulses = 0, readouts = 0, samples = 0;
  for (const auto& block : sequence.blocks) {
    pulses += block.rf != nullptr;
    if (block.adc) ++readouts, samples += static_cast<std::size_t>(block.adc->samples);
  }
  json j{{"format", "Pulseq"},
         {"blocks", sequence.blocks.size()},
         {"duration_s", sequence.duration()},
         {"rf_pulses", pulses},
         {"readouts", readouts},
         {"samples", samples}};
  for (const auto& [name, value] : sequence.definitions) j["definitions"][name] = value;
  return j;
}

void print(const json& j, int indent) {
  for (const auto& [key, value] : j.items()) {
    if (value.is_object()) {
      fmt::print("{:{}}{}:\n", "", indent, key);
      print(value, indent + 2);
      continue;
    }
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.size() > 160)
      text = text.substr(0, 150) + fmt::format(" ... ({} characters; --json shows all)", text.size());
    fmt::print("{:{}}{:<{}}  {}\n", "", indent, key, 22 - indent, text);
  }
}

int run(const Call& call) {
  const std::string path = call.text("FILE");
  json j;
  if (path.ends_with(".npy")) {
    j = array_info("npy", io::read_npy(path));
  } else if (path.ends_with(".cfl") || path.ends_with(".hdr")) {
    j = array_info("BART", io::read_cfl(path));
  } else if (path.ends_with(".h5") || path.ends_with(".hdf5") || path.ends_with(".mrd")) {
    j = mrd_info(path);
  } else if (path.ends_with(".seq")) {
    j = pulseq_info(path);
  } else if (path.ends_with(".csv") || path.ends_with(".tsv")) {
    const auto t = io::read_table(path);
    j = {{"format", "table"}, {"columns", t.columns}, {"rows", t.rows.size()}};
  } else {
    try {
      j = nifti_info(path);
    } catch (const Error& e) {
      if (e.code() != Errc::format || path.ends_with(".nii") || path.ends_with(".nii.gz")) throw;
      throw Error(Errc::format, path + ": a file of a kind that is not looked into",
                  "give .nii, .nii.gz, .npy, .csv, .tsv, .cfl, .h5 or .seq; of DICOM tells larmor dicom info, of a "
                  "graph larmor graph show");
    }
  }
  json named{{"file", path}};
  named.update(j);
  j = named;
  if (call.json)
    print_json(j);
  else
    print(j, 0);
  return 0;
}

}  // namespace

void register_info(Commands& commands) {
  commands.add({.name = "info",
                .does = "What a file holds: shape, geometry, times, values, sidecar, and how larmor made it",
                .in = {{.name = "FILE",
                        .what = ".nii, .nii.gz, .npy, .csv, .tsv, .cfl (BART), .h5 (ISMRMRD) or .seq (Pulseq); of "
                                "DICOM tells larmor dicom info"}},
                .examples = {"larmor info maps/Ktrans.nii.gz", "larmor info maps/Ktrans.nii.gz --json"},
                .run = run});
}

}  // namespace larmor::cli
