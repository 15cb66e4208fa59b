// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/ivim/grid_posterior.hpp>
#include <span>
#include <vector>

/// Where the nodes of the grid posterior go, voxel by voxel.
namespace larmor::ivim {

/// Range that the nodes of one parameter fill, inside that of the prior.
struct Range {
  double low = 0, high = 1;
  double width() const { return high - low; }
};
/// `half` to each side, `more` times that upwards, cut where the prior ends.
Range about(double centre, double half, const Range& prior, double more = 1);

/// What nodes over a range told of one parameter.
struct Told {
  double mean, sd, at_low, at_high;  // the last two: shares in the outermost nodes
};

/// Where the nodes of one voxel lie, round by round.
///
/// The ranges are right when the tails of the posterior are inside (or the prior ends there), and the nodes are no
/// further apart than 1.2 of its sd, for which the midpoint rule of a Gaussian is exact to 1e-5. A posterior that falls
/// between coarse nodes is found by raising the noise until they see it, and lowering it again as they close in.
struct Search {
  Range D, D_star;
  double noise = 1;  // times the true one
  double step = 0;   // by which the noise was last lowered; 0: not yet
  int rounds = 0;

  /// Looks at what a round told; false when it was the last.
  bool again(const Range& prior_D, const Range& prior_star, const PosteriorOptions& o, const Told& d, const Told& s);
};

/// Errors of D and D_star by the curvature at a point, whatever the bounds.
class Fisher {
 public:
  Fisher(std::span<const double> b, const PosteriorOptions& o);
  void errors(const double (&p)[4], double sigma, double& D, double& D_star);

 private:
  std::span<const double> b_;
  const PosteriorOptions& o_;
  std::vector<double> signal_, jacobian_;
};

}  // namespace larmor::ivim
