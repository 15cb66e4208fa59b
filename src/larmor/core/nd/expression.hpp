// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::nd {

/// A formula over arrays, read once and worked out block by block: no array of an intermediate result is ever made.
///
/// Operators, weakest first: |  &  == != < <= > >=  + -  * / %  unary - !  ^ (from the right). Numbers, pi, e, i (the
/// imaginary unit), nan, inf; the functions of nd::unary_functions() and nd::binary_functions() by their names, and
/// min, max, pow, mod, atan2, where(c, a, b), clip(a, low, high). A formula has no side effects and no loops: it is
/// safe to work out one that a stranger wrote.
class Expression {
 public:
  /// Errors   Errc::format with the column for a formula that cannot be read, or is longer than 10,000 characters or
  /// nested deeper than 100; Errc::unknown_name for a function, with the nearest
  explicit Expression(const std::string& text);

  const std::string& text() const { return text_; }
  /// Names that stand for arrays, in order of their first use.
  const std::vector<std::string>& variables() const { return variables_; }

  /// Arrays are broadcast by the names of their axes; types as in nd::apply. A comparison gives booleans.
  /// Errors   Errc::unknown_name for a variable that has no value, Errc::type for an order of complex numbers,
  /// Errc::shape
  Array evaluate(const std::map<std::string, Array>& values, const Cancel* cancel = nullptr) const;

  struct Step {
    enum class Kind : std::uint8_t { number, imaginary, variable, unary, binary, where } kind;
    int what = 0;  // variable, or the function
    double value = 0;
    std::size_t at = 0;  // place in the text
  };

 private:
  std::string text_;
  std::vector<std::string> variables_;
  std::vector<Step> steps_;  // operands before operators
  int depth_ = 0;            // of the stack
};

/// The names a formula may use as functions.
std::vector<std::string> expression_functions();

}  // namespace larmor::nd
