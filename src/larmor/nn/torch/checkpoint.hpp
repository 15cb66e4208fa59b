// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/nn/torch/optimize.hpp>

namespace larmor::nn::torch_side {

/// Where a training is, beside its weights.
struct Position {
  std::int64_t count = 0;  // steps
  double elapsed = 0;      // s
  int since_best = 0;      // validations
};

/// What must be the same for a checkpoint to go on: everything that the weights depend on.
std::string fingerprint(const TrainSpec& spec, const std::vector<TrainSample>& training);

/// Whole or not at all: a training that is killed while it writes goes on from the checkpoint before.
void write_checkpoint(const std::filesystem::path& file, const std::string& print, const TrainSpec& spec,
                      const State& state, const Position& position, const TrainResult& result);
/// False when there is none. Errors   Errc::format when it belongs to other settings or other data
bool read_checkpoint(const std::filesystem::path& file, const std::string& print, at::Device device, State& state,
                     Position& position, TrainResult& result);

}  // namespace larmor::nn::torch_side
