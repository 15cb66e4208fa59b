// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/pipeline.hpp>
#include <limits>

namespace larmor::asl {
namespace {

std::optional<double> first_of(const Metadata& meta, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto v = fact_numbers(meta, key);
    if (!v.empty() && v[0] < 0)
      throw Error(Errc::range, fmt::format("{} is {:g}", key, v[0]), "correct the sidecar: it cannot be negative");
    if (!v.empty() && v[0] > 0) return v[0];
  }
  return {};
}

// RepetitionTimePreparation is one for all or one a volume.
std::optional<double> TR_of(const Image& series, std::span<const Role> roles, Role role) {
  const auto all = fact_numbers(series.meta, "RepetitionTimePreparation");
  if (all.size() == roles.size())
    for (std::size_t i = 0; i < roles.size(); ++i)
      if (roles[i] == role && all[i] > 0) return all[i];
  return first_of(series.meta, {"RepetitionTimePreparation", "RepetitionTime"});
}

std::vector<Array> fractions_of(const Array& GM, const Array& WM, const Array& CSF) {
  std::vector<Array> fractions{GM, WM};
  if (!CSF.empty()) fractions.push_back(CSF);
  return fractions;
}

bool suppressed(const Metadata& meta) {
  const auto at = meta.find("BackgroundSuppression");
  if (at == meta.end()) return false;
  const auto* b = std::get_if<bool>(&at->second);
  return b && *b;
}

M0Source chosen(const Image& series, std::span<const Role> roles, const Image& scan, bool number) {
  const std::string type = fact_text(series.meta, "M0Type");
  const std::vector<std::string> types{"Separate", "Included", "Estimate", "Absent"};
  if (!type.empty() && std::find(types.begin(), types.end(), type) == types.end())
    throw unknown_name("M0Type", type, types, "correct the sidecar, or set m0.source");
  const bool included = std::find(roles.begin(), roles.end(), Role::m0) != roles.end();
  if (type == "Included" && included) return M0Source::included;
  if (type == "Estimate" && number) return M0Source::estimate;
  if (!scan.data.empty()) return M0Source::scan;
  if (included) return M0Source::included;
  if (number) return M0Source::estimate;
  if (type == "Separate")
    throw Error(Errc::range, "M0Type is Separate, but there is no M0 scan", "name it with m0.file (*m0scan.nii*)");
  if (type == "Included")
    throw Error(Errc::range, "M0Type is Included, but no volume is an m0scan",
                "name it in aslcontext.tsv (or input.context), or set m0.source");
  if (type == "Estimate")
    throw Error(Errc::range, "M0Type is Estimate, but the sidecar has no M0Estimate above 0", "set m0.estimate");
  return M0Source::control;
}

}  // namespace

M0Image find_M0(M0Source source, const Image& series, std::span<const Role> roles, const Image& scan,
                std::optional<double> estimate) {
  if (!estimate) estimate = first_of(series.meta, {"M0Estimate"});
  if (source == M0Source::automatic) source = chosen(series, roles, scan, estimate.has_value());
  M0Image m;
  m.TE = first_of(series.meta, {"EchoTime"});
  switch (source) {
    case M0Source::scan:
      if (scan.data.empty()) throw Error(Errc::range, "there is no M0 scan", "name it with m0.file (*m0scan.nii*)");
      m.image = scan;
      m.TR = first_of(scan.meta, {"RepetitionTimePreparation", "RepetitionTime"});
      if (const auto TE = first_of(scan.meta, {"EchoTime"})) m.TE = TE;
      m.from = "a scan of its own";
      break;
    case M0Source::included:
      m.image = mean_of_role(series, roles, Role::m0);
      m.TR = TR_of(series, roles, Role::m0);
      m.from = "M0 volumes of the series";
      break;
    case M0Source::estimate: {
      if (!estimate) throw Error(Errc::range, "M0 is not known: neither M0Estimate nor a number", "set m0.estimate");
      if (!(*estimate > 0)) throw Error(Errc::range, fmt::format("an M0 of {}", *estimate), "give a number above 0");
      const auto g = series.grid();
      Array all = Array::uninitialised(DType::f32, {g[0], g[1], g[2]});
      std::fill_n(all.data<float>(), all.size(), static_cast<float>(*estimate));
      m.image = series.like(all);
      m.TE = {};
      m.from = fmt::format("the number {:g}", *estimate);
      break;
    }
    case M0Source::control:
    case M0Source::automatic:
      if (suppressed(series.meta))
        throw Error(Errc::range, "no M0: there is no M0 scan, and the control images have their background suppressed",
                    "give an M0 scan (m0.file) or a number (m0.estimate)");
      m.image = mean_of_role(series, roles, Role::control);
      m.TR = TR_of(series, roles, Role::control);
      m.from = "the mean of the control images";
      break;
  }
  m.image.times.clear();
  return m;
}

ParameterMap M0_map(const Array& M0_blood, Mask mask) {
  const auto from = M0_blood.span<float>();
  std::vector<float> values(from.begin(), from.end());
  for (std::size_t v = 0; v < values.size(); ++v)
    if (!mask.empty() && !mask[v]) values[v] = std::numeric_limits<float>::quiet_NaN();
  return make_map("M0_blood", "a.u.", "M0 of arterial blood", values, {}, M0_blood.shape());
}

