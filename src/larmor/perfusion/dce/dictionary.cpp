// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/dce/dictionary.hpp>
#include <span>

namespace larmor::dce {
namespace {

/// The curves of the search at one set of non-linear parameters, at the frames of the grid.
class CurveMaker {
 public:
  explicit CurveMaker(const TimeGrid& g) : g_(g) {
    const auto n = static_cast<std::size_t>(g.n_nodes);
    nodes_ = {g.node_time, n};
    for (int i = 0; i < g.n_out; ++i) frames_.push_back(g.node_time[g.out_node[i]]);
  }

  std::vector<double> operator()(const SearchCurve& c, double rate, double lag, double delay) const {
    if (c.shape == Shape::box) {
      auto out = one(Shape::integral, c.input, 0, delay);
      const auto later = one(Shape::integral, c.input, 0, delay + lag);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] -= later[i];
      return out;
    }
    return one(c.shape, c.input, rate, delay + (c.lagged ? lag : 0.0));
  }

 private:
  std::vector<double> one(Shape shape, int input, double rate, double shift) const {
    std::vector<double> values(g_.input[input], g_.input[input] + g_.n_nodes);
    if (shift != 0) values = shifted(values, shift);
    std::vector<double> out(frames_.size());
    if (shape == Shape::delta) {
      for (int i = 0; i < g_.n_out; ++i)
        out[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(g_.out_node[i])];
    } else {
      perfusion::convolve_exp(nodes_, values, shape == Shape::integral ? 0.0 : rate, frames_, out);
    }
    for (int i = 0; i < g_.n_before; ++i) out[static_cast<std::size_t>(i)] = 0.0;
    return out;
  }
  // Linear interpolation is enough for a start.
  std::vector<double> shifted(const std::vector<double>& values, double shift) const {
    std::vector<double> out(values.size());
    std::size_t j = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double t = nodes_[i] - shift;
      if (t <= nodes_[0]) {
        out[i] = values[0];
        continue;
      }
      while (j + 2 < nodes_.size() && nodes_[j + 1] < t) ++j;
      const double s = std::min(1.0, (t - nodes_[j]) / (nodes_[j + 1] - nodes_[j]));
      out[i] = values[j] + s * (values[j + 1] - values[j]);
    }
    return out;
  }

  const TimeGrid& g_;
  std::span<const double> nodes_;
  std::vector<double> frames_;
};

std::vector<double> log_spaced(double low, double high, int n) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(low * std::pow(high / low, n > 1 ? static_cast<double>(i) / (n - 1) : 0.0));
  return out;
}

}  // namespace

DictionaryBuilder::DictionaryBuilder(const Search& search, const TimeGrid& grid, std::span<const double> delays) {
  const CurveMaker make(grid);
  const double span = std::max(1e-6, grid.node_time[grid.n_nodes - 1] - grid.node_time[0]);
  double shortest = span;
  for (int j = 0; j + 1 < grid.n_nodes; ++j) shortest = std::min(shortest, grid.dt[j]);
  shortest = std::max(shortest, span / 2000);

  const bool two_rates = search.second.rate == 2;
  const bool any_rate = search.first.rate || search.second.rate;
  const bool any_lag = search.first.shape == Shape::box;
  // Slower than a twentieth of the span is an integral; faster than a few per step is the input itself.
  const int n_rates = !any_rate           ? 1
                      : two_rates         ? (delays.size() > 1 ? 16 : 28)
                      : any_lag           ? 20
                      : delays.size() > 1 ? 24
                                          : 48;
  const auto rates = log_spaced(0.05 / span, 4.0 / shortest, n_rates);
  const auto lags =
      any_lag ? log_spaced(std::max(0.5 * shortest, 0.3), std::min(150.0, 0.5 * span), 24) : std::vector<double>{0.0};

  for (const double delay : delays)
    for (const double lag : lags) {
      std::vector<int> first, second;  // per rate
      for (std::size_t r = 0; r < rates.size(); ++r) {
        const bool again = r > 0 && search.first.rate == 0;
        first.push_back(again ? first[0] : add_curve(make(search.first, rates[r], lag, delay)));
        if (search.second.shape == Shape::none || two_rates) continue;
        const bool same = r > 0 && search.second.rate == 0;
        second.push_back(same ? second[0] : add_curve(make(search.second, rates[r], lag, delay)));
      }
      for (std::size_t r = 0; r < rates.size(); ++r) {
        if (search.second.shape == Shape::none) {
          add_candidate(first[r], -1, rates[r], rates[r], lag, delay);
        } else if (two_rates) {
          for (std::size_t q = 0; q < r; ++q) add_candidate(first[r], first[q], rates[r], rates[q], lag, delay);
          add_candidate(first[r], -1, rates[r], rates[r], lag, delay);
        } else {
          add_candidate(first[r], second[r], rates[r], rates[r], lag, delay);
        }
      }
    }
  pack(grid.n_out);
  dictionary_.nonnegative = true;
  dictionary_.chain = any_rate && !two_rates && !any_lag && delays.size() == 1 &&
                      dictionary_.n_candidates == static_cast<int>(rates.size());
  const int n = static_cast<int>(rates.size());
  dictionary_.log_step = n > 1 ? std::log(rates[1] / rates[0]) : 0.0;
  dictionary_.pairs =
      two_rates && delays.size() == 1 && dictionary_.n_curves == n && dictionary_.n_candidates == n * (n + 1) / 2;
}

