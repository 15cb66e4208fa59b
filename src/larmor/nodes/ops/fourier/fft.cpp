// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/broadcast.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

FftNorm norm_of(const std::string& text) {
  return text == "unitary" ? FftNorm::unitary : text == "by_n" ? FftNorm::by_n : FftNorm::none;
}

void compute(flow::Ports& io, bool forward) {
  auto in = io.in<Gridded>("in");
  const bool centred = io.setting("centred");
  auto axes = axes_in(in.data, io.setting("axes"));
  if (axes.empty()) throw Error(Errc::usage, "no axes to transform", "set 'axes', like: x, y");
  for (const auto& item : axis_texts(in.data, io.setting("size"))) {
    if (std::find(axes.begin(), axes.end(), item.axis) == axes.end())
      throw Error(Errc::usage, fmt::format("a size for axis '{}', which is not transformed", item.name),
                  "add it to 'axes', or use array.resize");
    const std::int64_t n = in.data.extent(item.axis), m = whole(item);
    const Array resized = centred ? nd::resize(in.data, item.axis, m, 0, &io.cancel())
                                  : nd::pad(in.data, item.axis, 0, m - n, nd::Pad::constant, 0, &io.cancel());
    // Forward, the field of view grows with the image; inverse, more k-space is finer voxels over the same field.
    const double step = forward ? 1 : static_cast<double>(n) / static_cast<double>(m);
    const double old_centre = centred ? static_cast<double>(n / 2) : 0,
                 new_centre = centred ? static_cast<double>(m / 2) : 0;
    in = along(in, resized, item.name, old_centre - step * new_centre, step);
  }
  const DType work = nd::arithmetic_type(std::span(&in.data, 1));
  Array out = in.data.cast(work == DType::f64 || work == DType::c128 ? DType::c128 : DType::c64);
  const FftOptions options{.norm = norm_of(io.setting("scaling")), .centred = centred, .cancel = &io.cancel()};
  for (std::size_t at = 0; at < axes.size(); at += 3) {
    const auto some = std::span<const int>(axes).subspan(at, std::min<std::size_t>(3, axes.size() - at));
    out = forward ? fft(out, some, options) : ifft(out, some, options);
  }
  io.out("out") = in.with(std::move(out));
}

flow::NodeType node(bool forward) {
  return flow::NodeType{
      .title = forward ? "Fourier transform" : "Inverse Fourier transform",
      .does = forward ? "Transforms axes from position to frequency" : "Transforms axes from frequency to position",
      .help = forward ? "$$X_k = \\sum_n x_n e^{-2 \\pi i k n / N}$$ Centred: position and frequency "
                        "0 sit at index $\\lfloor N/2 \\rfloor$, as k-space and images are stored."
                      : "$$x_n = \\sum_k X_k e^{+2 \\pi i k n / N}$$ Centred: position and frequency "
                        "0 sit at index $\\lfloor N/2 \\rfloor$. A larger size interpolates the image "
                        "(zero filling); the affine follows.",
      .tags = {"FFT", "k-space", "spectrum", "DFT"}}
      .in<Gridded>("in", "array; real ones become complex")
      .out<Gridded>("out", "complex, the same axes")
      .set({"axes", "axes to transform, like: x, y", "x, y"})
      .set({"centred", "0 sits in the middle of the axes", true})
      .set({"size", "crop or zero-fill axes first, like: x=256, y=256", ""})
      .set(flow::Setting::choice("scaling", "none, by 1/N, or by 1/sqrt(N), which keeps the energy", "unitary",
                                 {"unitary", "none", "by_n"}))
      .validate([](flow::Form& form) { offer_axes(form, "in", "axes"); })
      .run([forward](flow::Ports& io) { compute(io, forward); });
}

}  // namespace

/// fourier.fft and fourier.ifft.
void register_fourier_fft(flow::NodeTypes& nodes) {
  nodes.add("fourier.fft", node(true));
  nodes.add("fourier.ifft", node(false));
}

}  // namespace larmor::nodes
