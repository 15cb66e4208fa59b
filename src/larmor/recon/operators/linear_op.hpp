// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <memory>
#include <string>
#include <vector>

namespace larmor::recon {

/// What a linear operator takes or gives: packed complex arrays of one type, shape and axes.
struct Space {
  Shape shape;
  Axes axes;
  DType type = DType::c64;

  std::int64_t size() const;
  std::string describe() const;
  Array zeros() const { return Array(type, shape, axes); }
  int axis(const std::string& name) const;  // Errors   Errc::unknown_name with the axes that are there
  static Space of(const Array& a) { return {a.shape(), a.axes(), a.dtype()}; }
  bool operator==(const Space&) const = default;
};

/// A linear map between two spaces, with its adjoint in the inner product sum of conj(a) b. Results are new arrays: who
/// asked may write into them.
class LinearOp {
 public:
  /// Errors   Errc::type unless both spaces are c64 or both c128
  LinearOp(std::string name, Space domain, Space range);
  virtual ~LinearOp() = default;

  const std::string& name() const { return name_; }
  const Space& domain() const { return domain_; }
  const Space& range() const { return range_; }

  /// A x, A^H y and A^H A x. Errors   Errc::shape with both spaces; Errc::cancelled
  Array forward(const Array& x, const Cancel* cancel = nullptr) const;
  Array adjoint(const Array& y, const Cancel* cancel = nullptr) const;
  Array normal(const Array& x, const Cancel* cancel = nullptr) const;

 protected:
  /// Called with packed arrays of the right space.
  virtual Array run(const Array& x, const Cancel* cancel) const = 0;
  virtual Array run_adjoint(const Array& y, const Cancel* cancel) const = 0;
  virtual Array run_normal(const Array& x, const Cancel* cancel) const { return run_adjoint(run(x, cancel), cancel); }

 private:
  std::string name_;
  Space domain_, range_;
};
using Op = std::shared_ptr<const LinearOp>;

/// `outer` after `inner`. Errors   Errc::shape, with both, unless one gives what the other takes
Op composed(Op outer, Op inner);
/// A + B. Errors   Errc::shape
Op sum(Op a, Op b);
Op scaled(double factor, Op a);
Op adjoint_of(Op a);
/// Their results one after the other, as one axis "sample". Errors   Errc::shape for two domains
Op stacked(std::vector<Op> ops);

/// An array as a space has it: axes in its order, those it lacks there as one element, cast to the type, packed.
/// Errors   Errc::shape, naming `what` and both, when an extent differs or an axis of several elements has no place
Array arranged(const Array& a, const Space& space, const std::string& what);

/// |<A x, y> - <x, A^H y>| / (|A x| |y|) for random x and y: zero for every linear operator, up to rounding.
double adjoint_gap(const LinearOp& A, unsigned seed = 1);
/// Largest eigenvalue of A^H A by power iteration from a random start, a little too small.
double normal_norm(const LinearOp& A, int iterations = 20, const Cancel* cancel = nullptr);
/// Independent normal numbers of sd 1 in each part.
Array random_vector(const Space& space, unsigned seed);

}  // namespace larmor::recon