int DictionaryBuilder::add_curve(const std::vector<double>& curve) {
  double squares = 0;
  for (const double v : curve) squares += v * v;
  const double norm = std::sqrt(squares);
  if (!(norm > 0) || !std::isfinite(norm)) return -1;
  units_.push_back(curve);
  for (double& v : units_.back()) v /= norm;
  norms_.push_back(norm);
  return static_cast<int>(units_.size()) - 1;
}

void DictionaryBuilder::add_candidate(int first, int second, double rate1, double rate2, double lag, double delay) {
  if (first < 0) return;
  double cosine = 0, inverse_sine = 1;
  if (second >= 0) {
    for (std::size_t i = 0; i < units_[0].size(); ++i)
      cosine += units_[static_cast<std::size_t>(first)][i] * units_[static_cast<std::size_t>(second)][i];
    // Nearly parallel curves say nothing apart in float data.
    if (1 - cosine * cosine < 1e-6) return;
    inverse_sine = 1 / std::sqrt(1 - cosine * cosine);
  }
  first_.push_back(first), second_.push_back(second);
  cosine_.push_back(static_cast<float>(cosine)), inverse_sine_.push_back(static_cast<float>(inverse_sine));
  first_norm_.push_back(static_cast<float>(1 / norms_[static_cast<std::size_t>(first)]));
  second_norm_.push_back(second < 0 ? 0.0f : static_cast<float>(1 / norms_[static_cast<std::size_t>(second)]));
  rate1_.push_back(static_cast<float>(rate1)), rate2_.push_back(static_cast<float>(rate2));
  lag_.push_back(static_cast<float>(lag)), delay_.push_back(static_cast<float>(delay));
}

void DictionaryBuilder::pack(int n_out) {
  constexpr std::size_t block = 8;
  const std::size_t blocks = (units_.size() + block - 1) / block, n = static_cast<std::size_t>(n_out);
  packed_.assign(blocks * block * n, 0.0f);
  for (std::size_t c = 0; c < units_.size(); ++c)
    for (std::size_t i = 0; i < n; ++i)
      packed_[(c / block * n + i) * block + c % block] = static_cast<float>(units_[c][i]);
  auto& d = dictionary_;
  d.n_curves = static_cast<int>(units_.size()), d.curves = packed_.data();
  d.n_candidates = static_cast<int>(first_.size());
  d.first = first_.data(), d.second = second_.data(), d.cosine = cosine_.data(), d.inverse_sine = inverse_sine_.data();
  d.first_norm = first_norm_.data(), d.second_norm = second_norm_.data();
  d.rate1 = rate1_.data(), d.rate2 = rate2_.data(), d.lag = lag_.data(), d.delay = delay_.data();
}

}  // namespace larmor::dce
