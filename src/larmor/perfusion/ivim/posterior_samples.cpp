// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/ivim/kernels/training_lanes.hpp>
#include <larmor/perfusion/ivim/posterior_samples.hpp>
#include <numbers>

namespace larmor::ivim {
namespace {

// Training goes this far beyond the noise asked for. One level alone would be worth more than it should: the noise over
// the measured S0 then tells the true S0.
constexpr double beyond = 1.3;

/// Of rows (feature, sample), which become (x - mean) / sd.
Scale scaled(std::vector<float>& rows, std::size_t n) {
  Scale s;
  for (std::size_t first = 0; first < rows.size(); first += n) {
    float* row = rows.data() + first;
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) mean += row[i];
    mean /= static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares += std::pow(row[i] - mean, 2);
    const double sd = std::max(std::sqrt(squares / static_cast<double>(n)), 1e-6);
    for (std::size_t i = 0; i < n; ++i) row[i] = static_cast<float>((row[i] - mean) / sd);
    s.mean.push_back(mean), s.sd.push_back(sd);
  }
  return s;
}

}  // namespace

PosteriorSamples::PosteriorSamples(const Protocol& protocol, const PosteriorTraining& o)
    : o_(o), n_b_(protocol.b.size()), count0_(static_cast<int>(protocol.count0)) {
  if (protocol.counts.empty())
    counts_.assign(n_b_, 1);
  else
    counts_.assign(protocol.counts.begin(), protocol.counts.end());
  const std::size_t n = o.pool + n_kept;
  clean_.resize(n * n_b_), truth_.resize(n * 3);
  const Prior& q = o.prior;
  const auto between = [](SplitMix& random, double low, double high) { return low + (high - low) * random.even(); };
  parallel_for(n, 8192, [&](std::size_t begin, std::size_t end) {
    for (std::size_t s = begin; s < end; ++s) {
      SplitMix random = sequence(o.seed, s);
      const double f = between(random, q.f_low, q.f_high), D = between(random, q.D_low, q.D_high);
      const double star = q.log_D_star ? std::exp(between(random, std::log(q.D_star_low), std::log(q.D_star_high)))
                                       : between(random, q.D_star_low, q.D_star_high);
      truth_[3 * s] = static_cast<float>(f), truth_[3 * s + 1] = static_cast<float>(D);
      truth_[3 * s + 2] = static_cast<float>(star);
      for (std::size_t k = 0; k < n_b_; ++k)
        clean_[s * n_b_ + k] =
            static_cast<float>((1 - f) * std::exp(-protocol.b[k] * D) + f * std::exp(-protocol.b[k] * star));
    }
  });
  SplitMix random = sequence(o.seed, ~std::uint64_t{0});
  normal_.resize(normal_table);
  for (std::size_t i = 0; i < normal_.size(); i += 2) {  // Box and Muller, Ann. Math. Stat. 29:610 (1958)
    const double r = std::sqrt(-2 * std::log(random.even())), angle = 2 * std::numbers::pi * random.even();
    normal_[i] = static_cast<float>(r * std::cos(angle)), normal_[i + 1] = static_cast<float>(r * std::sin(angle));
  }

  kept_in.resize((n_b_ + 1) * n_kept), kept_wanted.resize(3 * n_kept), kept_weight.resize(n_kept);
  std::vector<float> variance(3 * n_kept);
  SampleRun kept = here();
  kept.clean += o.pool * n_b_, kept.truth += o.pool * 3, kept.pool = n_kept, kept.n_voxels = 0;
  kept.seed = o.seed + 5;
  kept.in = kept_in.data(), kept.wanted = kept_wanted.data(), kept.variance = variance.data();
  kept.weight = kept_weight.data(), kept.stride = n_kept;
  training_kernels().take(kept, 0, n_kept);
  in = scaled(kept_in, n_kept), target = scaled(kept_wanted, n_kept);
  in_mean_.assign(in.mean.begin(), in.mean.end());
  for (const double s : in.sd) in_inverse_.push_back(static_cast<float>(1 / s));
}

SampleRun PosteriorSamples::here() const {
  SampleRun r{};
  r.n_b = static_cast<int>(n_b_);
  r.clean = clean_.data(), r.truth = truth_.data(), r.pool = o_.pool, r.normal = normal_.data();
  r.count0 = count0_, r.counts = counts_.data();
  r.noise_low = o_.noise_low / beyond, r.noise_log_range = std::log(o_.noise_high * beyond / r.noise_low);
  const PatientVoxels& v = o_.voxels;
  if (v.n > 0 && o_.voxel_share > 0) {
    r.ratios = v.ratios.data(), r.voxel_noise = v.noise.data(), r.n_voxels = v.n, r.share = o_.voxel_share;
    for (std::size_t m = 0; m < 3; ++m) r.mean[m] = v.mean[m].data(), r.sd[m] = v.sd[m].data();
  }
  if (!in_mean_.empty()) r.in_mean = in_mean_.data(), r.in_inverse = in_inverse_.data();
  for (std::size_t m = 0; m < 3; ++m) {
    r.target_mean[m] = target.mean.empty() ? 0 : target.mean[m];
    r.target_sd[m] = target.sd.empty() ? 1 : target.sd[m];
  }
  r.middle = static_cast<float>(std::sqrt(o_.noise_low * o_.noise_high));
  r.seed = o_.seed * 1000003 + 1;
  return r;
}

SampleRun PosteriorSamples::there(DeviceMemory& memory) const {
  SampleRun r = here();
  r.clean = memory.copy(r.clean, clean_.size()), r.truth = memory.copy(r.truth, truth_.size());
  r.normal = memory.copy(r.normal, normal_.size()), r.counts = memory.copy(r.counts, counts_.size());
  if (r.n_voxels > 0) {
    r.ratios = memory.copy(r.ratios, r.n_voxels * n_b_), r.voxel_noise = memory.copy(r.voxel_noise, r.n_voxels);
    for (auto* fields : {&r.mean, &r.sd})
      for (auto& field : *fields) field = memory.copy(field, r.n_voxels);
  }
  r.in_mean = memory.copy(r.in_mean, in_mean_.size()), r.in_inverse = memory.copy(r.in_inverse, in_inverse_.size());
  return r;
}

}  // namespace larmor::ivim
