// SPDX-License-Identifier: Apache-2.0
#include "ivim_series.hpp"

#include <fmt/format.h>

#include <larmor/io/bids.hpp>
#include <larmor/io/bvals.hpp>
#include <tuple>

namespace larmor::cli {
namespace {

std::pair<double, double> range_of(const Call& call, const char* name) {
  const auto r = call.numbers(name);
  if (r.size() != 2 || !(r[0] < r[1]))
    throw Error(Errc::usage, fmt::format("larmor {}: {} is not a lower and an upper number", call.command->name, name),
                fmt::format("give it as {} 0.1,0.4", name));
  return {r[0], r[1]};
}

Option pair_of(const char* name, const char* what, const char* start, double upper) {
  return Option{.name = name, .what = what, .kind = Kind::number, .start = start, .lower = 0, .upper = upper}.many();
}

}  // namespace

IvimSeries read_ivim_series(const Call& call, const std::string& path) {
  IvimSeries s;
  s.image = io::read_image(path);
  if (call.given("--b")) {
    s.b = call.numbers("--b");
  } else if (const auto beside = io::bval_beside(path); !beside.empty()) {
    s.b = io::read_bvals(beside);
  } else {
    for (const char* key : {"bValues", "DiffusionBValue"})
      if (s.b.empty()) s.b = meta_numbers(s.image.meta, key);
    if (s.b.empty())
      throw Error(Errc::usage, "the b-values are not known: no .bval file beside the series, and its sidecar has none",
                  "give --b 0,10,20,... [s/mm2]")
          .at(path);
  }
  if (s.image.data.rank() != 4 || s.image.volumes() != static_cast<std::int64_t>(s.b.size()))
    throw Error(Errc::shape,
                fmt::format("the signals are {}, {} b-values are given", to_string(s.image.data.shape()), s.b.size()),
                "give one b-value for each volume: --b 0,10,20,...")
        .at(path);
  s.mask = read_mask(call, "--mask", s.image);
  return s;
}

std::vector<Option> ivim_prior_options() {
  return {pair_of("--f", "range of f [1]", "0.1,0.4", 1), pair_of("--D", "range of D [mm2/s]", "0.0005,0.002", 0.1),
          pair_of("--D-star", "range of D* [mm2/s]", "0.01,0.1", 10),
          flag("--log-D-star", "D* even in its logarithm instead")};
}

ivim::Prior ivim_prior(const Call& call) {
  ivim::Prior p;
  std::tie(p.f_low, p.f_high) = range_of(call, "--f");
  std::tie(p.D_low, p.D_high) = range_of(call, "--D");
  std::tie(p.D_star_low, p.D_star_high) = range_of(call, "--D-star");
  p.log_D_star = call.given("--log-D-star");
  return p;
}

}  // namespace larmor::cli
