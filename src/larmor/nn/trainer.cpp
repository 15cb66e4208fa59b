// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <larmor/core/error.hpp>
#include <larmor/nn/trainer.hpp>
#include <random>

namespace larmor::nn {
namespace {

void need(bool fine, const char* name, double value, const char* allowed) {
  if (!fine)
    throw Error(Errc::range, fmt::format("training: {} is {}", name, value), fmt::format("allowed: {}", allowed));
}
void need_name(const std::string& kind, const std::string& name, const std::vector<std::string>& all) {
  for (const auto& a : all)
    if (a == name) return;
  throw unknown_name(kind, name, all);
}

}  // namespace

void TrainSpec::check() const {
  net.check();
  const auto m = net.multiple();
  for (std::size_t a = 0; a < 3; ++a)
    if (patch[a] < m[a] || patch[a] % m[a] != 0)
      throw Error(Errc::range, fmt::format("training: patch is {} x {} x {}", patch[0], patch[1], patch[2]),
                  fmt::format("{} levels need multiples of {} x {} x {}", net.levels(), m[0], m[1], m[2]));
  need(batch >= 1 && batch <= 1024, "batch", batch, "1 to 1024");
  need(epochs >= 1, "epochs", epochs, "1 and more");
  need(steps >= 0, "steps", steps, "0 and more");
  need(rate > 0 && rate < 10, "rate", rate, "above 0, below 10");
  need(weight_decay >= 0 && weight_decay < 1, "weight_decay", weight_decay, "0 to 1");
  need(momentum >= 0 && momentum < 1, "momentum", momentum, "0 to below 1");
  need(warm_up >= 0, "warm_up", warm_up, "0 and more [epochs]");
  need(ema >= 0 && ema < 1, "ema", ema, "0 to below 1");
  need(label_smoothing >= 0 && label_smoothing < 1, "label_smoothing", label_smoothing, "0 to below 1");
  need(robust >= 0 && robust <= 1, "robust", robust, "0 to 1");
  need(label_sd >= 0 && label_sd <= 5, "label_sd", label_sd, "0 to 5 [voxels]");
  need(teacher_share >= 0 && teacher_share <= 1, "teacher_share", teacher_share, "0 to 1");
  need(dice_weight >= 0 && cross_entropy_weight >= 0 && dice_weight + cross_entropy_weight > 0, "dice_weight",
       dice_weight, "0 and more, not all 0");
  need(validate_every >= 1, "validate_every", validate_every, "1 and more");
  need(patience >= 0, "patience", patience, "0 and more");
  need(budget >= 0, "budget", budget, "0 and more [s]");
  need(augment.elastic_points >= 2 && augment.elastic_points <= 64, "augment.elastic_points", augment.elastic_points,
       "2 to 64");
  need(augment.spatial_probability >= 0 && augment.spatial_probability <= 1, "augment.spatial_probability",
       augment.spatial_probability, "0 to 1");
  need(augment.intensity_probability >= 0 && augment.intensity_probability <= 1, "augment.intensity_probability",
       augment.intensity_probability, "0 to 1");
  need_name("optimizer", optimizer, {"adam", "sgd"});
  need_name("schedule", schedule, {"cosine", "poly", "constant"});
  need_name("keep", keep, {"best", "last"});
}

Weights initial_weights(const UNetSpec& spec, std::uint64_t seed) {
  Weights out;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  for (const auto& [name, shape] : weight_shapes(spec)) {
    Tensor t{shape, {}};
    std::size_t n = 1;
    for (const auto e : shape) n *= static_cast<std::size_t>(e);
    if (shape.size() == 1) {
      t.values.assign(n, name.find("norm") != std::string::npos && name.ends_with(".weight") ? 1.0f : 0.0f);
    } else {
      // A transposed convolution by its stride sees every input channel once.
      const double fan_in = name.starts_with("up") ? static_cast<double>(shape[0])
                                                   : static_cast<double>(n) / static_cast<double>(shape[0]);
      const double gain = name.starts_with("head") ? 1 : std::sqrt(2 / (1 + 0.01 * 0.01));
      t.values.resize(n);
      for (auto& v : t.values) v = static_cast<float>(normal(random) * gain / std::sqrt(fan_in));
    }
    out.tensors[name] = std::move(t);
  }
  out.meta["net"] = spec.to_json();
  return out;
}

Trainer& trainer() {
  static Trainer* const loaded = []() -> Trainer* {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    // Its threads must sleep when they wait, and the matrix products are small: both are read when it is loaded.
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
    std::string why;
    for (const fs::path& place :
         {program / "liblarmor_torch.so", program / ".." / "lib" / "larmor" / "liblarmor_torch.so"}) {
      if (!fs::exists(place, ignored)) continue;
      void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (!library) {
        why = ::dlerror();
        continue;
      }
      if (void* make = ::dlsym(library, "larmor_torch_trainer")) return reinterpret_cast<Trainer* (*)()>(make)();
      why = place.string() + " has no larmor_torch_trainer";
    }
    throw Error(
        Errc::device,
        why.empty() ? "training needs libtorch, and this Larmor was built without it"
                    : "training needs libtorch, which cannot be loaded: " + why,
        "install libtorch-dev (Debian) or give CMake the folder of PyTorch in CMAKE_PREFIX_PATH, and build again");
  }();
  return *loaded;
}

}  // namespace larmor::nn
