// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/grid_posterior.hpp>
#include <larmor/perfusion/ivim/kernels/posterior_kernel.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/noise.hpp>
#include <larmor/perfusion/ivim/posterior_search.hpp>
#include <larmor/perfusion/ivim/posterior_tables.hpp>
#include <limits>
#include <utility>

namespace larmor::ivim {
namespace {

void check(const Prior& p, const PosteriorOptions& o, std::span<const double> b) {
  const auto range = [](const char* name, double low, double high, double least) {
    if (!(low >= least) || !(low < high) || !std::isfinite(high))
      throw Error(Errc::range, fmt::format("the prior of {} is {:g} to {:g}", name, low, high),
                  fmt::format("give a range above {:g}, the lower end first", least));
  };
  range("f", p.f_low, p.f_high, 0), range("D", p.D_low, p.D_high, 0);
  range("D_star", p.D_star_low, p.D_star_high, p.log_D_star ? 1e-9 : 0);
  if (p.f_high > 1) throw Error(Errc::range, fmt::format("the prior of f ends at {:g}", p.f_high), "give at most 1");
  check_b_values(b);
  check_samples(b, 1, o.S0 ? 3 : 4, models().get("ivim.biexponential").title);
  if (o.n_D < 4 || o.n_D > max_D_nodes || o.n_D_star < 4 || o.n_D_star > max_D_star_nodes)
    throw Error(Errc::range, fmt::format("{} nodes in D and {} in D_star", o.n_D, o.n_D_star),
                fmt::format("give 4 to {} and 4 to {}", max_D_nodes, max_D_star_nodes));
  if (!(o.box >= 3 && o.box <= 20))
    throw Error(Errc::range, fmt::format("a box of {:g} sds to each side", o.box), "give 3 to 20");
  if (o.noise_sd && !(*o.noise_sd > 0))
    throw Error(Errc::range, fmt::format("a noise sd of {}", *o.noise_sd), "give a number above 0");
  if (!o.counts.empty() && o.counts.size() != b.size())
    throw Error(Errc::shape, fmt::format("{} counts for {} b-values", o.counts.size(), b.size()), "give one a sample");
  for (const double c : o.counts)
    if (!(c >= 1)) throw Error(Errc::range, fmt::format("a sample of {} volumes", c), "give 1 or more");
  if (o.S0 && !(*o.S0 > 0)) throw Error(Errc::range, fmt::format("S0 is {}", *o.S0), "give a number above 0");
}

/// Least squares inside the prior: where to look.
fit::CurveFitOptions guide_options(const PosteriorOptions& o, Device device) {
  fit::CurveFitOptions options;
  options.device = device;
  options.max_iterations = 60;
  options.tolerance = 1e-3;  // a place and a width are all that is asked for
  const auto bound = [&](const char* name, double low, double high) {
    options.params[name].lower = low, options.params[name].upper = high;
  };
  bound("f", o.prior.f_low, o.prior.f_high), bound("D", o.prior.D_low, o.prior.D_high);
  bound("D_star", o.prior.D_star_low, o.prior.D_star_high);
  if (o.S0) options.params["S0"].fixed = *o.S0;
  options.scalar = o.scalar;
  options.weights = o.counts;
  return options;
}

/// Fields of some voxels, what goes in before what comes out, in one block of memory.
class Work {
 public:
  Work(std::size_t n_samples, std::size_t stride)
      : n_samples_(n_samples), stride_(stride), block_((n_samples + n_in + n_out) * stride, 0.0) {}
  /// Voxel v as entry i: its signals, its guide, and where to look.
  void put(std::size_t i, std::size_t v, const float* data, std::size_t n_voxels, const fit::CurveFit& start,
           const Search& where, double sigma, double S0) {
    for (std::size_t k = 0; k < n_samples_; ++k) block_[k * stride_ + i] = double{data[k * n_voxels + v]};
    const bool known = fit::usable(start.status[v]);
    for (std::size_t m = 0; m < 4; ++m) in(m)[i] = known ? double{start.values[m][v]} : std::nan("");
    in(4)[i] = sigma * where.noise;
    in(5)[i] = where.D.low, in(6)[i] = where.D.high;
    in(7)[i] = where.D_star.low, in(8)[i] = where.D_star.high;
    in(9)[i] = S0;
  }
  void repeat(std::size_t i, std::size_t as) {  // fills a pack
    for (std::size_t k = 0; k < n_samples_ + n_in; ++k) block_[k * stride_ + i] = block_[k * stride_ + as];
  }
  /// The run over n entries, the block being at `base`: here, or where it was copied to.
  PosteriorRun run(const PosteriorRun& common, double* base, std::size_t n) const {
    PosteriorRun r = common;
    r.n = static_cast<std::int64_t>(n), r.stride = static_cast<std::int64_t>(stride_);
    r.y = base;
    double* at = base + n_samples_ * stride_;
    const auto next = [&] { return std::exchange(at, at + stride_); };
    for (auto& g : r.guide) g = next();
    r.sigma = next(), r.D_low = next(), r.D_high = next(), r.D_star_low = next(), r.D_star_high = next();
    r.S0 = next();
    for (auto* fields : {&r.mean, &r.sd, &r.edge})
      for (auto& field : *fields) field = next();
    return r;
  }
  double* block() { return block_.data(); }
  std::size_t size_in() const { return (n_samples_ + n_in) * stride_; }
  std::size_t size_out() const { return n_out * stride_; }

