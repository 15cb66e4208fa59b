// SPDX-License-Identifier: Apache-2.0
#include "series_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <larmor/core/log.hpp>
#include <larmor/io/bids.hpp>

namespace larmor::cli {

std::vector<double> option_or(const Call& call, const char* name, double factor, const std::vector<double>& sidecar,
                              bool needed) {
  if (call.given(name)) {
    auto v = call.numbers(name);
    for (double& x : v) x *= factor;
    const bool same = std::equal(v.begin(), v.end(), sidecar.begin(), sidecar.end(),
                                 [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); });
    if (!sidecar.empty() && !same) {
      std::vector<std::string> known;
      for (const double x : sidecar) known.push_back(fmt::format("{:.6g}", x / factor));
      log::info(fmt::format("{}: the sidecar says {}, which is overruled", name, fmt::join(known, ", ")));
    }
    return v;
  }
  if (sidecar.empty() && needed)
    throw Error(
        Errc::usage,
        fmt::format("larmor {}: {} is not known: neither an option nor the sidecar has it", call.command->name, name),
        fmt::format("give {}", name));
  return sidecar;
}

Series read_series(const std::vector<std::filesystem::path>& paths) {
  Series s;
  std::vector<Image> images;
  std::int64_t volumes = 0;
  const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (const auto& p : paths) {
    images.push_back(io::read_image(p));
    const auto& i = images.back();
    require_same_space(images[0], i, paths[0].filename().string(), p.filename().string());
    add(s.FA, in_rad(meta_numbers(i.meta, "FlipAngle")));
    add(s.TR, meta_TR(i.meta));
    add(s.TI, meta_numbers(i.meta, "InversionTime"));
    volumes += i.volumes();
  }
  if (!s.TR.empty() && std::all_of(s.TR.begin(), s.TR.end(), [&](double t) { return t == s.TR[0]; }))
    s.TR = std::vector<double>(1, s.TR[0]);
  s.image = images[0];
  if (images.size() > 1) {
    const auto g = s.image.grid();
    Array all(DType::f32, {g[0], g[1], g[2], volumes}, {"x", "y", "z", "n"});
    auto out = all.span<float>().begin();
    for (const auto& i : images) {
      const Array f = i.data.cast(DType::f32).contiguous_copy();
      out = std::copy(f.span<float>().begin(), f.span<float>().end(), out);
    }
    s.image.data = all;
    s.image.times.clear();
  }
  return s;
}

std::vector<float> read_map(const std::filesystem::path& path, const Image& reference, const char* what, double scale) {
  const Image i = io::read_image(path);
  if (i.data.rank() > 3)
    throw Error(Errc::shape, fmt::format("the {} is {}, not 3-D", what, to_string(i.data.shape())), "give one volume")
        .at(path.string());
  require_same_space(reference, i, "series", what);
  const Array f = i.data.cast(DType::f32).contiguous_copy();
  std::vector<float> out(f.span<float>().begin(), f.span<float>().end());
  for (float& x : out) x *= static_cast<float>(scale);
  return out;
}

void require_middle(const std::vector<float>& map, double low, double high, const std::string& what,
                    const std::string& advice) {
  std::vector<float> values;
  std::copy_if(map.begin(), map.end(), std::back_inserter(values), [](float x) { return x > 0; });
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (!values.empty() && (*middle > high || *middle < low))
    throw Error(Errc::range,
                fmt::format("half of the {} is {} {:g}", what, *middle > high ? "above" : "below", *middle), advice);
}

std::vector<float> read_B1(const Call& call, const Image& reference) {
  auto B1 = read_map(call.text("--B1"), reference, "B1 map");
  try {
    require_middle(B1, B1_middle.first, B1_middle.second, "B1 map, actual / nominal,",
                   "give a fraction, not a percentage");
  } catch (Error& e) {
    throw e.at(fmt::format("larmor {}: --B1 {}", call.command->name, call.text("--B1")));
  }
  return B1;
}

std::vector<std::uint8_t> read_mask(const Call& call, const char* name, const Image& reference) {
  if (!call.given(name)) return {};
  const Image i = io::read_image(call.text(name));
  require_same_space(reference, i, "series", "mask");
  try {
    return mask_from(i);
  } catch (Error& e) {
    throw e.at(call.text(name));
  }
}

std::vector<double> frame_times(const Call& call, const char* name, const Image& series) {
  if (call.given(name)) {
    std::vector<double> t;
    for (std::int64_t i = 0; i < series.volumes(); ++i) t.push_back(static_cast<double>(i) * call.number(name));
    return t;
  }
  if (static_cast<std::int64_t>(series.times.size()) != series.volumes())
    throw Error(Errc::file, fmt::format("the times of the {} frames are not known", series.volumes()),
                fmt::format("give {} [s], or a sidecar with VolumeTiming", name))
        .at(series.source);
  return series.times;
}

}  // namespace larmor::cli
