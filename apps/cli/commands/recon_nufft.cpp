// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/log.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/nufft_ports.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "recon_job.hpp"
#include "trajectory_file.hpp"

namespace larmor::cli {
namespace {

using flow::Value;
using Values = std::map<std::string, Value>;

Value operation(const Call& call, const std::string& id, Values inputs, Values settings, const char* out) {
  const auto& types = nodes::operations();
  flow::Ports::Services services;
  services.cancel = Cancel::interrupt();
  services.progress = console_progress(call.quiet);
  services.warn = [](const std::string& text) { log::warning(text); };
  if (call.verbose) services.log = [](const std::string& text) { log::info(text); };
  try {
    return flow::run_operation(types.get(id), types.types, std::move(inputs), std::move(settings), services).at(out);
  } catch (Error& e) {
    e.at("larmor " + call.command->name);
    throw;
  }
}

Array array_in(const std::string& path) { return flow::ValueTraits<Array>::from(nodes::read_file(path)); }

/// The same with its axes the other way round: NumPy shows (slice, arm, sample) of what lies in memory sample by
/// sample.
Array reversed(const Array& a) {
  std::vector<int> order;
  for (int i = a.rank() - 1; i >= 0; --i) order.push_back(i);
  return a.permuted(order).contiguous_copy();
}

Trajectory trajectory_of(const Call& call) {
  if (call.given("--traj") == call.given("--protocol"))
    throw Error(Errc::usage, fmt::format("larmor {}: give either --traj or --protocol", call.command->name),
                "--traj positions.npy [cycles/FOV], or --protocol scan.json of a spiral scan");
  if (call.given("--protocol") && call.given("--matrix"))
    throw Error(Errc::usage, fmt::format("larmor {}: --matrix goes with --traj", call.command->name),
                "leave it out: the protocol has the size of the image");
  if (call.given("--protocol"))
    return flow::ValueTraits<Trajectory>::from(
        operation(call, "traj.spiral", {{"protocol", nodes::read_file(call.text("--protocol"))}}, {}, "trajectory"));
  const Value file = nodes::read_file(call.text("--traj"));
  if (call.given("--matrix") && (file.type() == "trajectory" || file.type() == "record"))
    throw Error(Errc::usage,
                fmt::format("larmor {}: --matrix does nothing with {}", call.command->name, call.text("--traj")),
                "leave it out: the file has the size of the image");
  if (file.type() == "trajectory") return flow::ValueTraits<Trajectory>::from(file);
  if (file.type() == "record") return trajectory_of_json(file, call.text("--traj"));
  Array k = flow::ValueTraits<Array>::from(file);
  const auto coordinates = [](std::int64_t n) { return n == 2 || n == 3; };
  if (k.rank() >= 2 && !coordinates(k.extent(k.rank() - 1)) && coordinates(k.extent(0))) k = reversed(k);
  if (!call.given("--matrix"))
    throw Error(Errc::usage, fmt::format("larmor {}: the size of the image is not known", call.command->name),
                "give --matrix N, or --matrix NX,NY(,NZ)");
  Axes names{"sample", "arm"};
  while (static_cast<int>(names.size()) < k.rank() - 1) names.push_back("a" + std::to_string(names.size()));
  names.resize(static_cast<std::size_t>(std::max(k.rank() - 1, 0)));
  names.push_back("d");
  Value::List matrix;
  for (const double n : call.numbers("--matrix")) matrix.emplace_back(n);
  auto traj = flow::ValueTraits<Trajectory>::from(
      operation(call, "traj.from_array", {{"positions", k.with_axes(names)}}, {{"matrix", matrix}}, "trajectory"));
  double most = 0;
  for (const double v : traj.k.span<double>()) most = std::max(most, std::abs(v));
  if (most > 0 && most <= 0.5 && *std::min_element(traj.matrix.begin(), traj.matrix.end()) > 2)
    log::warning(
        fmt::format("positions reach {:.3g} of {} cycles/FOV: if they are in cycles/pixel, multiply them by the matrix",
                    most, traj.matrix[0] / 2));
  return traj;
}

bool begins_with(const Array& a, const Shape& shape) {
  if (static_cast<std::size_t>(a.rank()) < shape.size()) return false;
  return std::equal(shape.begin(), shape.end(), a.shape().begin());
}
/// Data whose first axes are `shape`, read either way round, with names for all axes.
Array fitting(Array a, const Shape& shape, Axes names, const std::string& path, const char* what) {
  if (!begins_with(a, shape)) {
    const Array other = reversed(a);
    if (!begins_with(other, shape))
      throw Error(Errc::shape, fmt::format("{} are {} and {} is needed", what, to_string(a.shape()), to_string(shape)),
                  "give an array with these axes first, or last as NumPy shows them")
          .at(path);
    a = other;
  }
  for (const char* more : {"slice", "coil", "t"})
    if (static_cast<int>(names.size()) < a.rank()) names.emplace_back(more);
  while (static_cast<int>(names.size()) < a.rank()) names.push_back("a" + std::to_string(names.size()));
  return a.with_axes(names);
}

void report(const Call& call, const std::string& what, const Array& out) {
  nodes::write_file(call.text("--out"), out);
  if (call.json)
    print_json({{"out", call.text("--out")},
                {"shape", out.shape()},
                {"axes", out.axes()},
                {"type", std::string(to_string(out.dtype()))}});
  else
    fmt::print("{} -> {}  {}\n", what, call.text("--out"), out.describe());
}

/// What only some methods can do. Errors   Errc::usage when the one that was chosen would leave it undone
void check_method(const Call& call) {
  const std::string method = call.text("--method");
  for (const auto& [option, able] : {std::pair{"--size", method != "grid"}, {"--tolerance", method == "nufft"}})
    if (call.given(option) && !able)
      throw Error(Errc::usage,
                  fmt::format("larmor {}: {} does nothing with --method {}", call.command->name, option, method),
                  "leave it out, or use --method nufft");
}

/// The samples with the turn of the phase that moves their image.
Array shifted(const Trajectory& traj, const Shape& image, const Array& samples, const std::vector<double>& shift) {
  const Array turns = nodes::shifted_weights(traj, image, {}, shift);
  Array out = samples.cast(DType::c64).clone();
  const auto s = out.span<std::complex<float>>();
  const auto t = turns.span<std::complex<float>>();
  for (std::size_t i = 0; i < s.size(); ++i) s[i] *= t[i % t.size()];
  return out;
}

int to_images(const Call& call) {
  require_array_files(call, {"--out"});
  check_method(call);
  const auto traj = trajectory_of(call);
  Array samples =
      fitting(array_in(call.text("KSPACE")), traj.sample_shape(), traj.sample_axes(), call.text("KSPACE"), "samples");
  const Value where = flow::ValueTraits<Trajectory>::to(traj);
  const Value protocol = call.given("--protocol") ? nodes::read_file(call.text("--protocol")) : Value();
  if (!call.flag("--keep-spikes"))
    samples = flow::ValueTraits<Array>::from(operation(call, "recon.despike", {{"in", samples}}, {}, "out"));
  Values inputs{{"in", samples}, {"trajectory", where}};
  if (const std::string density = call.text("--density"); density != "none") {
    // What was asked for here wins over the protocol.
    const auto setting = [&](const char* option, const char* name) {
      return call.given(option) ? call.number(option)
                                : nodes::reconstruction_setting(protocol, name).value_or(call.number(option));
    };
    inputs["dcf"] = operation(call, "recon.dcf", {{"trajectory", where}},
                              {{"method", density},
                               {"iterations", setting("--iterations", "density_compensation_iterations")},
                               {"taper", setting("--taper", "taper")}},
                              "out");
  }
  Value::List size;
  for (const double n : call.given("--size") ? call.numbers("--size") : std::vector<double>{}) size.emplace_back(n);
  const std::string method = call.text("--method");
  const auto dims = static_cast<std::size_t>(traj.dimensions());
  const auto shift =
      nodes::image_shift(call.given("--shift") ? call.numbers("--shift") : std::vector<double>{}, protocol, dims);
  if (method != "nufft" && !shift.empty()) {
    const Shape voxels = size.empty() ? traj.matrix : nodes::voxels_of(call.numbers("--size"), "size");
    inputs["in"] = shifted(traj, voxels, samples, shift);
  }
  Value image;
  if (method == "grid") {
    Values steps{{"trajectory", where}};
    const Value grid = operation(call, "recon.grid", inputs, {}, "out");
    const std::string axes = traj.dimensions() == 3 ? "x, y, z" : "x, y";
    steps["in"] = operation(call, "fourier.ifft", {{"in", grid}}, {{"axes", axes}, {"scaling", "none"}}, "out");
    image = operation(call, "recon.rolloff", steps, {}, "out");
  } else if (method == "dft") {
    image = operation(call, "recon.dft_adjoint", inputs, {{"size", size}}, "out");
  } else {
    image = operation(
        call, "recon.nufft_adjoint", inputs,
        {{"size", size}, {"shift", Value::List(shift.begin(), shift.end())}, {"tolerance", call.number("--tolerance")}},
        "out");
  }
  report(call, "images", flow::ValueTraits<Array>::from(image));
  return 0;
}

int to_samples(const Call& call) {
  require_array_files(call, {"--out"});
  const auto traj = trajectory_of(call);
  const Axes names = traj.dimensions() == 3 ? Axes{"x", "y", "z"} : Axes{"x", "y"};
  const Array image = fitting(array_in(call.text("IMAGE")), traj.matrix, names, call.text("IMAGE"), "images");
  const Value samples =
      operation(call, "recon.nufft_forward", {{"in", image}, {"trajectory", flow::ValueTraits<Trajectory>::to(traj)}},
                {{"tolerance", call.number("--tolerance")}}, "out");
  // The mean over the field of view, not the sum over voxels: then weights in (cycles/FOV)^d bring the image back.
  Array mean = flow::ValueTraits<Array>::from(samples).clone();
  std::int64_t voxels = 1;
  for (const auto n : traj.matrix) voxels *= n;
  for (auto& s : mean.span<std::complex<float>>()) s /= static_cast<float>(voxels);
  report(call, "samples", mean);
  return 0;
}

std::vector<Option> common() {
  return {file("--out", "result: .npy, .cfl").output().need().as("-o"),
          file("--traj", "positions [cycles/FOV]: .npy (sample, arm, 2|3), or either way round; .json"),
          file("--protocol", "JSON of a spiral scan's protocol, in place of --traj"),
          number("--matrix", "size of the image that belongs to --traj: one number, or one an axis").many(),
          number("--tolerance", "root mean square of the error, relative", 1e-4, 1e-6, 0.1)};
}

}  // namespace

/// larmor recon nufft and larmor recon sample.
void register_recon_nufft(Commands& commands) {
  Command images{
      .name = "recon nufft",
      .does = "Images from samples along a trajectory: density compensation and NUFFT, or gridding, or the exact sum",
      .in =
          {{.name = "KSPACE",
            .what =
                "complex samples: .npy or .cfl (sample, arm, slice ...), or as NumPy shows them (slice, arm, sample)"}},
      .opt = common(),
      .refs = {"Fessler & Sutton, IEEE Trans. Signal Process. 51:560 (2003)", "Pipe & Menon, MRM 41:179 (1999)",
               "Zwart, Johnson & Pipe, MRM 67:701 (2012)"},
      .examples = {"larmor recon nufft spiral_T1.npy --protocol spiral_T1.json -o images.npy",
                   "larmor recon nufft kspace.npy --traj positions.npy --matrix 256 --density voronoi -o images.npy"},
      .run = to_images};
  images.opt.push_back(text("--method", "how the transform is done", "nufft").one_of([] {
    return std::vector<std::string>{"nufft", "grid", "dft"};
  }));
  images.opt.push_back(text("--density", "weights of the samples", "iterative").one_of([] {
    return std::vector<std::string>{"iterative", "voronoi", "analytic", "none"};
  }));
  images.opt.push_back(integer("--iterations", "repeats of the iterative weights", 15, 1, 200));
  images.opt.push_back(number("--taper", "outer part of the largest |k| where weights fall to 0", 0, 0, 1));
  images.opt.push_back(number("--size", "voxels along x, y(, z); those of the matrix when not given").many());
  images.opt.push_back(number("--shift", "voxels that the image is moved by along x, y(, z)").many());
  images.opt.push_back(flag("--keep-spikes", "leave samples that do not belong to the rest as they are"));
  commands.add(std::move(images));
  commands.add(
      {.name = "recon sample",
       .does = "Samples of images along a trajectory: what a scan of them would have measured",
       .in = {{.name = "IMAGE", .what = "image of the trajectory's matrix: .npy or .cfl (x, y[, z], slice ...)"}},
       .opt = common(),
       .refs = {"Fessler & Sutton, IEEE Trans. Signal Process. 51:560 (2003)"},
       .examples = {"larmor recon sample phantom.npy --traj positions.npy --matrix 256 -o kspace.npy"},
       .run = to_samples});
}

}  // namespace larmor::cli