 private:
  double* in(std::size_t field) { return block_.data() + (n_samples_ + field) * stride_; }
  static constexpr std::size_t n_in = 10, n_out = 12;
  std::size_t n_samples_, stride_;
  std::vector<double> block_;
};

/// Voxels by the place of f, in their order otherwise: neighbours in a pack shall meet the same end of its prior, or
/// none.
void sort_by_f(std::vector<std::size_t>& voxels, const fit::CurveFit& start) {
  constexpr std::size_t n = 257;
  std::vector<std::size_t> at(n + 1, 0), sorted(voxels.size());
  const auto place = [&](std::size_t v) {
    return fit::usable(start.status[v])
               ? 1 + static_cast<std::size_t>(std::clamp(start.values[1][v], 0.0F, 1.0F) * (n - 2))
               : 0;
  };
  for (const auto v : voxels) ++at[place(v) + 1];
  for (std::size_t i = 0; i < n; ++i) at[i + 1] += at[i];
  for (const auto v : voxels) sorted[at[place(v)]++] = v;
  voxels = std::move(sorted);
}

auto launch_on([[maybe_unused]] Device device) {
#if defined(LARMOR_HAS_CUDA)
  if (!device.is_cpu()) return posterior_launch;
#endif
  return posterior_emulated;
}

}  // namespace

Posterior grid_posterior(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask,
                         const PosteriorOptions& options, const Progress& progress, const Cancel* cancel) {
  const Prior& prior = options.prior;
  check(prior, options, b);
  const Device device = data.device();
  if (!device.is_cpu()) require_cuda(device);
  const Array packed = data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const fit::CurveFitOptions guide = guide_options(options, device);
  const fit::CurveFit start = fit_curves(models().get("ivim.biexponential"), packed, b, {}, mask, guide, {}, cancel);
  const std::size_t n_voxels = start.status.size(), n_samples = b.size();
  const double sigma = options.noise_sd    ? *options.noise_sd
                       : options.magnitude ? noise_of_magnitudes(packed, b, start, guide, cancel)
                                           : noise_from_residuals(start, n_samples, options.counts);
  if (!(sigma > 0))
    throw Error(Errc::numeric, "the residuals are 0: the data have no noise",
                "give the noise sd, or fit by least squares");

  Posterior out;
  out.noise_sd = sigma;
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t m = 0; m < 4; ++m) out.mean[m].assign(n_voxels, nan), out.sd[m].assign(n_voxels, nan);
  out.status = start.status;
  out.flags.assign(n_voxels, 0);

  std::vector<std::size_t> voxels;
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (const auto s = start.status[v]; fit::usable(s) || s == fit::FitStatus::not_converged) voxels.push_back(v);

  sort_by_f(voxels, start);

