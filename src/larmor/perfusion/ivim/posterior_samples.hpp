// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/device_memory.hpp>
#include <larmor/perfusion/ivim/kernels/training_kernel.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>
#include <vector>

namespace larmor::ivim {

/// Mean and sd of a number, to be taken off and divided by.
struct Scale {
  std::vector<double> mean, sd;
};

/// What a posterior network is trained and judged on: clean signals of parameters drawn from the prior, a table of
/// noise, a patient's voxels; and samples that are kept from training, with fixed noise.
class PosteriorSamples {
 public:
  PosteriorSamples(const Protocol& protocol, const PosteriorTraining& options);
  /// Where samples of training come from, in this memory or copied to that of a device; nothing to write to yet.
  SampleRun here() const;
  SampleRun there(DeviceMemory& memory) const;

  static constexpr std::size_t n_kept = 1 << 15;
  Scale in, target;                                      // of the kept samples
  std::vector<float> kept_in, kept_wanted, kept_weight;  // (b + 1, n_kept), (3, n_kept), scaled; (n_kept)

 private:
  const PosteriorTraining& o_;
  std::size_t n_b_;
  int count0_;
  std::vector<int> counts_;
  std::vector<float> clean_, truth_, normal_, in_mean_, in_inverse_;
};

}  // namespace larmor::ivim
