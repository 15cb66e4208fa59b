// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the fitting kernels (CPU objects of every instruction set, CUDA).
#include <stdint.h>

#include <larmor/fit/lm.hpp>

namespace larmor::dce {

inline constexpr int max_inputs = 2;
/// On a grid of many distinct steps their weights are made for so many at a time.
inline constexpr int steps_ahead = 16;

/// The time structure of one fit. Nodes are the union of the input's samples and the output times, from the input's
/// first sample on; step j leads from node j to node j + 1.
struct TimeGrid {
  int n_out;            // frames that are fitted
  int n_before;         // of them, the first ones that precede the input: the model is 0 there
  const int* out_node;  // (n_out) node of each frame
  int n_nodes;
  const double* dt;  // (n_nodes - 1) [s]
  const double* inverse_dt;
  const double* longest_ahead;  // longest of the steps from every steps_ahead-th on to the next of these
  const int* kind;              // (n_nodes - 1) which of the distinct steps it is
  int n_kinds;
  const double* kind_dt;               // (n_kinds)
  const double* input[max_inputs];     // (n_nodes) [mM]
  const double* fall[max_inputs];      // (n_nodes - 1) dt (c0 - c1) of each step [mM s]
  const double* held[max_inputs];      // (n_nodes - 1) dt c1
  const double* integral[max_inputs];  // (n_nodes) exact integral of the piecewise-linear input [mM s]
  const double* node_time;             // (n_nodes) [s]
  // The input as a cubic curve for evaluation at lagged times: rows of table_row numbers a cell, coefficients c0..c3 of
  // the local coordinate in [0, 1) and the integral up to the cell.
  const double* table[max_inputs];
  double table_start, cell, inverse_cell;  // [s]
  int n_cells;
};

/// Candidates for the start: each is one or two unit-norm curves whose amplitudes are solved in closed form.
struct Dictionary {
  int n_curves;
  const float* curves;  // blocks of 8 curves: [block][n_out][8]
  int n_candidates;
  const int* first;     // index of the first curve
  const int* second;    // of the second, -1 for a single curve
  const float* cosine;  // between the two
  const float* inverse_sine;
  const float* first_norm;  // divides the amplitude back to the curve's own units
  const float* second_norm;
  bool chain;  // candidates follow one rate: the best may be refined between its neighbours
  bool pairs;  // candidates are all pairs (r, q), q <= r, of one chain of rates in order; (r, r) is the single curve
  double log_step;     // between neighbouring rates of the chain
  const float* rate1;  // the non-linear parameters of the candidate
  const float* rate2;
  const float* lag;
  const float* delay;
  bool nonnegative;
};

inline constexpr int table_row = 8;  // a cache line

inline constexpr int tile_voxels = 512;
/// Leading dimension of tile arrays: not a power of two, or the frames of one voxel would share a few cache sets.
inline constexpr int tile_stride = tile_voxels + 16;

/// One piece of work: up to tile_voxels voxels.
struct Tile {
  const TimeGrid* grid;
  const Dictionary* dictionary;
  const fit::LmOptions* options;
  const double* start;  // per parameter: a start given by the caller, NaN where the dictionary decides
  double fixed_delay;   // not used by kernels that fit the delay
  const float* y;       // (n_out, y_stride) data [mM]
  int64_t y_stride;     // its leading dimension
  int stride;           // leading dimension of values and errors
  int n;                // voxels
  float* values;        // (n_params, stride)
  float* errors;        // (n_params, stride)
  float* derived;       // (quantities derived from the parameters, stride) their standard errors
  float* residual_sd;   // (stride) sqrt(SSE / (n_out - free parameters)) [mM]
  float* R2;            // (stride)
  float* AICc;          // (stride)
  double* sst;          // (stride) work: sum of squares about the mean
  uint8_t* status;      // (n) fit::FitStatus
  uint8_t* iterations;  // (n)
  double* frames;       // work: n_out * 8 doubles, 64-byte aligned
  float* scratch;       // work: (n_curves rounded up to 8) * 16 floats, 64-byte aligned
};

/// Curve (n_out) and Jacobian (n_out x n_params, row-major) at one parameter vector; either may be null.
using Curve = void (*)(const TimeGrid&, double fixed_delay, const double* params, double* out, double* jacobian);
using FitTile = void (*)(const Tile&);
/// Derived quantities (n) at one parameter vector and their gradient (n x n_params of the model, row-major).
using DerivedAt = void (*)(const double* params, double* values, double* gradient);

/// A model compiled for one instruction set. Index: 0 without, 1 with the delay as last parameter.
struct IsaKernels {
  FitTile fit[2];
  FitTile fit_scalar[2];  // one number a lane; null but in the baseline object
  Curve curve[2];         // null but in the baseline object
  DerivedAt derived;      // the same
};

/// A whole fit on a CUDA device; every pointer is device memory, as are those inside the structures it points to.
struct CudaJob {
  Tile tile;  // n and stride are of all voxels; frames and scratch unused
  TimeGrid grid;
  Dictionary dictionary;
  fit::LmOptions options;
  bool with_delay;
};

/// How the start is searched: candidates are one or two of these curves at every value of their non-linear parameters.
enum class Shape : uint8_t { none, delta, exponential, integral, box };  // box: integral(t) - integral(t - lag)
struct SearchCurve {
  Shape shape = Shape::none;
  int input = 0;
  int rate = 0;         // 1 or 2: which rate an exponential has
  bool lagged = false;  // shifted by the model's own lag
};
struct Search {
  SearchCurve first, second;
};

}  // namespace larmor::dce