  const auto b0 = static_cast<std::size_t>(std::min_element(b.begin(), b.end()) - b.begin());
  const float* from = packed.data<float>();
  const auto star = [&](double D_star) { return prior.log_D_star ? std::log(D_star) : D_star; };
  const double star_low = star(prior.D_star_low), star_high = star(prior.D_star_high);
  const double prior_sd_D = (prior.D_high - prior.D_low) / std::sqrt(12.0);
  // sd of a value even in its logarithm between a and b: mean (b - a) / ln(b / a), mean square (b^2 - a^2) / (2 ln(b /
  // a)).
  const double log_ratio = std::log(prior.D_star_high / prior.D_star_low), width = prior.D_star_high - prior.D_star_low;
  const double prior_sd_star =
      prior.log_D_star
          ? std::sqrt(width * (prior.D_star_high + prior.D_star_low) / (2 * log_ratio) - std::pow(width / log_ratio, 2))
          : width / std::sqrt(12.0);

  const Range prior_D{prior.D_low, prior.D_high}, prior_star{star_low, star_high};
  std::vector<Search> search(voxels.size());
  parallel_for(voxels.size(), 1024, [&](std::size_t begin, std::size_t end) {
    Fisher fisher(b, options);
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t v = voxels[i];
      const double D_star = start.values[3][v];
      // The fit's errors go by its residual, of few degrees of freedom; the noise is known better.
      const double times = sigma / std::sqrt(mean_count(options.counts)) / start.residual_sd[v];
      double error_D = start.standard_error[2][v] * times, error_star = start.standard_error[3][v] * times;
      if (!std::isfinite(error_D) || !std::isfinite(error_star)) {  // something on its bound: as if it were free
        const double p[] = {start.values[0][v], start.values[1][v], start.values[2][v], D_star};
        fisher.errors(p, sigma, error_D, error_star);
      }
      search[i].D = about(start.values[2][v], options.box * error_D, prior_D);
      // Posteriors of D_star are skewed: they reach further up. In its logarithm they do not.
      search[i].D_star = prior.log_D_star ? about(star(D_star), options.box * error_star / D_star, prior_star)
                                          : about(D_star, options.box * error_star, prior_star, 1.4);
    }
  });
  PosteriorRun common{};
  common.n_samples = static_cast<int>(n_samples), common.n_D = options.n_D, common.n_D_star = options.n_D_star;
  common.b = b.data(), common.noise_sd = sigma;
  common.moments = options.magnitude ? magnitude_variances().data() : nullptr;
  common.cut = cut_table().data();
  common.counts = options.counts.empty() ? nullptr : options.counts.data();
  common.f_low = prior.f_low, common.f_high = prior.f_high;
  common.log_D_star = prior.log_D_star, common.S0_known = options.S0.has_value();
  std::vector<std::uint8_t> again;
  // What came out for voxel number `which` of the round, entry i of the run.
  const auto settle = [&](const PosteriorRun& r, std::size_t i, std::size_t which) {
    const std::size_t v = voxels[which];
    // In the logarithm, the nodes are spread in what D_star is told in: its sd over its mean.
    const double mean_star = r.mean[3][i], sd_star = prior.log_D_star ? r.sd[3][i] / mean_star : r.sd[3][i];
    again[which] =
        search[which].again(prior_D, prior_star, options, {r.mean[2][i], r.sd[2][i], r.edge[0][i], r.edge[1][i]},
                            {star(mean_star), sd_star, r.edge[2][i], r.edge[3][i]});
    bool finite = true;
    for (std::size_t m = 0; m < 4; ++m) {
      out.mean[m][v] = static_cast<float>(r.mean[m][i]), out.sd[m][v] = static_cast<float>(r.sd[m][i]);
      finite = finite && std::isfinite(r.mean[m][i]) && std::isfinite(r.sd[m][i]);
    }
    out.status[v] = finite ? fit::FitStatus::converged : fit::FitStatus::singular;
    if (!finite)
      for (std::size_t m = 0; m < 4; ++m) out.mean[m][v] = out.sd[m][v] = nan;
    out.flags[v] = static_cast<std::uint8_t>((out.sd[3][v] > 0.7 * prior_sd_star ? prior_decides_D_star : 0) |
                                             (out.sd[2][v] > 0.7 * prior_sd_D ? prior_decides_D : 0) |
                                             (from[b0 * n_voxels + v] < 5 * sigma ? low_signal : 0));
  };
  const auto put = [&](Work& work, std::size_t i, std::size_t which) {
    work.put(i, voxels[which], from, n_voxels, start, search[which], sigma, options.S0.value_or(1.0));
  };
  const auto round_on_cpu = [&](bool first_round) {
    const auto kernel = posterior_kernel();
    const std::size_t n_tiles = (voxels.size() + posterior_tile - 1) / posterior_tile;
    parallel_for(
        n_tiles, std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16),
        [&](std::size_t begin, std::size_t end) {
          Work work(n_samples, posterior_stride);
          const auto room =
              allocate(static_cast<std::size_t>(posterior_room(common.n_samples, common.n_D_star)) * 8 * sizeof(double),
                       Device::cpu());
          PosteriorRun r = work.run(common, work.block(), 0);
          r.work = reinterpret_cast<double*>(room.get());
          for (std::size_t tile = begin; tile < end; ++tile) {
            if (cancel) cancel->check();
            const std::size_t first = tile * posterior_tile,
                              n = std::min<std::size_t>(posterior_tile, voxels.size() - first);
            r.n = static_cast<std::int64_t>((n + 7) / 8 * 8);
            for (std::size_t i = 0; i < n; ++i) put(work, i, first + i);
            for (std::size_t i = n; i < static_cast<std::size_t>(r.n); ++i) work.repeat(i, n - 1);
            kernel(r);
            for (std::size_t i = 0; i < n; ++i) settle(r, i, first + i);
            if (first_round) progress.add(n);
          }
        },
        cancel);
  };
  const auto round_on_device = [&](bool first_round) {
    const auto launch = launch_on(device);
    const std::size_t piece = device.is_cpu() ? 1000 : 1u << 17;  // tests see more than one
    DeviceMemory fixed(device);
    PosteriorRun there = common;
    there.b = fixed.copy(b.data(), b.size());
    if (common.moments) there.moments = fixed.copy(common.moments, static_cast<std::size_t>(moments_cells) + 1);
    there.cut = fixed.copy(common.cut, cut_table().size());
    if (common.counts) there.counts = fixed.copy(common.counts, b.size());
    for (std::size_t first = 0; first < voxels.size(); first += piece) {
      if (cancel) cancel->check();
      const std::size_t n = std::min(piece, voxels.size() - first);
      Work work(n_samples, n);
      for (std::size_t i = 0; i < n; ++i) put(work, i, first + i);
      DeviceMemory memory(device);
      double* block = memory.room<double>(work.size_in() + work.size_out());
      memory.to_device(block, static_cast<const double*>(work.block()), work.size_in());
      PosteriorRun r = work.run(there, block, n);
      r.work = memory.room<double>(n * static_cast<std::size_t>(posterior_room(r.n_samples, r.n_D_star)));
      launch(r, device.index);
      memory.back(work.block() + work.size_in(), static_cast<const double*>(block + work.size_in()), work.size_out());
      const PosteriorRun here = work.run(common, work.block(), n);
      for (std::size_t i = 0; i < n; ++i) settle(here, i, first + i);
      if (first_round) progress.add(n);
    }
  };
  // Most posteriors lie where the fit says; the others are searched for.
  const bool on_device = options.scalar || !device.is_cpu();
  constexpr int rounds = 32;
  progress.begin("IVIM posterior", voxels.size());
  for (int round = 0; round < rounds && !voxels.empty(); ++round) {
    again.assign(voxels.size(), 0);
    on_device ? round_on_device(round == 0) : round_on_cpu(round == 0);
    std::size_t left = 0;
    for (std::size_t i = 0; i < voxels.size(); ++i)
      if (again[i]) voxels[left] = voxels[i], search[left] = search[i], ++left;
    voxels.resize(left), search.resize(left);
  }
  for (const std::size_t v : voxels) {  // never settled: no number is better than a doubtful one
    out.status[v] = fit::FitStatus::not_converged;
    for (std::size_t m = 0; m < 4; ++m) out.mean[m][v] = out.sd[m][v] = nan;
  }
  progress.end();
  return out;
}

}  // namespace larmor::ivim
