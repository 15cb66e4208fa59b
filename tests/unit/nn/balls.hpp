// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <larmor/core/error.hpp>
#include <larmor/nn/trainer.hpp>
#include <random>

/// A problem that a small network learns in a second.
namespace larmor::nn {

inline bool can_train() {
  try {
    trainer();
    return true;
  } catch (const Error&) {
    return false;
  }
}
#define NEED_TRAINER() \
  if (!can_train()) GTEST_SKIP() << "built without libtorch"

/// Noisy images with a bright and a dark ball; labels 1 and 2.
inline std::vector<TrainSample> balls(int n, unsigned seed) {
  std::vector<TrainSample> out;
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0, 0.3f);
  for (int i = 0; i < n; ++i) {
    TrainSample s;
    s.name = "ball " + std::to_string(i);
    s.size = {14, 16, 15};
    const int cx = 5 + static_cast<int>(random() % 4), cy = 5 + static_cast<int>(random() % 3);
    for (int z = 0; z < 15; ++z)
      for (int y = 0; y < 16; ++y)
        for (int x = 0; x < 14; ++x) {
          const auto inside = [&](int by) {
            return (x - cx) * (x - cx) + (y - cy - by) * (y - cy - by) + (z - 7) * (z - 7) <= 9;
          };
          const int label = inside(0) ? 1 : inside(6) ? 2 : 0;
          s.labels.push_back(static_cast<std::uint8_t>(label));
          s.image.push_back((label == 1 ? 1.5f : label == 2 ? -1.5f : 0.0f) + noise(random));
        }
    out.push_back(std::move(s));
  }
  return out;
}

inline TrainSpec small() {
  TrainSpec s;
  s.net.filters = {4, 6}, s.net.supervised = 1;
  s.patch = {16, 16, 16}, s.batch = 2, s.epochs = 6, s.rate = 1e-2, s.ema = 0.8, s.warm_up = 0.5;
  s.augment.shift = 1, s.device = "cpu";
  return s;
}
inline std::filesystem::path folder(const char* name) {
  const auto p = std::filesystem::temp_directory_path() / (std::string(name) + "_" + std::to_string(::getpid()));
  std::filesystem::remove_all(p);
  return p;
}
inline bool same(const Weights& a, const Weights& b) {
  if (a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, t] : a.tensors)
    if (b.tensors.at(name).values != t.values) return false;
  return true;
}

}  // namespace larmor::nn
