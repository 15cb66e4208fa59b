// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nn/mlp.hpp>

namespace larmor::nn {

/// What fits on the CPU and on devices share: the order of the samples, when to stop, and which weights come back.
/// `epoch` trains on all samples in the order given and returns the mean loss; `read` puts the weights it has come to
/// into the network. Errors   Errc::shape, Errc::range, Errc::numeric (loss not finite)
FitResult run_epochs(Mlp& network, std::size_t n_values, std::size_t n, const FitOptions& options,
                     const std::function<double(const std::vector<std::uint32_t>& order)>& epoch,
                     const std::function<void()>& read, const Progress& progress);

/// (input, sample) as (sample, input): a batch of random samples then is a read of few cache lines each.
std::vector<float> sample_rows(std::span<const float> samples, std::size_t n);

}  // namespace larmor::nn