std::array<std::vector<float>, 2> pure_T1(std::span<const float> T1, const Array& GM, const Array& WM, const Array& CSF,
                                          Mask mask, const PartialVolumeOptions& window) {
  const std::size_t n = T1.size();
  if (n != static_cast<std::size_t>(GM.size()))
    throw Error(Errc::shape, fmt::format("a T1 map of {} voxels for tissue fractions of {}", n, GM.size()),
                "give it on the grid of the series");
  Array rate = Array::uninitialised(DType::f32, {GM.extent(0), GM.extent(1), GM.extent(2), 1});
  for (std::size_t v = 0; v < n; ++v)
    rate.data<float>()[v] = T1[v] > 0 ? 1 / T1[v] : std::numeric_limits<float>::quiet_NaN();
  const auto pure = pure_tissues(rate, fractions_of(GM, WM, CSF), mask, window);
  std::array<std::vector<float>, 2> out;
  for (std::size_t i = 0; i < 2; ++i) {
    const TissueKind& kind = i == 0 ? grey_matter : white_matter;
    const float* R1 = pure[i].data<float>();
    for (std::size_t v = 0; v < n; ++v) {
      const double t = 1 / static_cast<double>(R1[v]);
      out[i].push_back(static_cast<float>(t >= 0.2 && t <= 6 ? t : kind.T1));
    }
  }
  return out;
}

ParameterMaps partial_volume_maps(const Array& signal, std::span<const Sample> samples, std::span<const double> weights,
                                  const Protocol& protocol, const Array& GM, const Array& WM, const Array& CSF,
                                  std::span<const float> T1, Mask mask, const Image& reference,
                                  const QuantifyOptions& options, const PartialVolumeOptions& window,
                                  const Progress& progress, const Cancel* cancel) {
  if (GM.empty() || WM.empty())
    throw Error(Errc::range, "partial-volume correction needs fractions of grey and white matter",
                "name them with tissue.GM and tissue.WM, or leave it out");
  const auto pure = pure_tissues(signal, fractions_of(GM, WM, CSF), mask, window, progress, cancel);
  std::array<std::vector<float>, 2> own_T1;
  if (!T1.empty()) own_T1 = pure_T1(T1, GM, WM, CSF, mask, window);
  ParameterMaps all;
  for (std::size_t i = 0; i < 2; ++i) {
    const TissueKind& kind = i == 0 ? grey_matter : white_matter;
    // Voxels with a value; a tissue that is nowhere has no map.
    std::vector<std::uint8_t> here(static_cast<std::size_t>(GM.size()));
    const float* y = pure[i].data<float>();
    std::size_t n = 0;
    for (std::size_t v = 0; v < here.size(); ++v) n += here[v] = std::isfinite(y[v]);
    if (n == 0) continue;
    const auto maps = quantify(pure[i], {}, samples, weights, protocol,
                               {.T1 = T1.empty() ? std::vector<float>(1, static_cast<float>(kind.T1)) : own_T1[i],
                                .partition = kind.partition},
                               here, reference, options, progress, cancel);
    for (ParameterMap m : maps.maps) {
      if (m.name == "AICc" || m.name == "R2" || m.name == "residual_sd") continue;
      m.name += "_" + kind.name, m.symbol += "_" + kind.name;
      m.title += kind.name == "GM" ? " of pure grey matter" : " of pure white matter";
      if (options.consensus) m.standard_error = Array();
      all.maps.push_back(std::move(m));
    }
  }
  all.reference = reference;
  return all;
}

PipelineResult run_pipeline(const PipelineData& data, const PipelineOptions& o, const Progress& progress,
                            const Cancel* cancel) {
  PipelineResult r;
  const auto n = static_cast<std::size_t>(data.series.volumes());
  r.protocol = protocol_from(data.series.meta, n, o.given, &r.notes);
  check_slice_times(r.protocol, data.series.data.extent(2));
  const auto roles = roles_from(data.series.meta, n, o.given.encoding);
  r.differences = differences_of(data.series, roles, r.protocol, o.differences, data.mask, progress, cancel);
  r.M0 = find_M0(o.M0_source, data.series, roles, data.M0, o.M0_estimate);
  M0Options m0 = o.M0;
  if (!m0.TR) m0.TR = r.M0.TR;
  if (o.M0_echo && !m0.TE) m0.TE = r.M0.TE;
  const Array M0 = blood_M0(r.M0.image.data, m0, data.T1, data.M0_region.empty() ? data.mask : data.M0_region);
  const Array signal = normalised(r.differences.mean.data, M0), error = normalised(r.differences.standard_error, M0);
  Image reference = r.differences.mean.like(r.differences.mean.data.slice(3, 0));
  Tissue tissue = o.tissue;
  if (!data.T1.empty()) tissue.T1 = data.T1;
  r.maps = quantify(signal, error, r.differences.samples, r.differences.weights, r.protocol, tissue, data.mask,
                    reference, o.quantify, progress, cancel);
  r.maps.maps.push_back(M0_map(M0, data.mask));
  if (o.partial_volume) {
    const auto pure =
        partial_volume_maps(signal, r.differences.samples, r.differences.weights, r.protocol, data.GM, data.WM,
                            data.CSF, data.T1, data.mask, reference, o.quantify, o.window, progress, cancel);
    for (const auto& m : pure.maps) r.maps.maps.push_back(m);
  }
  r.quality = quality_of(r.maps.get("CBF").values, data.mask, data.GM, data.WM, data.CSF, data.series.affine.spacing());
  return r;
}

}  // namespace larmor::asl
