// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <larmor/io/nifti.hpp>
#include <larmor/nn/weights.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <limits>
#include <sstream>

#include "command.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

std::vector<double> b_of(const nn::Weights& weights) {
  std::vector<double> out;
  const auto it = weights.meta.find("b");
  if (it == weights.meta.end())
    throw Error(Errc::format, "the weights do not say their b-values", "give weights of larmor ivim train");
  std::stringstream in(it->second);
  for (std::string part; std::getline(in, part, ',');) out.push_back(parse_number(part, "b-value of the weights"));
  return out;
}

int run(const Call& call) {
  const auto weights = nn::read_weights(call.text("WEIGHTS"));
  const nn::Mlp network(weights);
  const auto trained = b_of(weights);
  const Image image = io::read_nifti(call.text("SIGNALS"));
  const auto b = call.numbers("--b");
  if (image.data.rank() != 4 || image.volumes() != static_cast<std::int64_t>(b.size()))
    throw Error(Errc::shape,
                fmt::format("the signals are {}, {} b-values are given", to_string(image.data.shape()), b.size()),
                "give one b-value for each volume: --b 0,10,20,...")
        .at(call.text("SIGNALS"));
  const auto n = static_cast<std::size_t>(image.voxels());
  const Array data = image.data.cast(DType::f32).contiguous_copy();
  const float* s = data.data<float>();
  // S0 is the mean of the volumes at b = 0; the others, in the order of training, are divided by it.
  std::vector<float> S0(n, 0.0f);
  const auto n0 = std::count(b.begin(), b.end(), 0.0);
  if (n0 == 0) throw Error(Errc::usage, "no volume has b = 0", "the network takes signals relative to that at b = 0");
  std::vector<float> ratio(n * trained.size());
  for (std::size_t k = 0; k < b.size(); ++k)
    if (b[k] == 0)
      for (std::size_t v = 0; v < n; ++v) S0[v] += s[k * n + v] / static_cast<float>(n0);
  for (std::size_t i = 0; i < trained.size(); ++i) {
    std::vector<std::size_t> at;
    for (std::size_t k = 0; k < b.size(); ++k)
      if (std::abs(b[k] - trained[i]) <= 1e-3 * trained[i]) at.push_back(k);
    if (at.empty())
      throw Error(Errc::usage, fmt::format("no volume has b = {} s/mm2", trained[i]),
                  fmt::format("the network was trained for {} s/mm2: larmor ivim train --b", fmt::join(trained, ", ")));
    for (const auto k : at)
      for (std::size_t v = 0; v < n; ++v) ratio[i * n + v] += s[k * n + v] / (S0[v] * static_cast<float>(at.size()));
  }
  std::vector<std::uint8_t> good(n, 1);
  std::size_t failed = 0;
  for (std::size_t v = 0; v < n; ++v) {
    for (std::size_t i = 0; i < trained.size(); ++i) good[v] = good[v] && std::isfinite(ratio[i * n + v]);
    good[v] = good[v] && S0[v] > 0;
    if (good[v]) continue;
    ++failed;
    for (std::size_t i = 0; i < trained.size(); ++i) ratio[i * n + v] = 0;
  }
  auto found = ivim::deep::infer(network, ratio, n, &Cancel::interrupt());
  const std::filesystem::path out = call.text("--out");
  for (const auto& [name, values, unit] :
       {std::tuple{"D", &found.D, "mm2/s"}, {"f", &found.f, "1"}, {"D_star", &found.D_star, "mm2/s"}}) {
    for (std::size_t v = 0; v < n; ++v)
      if (!good[v]) (*values)[v] = std::numeric_limits<float>::quiet_NaN();
    const auto grid = image.grid();
    io::write_nifti(out / (std::string(name) + ".nii.gz"),
                    image.like(Array::from<float>(*values, {grid[0], grid[1], grid[2]})),
                    {.description = fmt::format("{} [{}]", name, unit),
                     .provenance = provenance_json("larmor ivim infer",
                                                   {{"weights", fmt::format("\"{}\"", nn::sha256_of(weights))}},
                                                   {{"signals", call.text("SIGNALS")}})});
  }
  fmt::print("{}  D, f, D_star  ({} voxels, {} without signal)\n", out.string(),
             with_commas(static_cast<std::int64_t>(n)), with_commas(static_cast<std::int64_t>(failed)));
  return 0;
}

}  // namespace

void register_ivim_infer(Commands& commands) {
  commands.add({.name = "ivim infer",
                .does = "Maps of D, f and D_star by a trained network of voxels",
                .in = {{.name = "SIGNALS", .what = "4-D series (x, y, z, b)"},
                       {.name = "WEIGHTS", .what = "of larmor ivim train"}},
                .opt = {Option{.name = "--b",
                               .what = "b-value of every volume [s/mm2]",
                               .kind = Kind::number,
                               .lower = 0,
                               .upper = 1e5}
                            .many()
                            .need(),
                        folder("--out", "folder of D.nii.gz, f.nii.gz and D_star.nii.gz").as("-o").need()},
                .refs = {"Barbieri et al., Magn. Reson. Med. 83:312 (2020)"},
                .examples = {"larmor ivim infer dwi.nii.gz ivim.safetensors --b 0,10,20,60,150,300,500,1000 -o maps"},
                .run = run});
}

}  // namespace larmor::cli
