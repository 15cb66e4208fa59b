// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

// The values of a port on the grid of `like`; plain arrays have no place to compare.
Image on_grid(const flow::Ports& io, const char* port, const Image& like) {
  const auto given = io.in<Gridded>(port);
  Image image = given.image();
  if (image.data.rank() > 3)
    throw Error(Errc::shape, fmt::format("'{}' is {}, not 3-D", port, image.data.describe()), "give one volume");
  if (given.geometry)
    require_same_space(like, image, "the series", port);
  else if (image.grid() != like.grid())
    throw Error(Errc::shape,
                fmt::format("'{}' is {}, the series {}", port, image.data.describe(), like.data.describe()),
                "give one value a voxel");
  return image;
}

}  // namespace

Image series_in(const flow::Ports& io, const char* port) {
  Image series = io.in<Image>(port);
  try {
    dce::check_series(series);
  } catch (Error& e) {
    throw e.at(fmt::format("port '{}'", port));
  }
  return series;
}

std::vector<std::uint8_t> mask_in(const flow::Ports& io, const char* port, const Image& like) {
  if (!io.has(port)) return {};
  try {
    return mask_from(on_grid(io, port, like));
  } catch (Error& e) {
    throw e.at(fmt::format("port '{}'", port));
  }
}

std::vector<float> map_in(const flow::Ports& io, const char* port, const Image& like) {
  if (!io.has(port)) return {};
  const Array own = io.in<Array>(port);
  const Array f = (own.size() == 1 ? own : on_grid(io, port, like).data).cast(DType::f32).contiguous_copy();
  return {f.span<const float>().begin(), f.span<const float>().end()};
}

dce::Statuses statuses_in(const flow::Ports& io, const char* port, const Image& like) {
  if (!io.has(port)) return {};
  const Array codes = on_grid(io, port, like).data.cast(DType::u8).contiguous_copy();
  dce::Statuses out;
  for (const auto code : codes.span<const std::uint8_t>()) {
    if (code >= fit::n_fit_status)
      throw Error(Errc::range,
                  fmt::format("'{}' holds {}; a status goes from 0 to {}", port, code, fit::n_fit_status - 1),
                  "give the status of T1 mapping or of a conversion");
    out.push_back(static_cast<fit::FitStatus>(code));
  }
  return out;
}

Image place_of(const Image& like, Array data) {
  Image out;
  out.affine = like.affine, out.meta = like.meta, out.source = like.source;
  out.data = data.rank() == 3 ? data.with_axes({"x", "y", "z"}) : std::move(data);
  return out;
}

Image statuses_image(const dce::Statuses& statuses, const Image& like) {
  std::vector<std::uint8_t> codes;
  for (const auto s : statuses) codes.push_back(static_cast<std::uint8_t>(s));
  const auto g = like.grid();
  return place_of(like, Array::from<std::uint8_t>(codes, {g[0], g[1], g[2]}));
}

Image reference_of(const Image& series) {
  Image out = place_of(series, series.data.rank() > 3 ? series.data.slice(3, 0).clone() : series.data);
  out.times = series.times;
  return out;
}

std::vector<Aif> plasma_in(const flow::Ports& io) {
  std::vector<Aif> out;
  for (const char* port : {"aif", "venous"}) {
    if (!io.has(port)) continue;
    out.push_back(io.in<Aif>(port));
    if (!out.back().plasma)
      throw Error(Errc::usage, fmt::format("port '{}' gets a curve of whole blood", port),
                  "put dce.to_plasma with the haematocrit before it");
  }
  return out;
}

dce::T1Protocol t1_protocol(const flow::Ports& io, const Metadata& meta) {
  dce::T1Protocol p;
  const auto take = [&](const char* setting, const char* key, auto&& convert) {
    if (!io.type().setting(setting)) return std::vector<double>{};
    const auto own = io.setting(setting).numbers();
    return own.empty() ? meta_numbers(meta, key) : convert(own);
  };
  p.FA = take("FA", "FlipAngle", in_rad);
  if (io.type().setting("FA") && io.setting("FA").numbers().empty()) p.FA = in_rad(p.FA);
  p.TR = take("TR", "RepetitionTimeExcitation", in_s);
  if (p.TR.empty()) p.TR = meta_TR(meta);
  p.TI = take("TI", "InversionTime", in_s);
  if (!p.FA.empty()) p.readout_FA = p.FA[0];
  if (io.type().setting("magnitude")) p.magnitude = io.setting("magnitude");
  p.device = io.device();
  return p;
}

void run_t1(flow::Ports& io, const std::string& method) {
  const Image series = io.in<Gridded>("series").image();
  if (series.data.rank() < 2)
    throw Error(Errc::shape, "the series is " + series.data.describe(), "give the volumes along its last axis");
  Image like = series;
  like.data = series.data.slice(series.data.rank() - 1, 0);
  const auto mask = mask_in(io, "mask", like);
  const auto B1 = io.type().input("B1") ? map_in(io, "B1", like) : std::vector<float>{};
  const auto t1 = dce::t1_methods().get(method).map(series.data, t1_protocol(io, series.meta), B1, mask, io.progress(),
                                                    &io.cancel());
  const ParameterMaps maps = dce::maps_of(t1, place_of(like, like.data.clone()));
  io.out("T1") = place_of(like, maps.get("T1").values);
  io.out("maps") = maps;
}

}  // namespace larmor::nodes
