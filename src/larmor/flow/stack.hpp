// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/types.hpp>
#include <memory>

namespace larmor::flow {

/// Elements of a value along `axis`, or of a list; -1 when it has neither.
std::int64_t elements_along(const Value& value, const std::string& axis);

/// One element: a view of an array without the axis, an item of a list, a record with its field "data" sliced. Types
/// may know better (Type::slice).
Value slice_of(const Value& value, const std::string& axis, std::int64_t index, const Types& types);

/// Collects the results of slices into one value. Arrays are copied into the whole as they come and kept no longer;
/// numbers and booleans make an array, texts and what has no array a list.
///
/// Slices that have the axis are put one after the other along it; for others the axis is put back where it was: behind
/// those of `before` that they have, last when they have none of them left. `like` is the value that was sliced, for
/// Type::stack.
class Stacker {
 public:
  Stacker(const Types& types, std::string axis, std::int64_t count, Axes before, Value like, bool as_list = false);
  ~Stacker();
  /// Thread-safe; every index once. Errors   Errc::shape, Errc::type when a slice differs from the first
  void put(std::int64_t index, const Value& value);
  /// Bytes that are held.
  std::size_t bytes() const;
  Value take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Axes that come before `axis` in the array of a value.
Axes axes_before(const Value& value, const std::string& axis);

/// Results for every combination of sweeps (the first runs fastest) on new last axes.
Value stack_sweeps(const std::vector<Value>& values, const Axes& axes, const std::vector<int>& counts,
                   const Types& types);

}  // namespace larmor::flow
