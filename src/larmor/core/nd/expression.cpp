// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/expression_parser.hpp>
#include <larmor/core/nd/visit.hpp>

namespace larmor::nd {
namespace {

using Kind = Expression::Step::Kind;

// Whether the result is complex, and whether it is a truth value.
struct Result {
  bool complex = false, truth = false;
};

[[noreturn]] void no_complex(const std::string& text, std::size_t at, const char* name) {
  throw Error(Errc::type,
              fmt::format("formula '{}', before column {}: {} has no meaning for complex numbers", text, at + 1, name),
              "take abs, real, imag or phase first");
}

Result infer(const std::string& text, const std::vector<Expression::Step>& steps, const std::vector<Array>& arrays) {
  std::vector<Result> stack;
  for (const auto& s : steps) switch (s.kind) {
      case Kind::number:
        stack.push_back({});
        break;
      case Kind::imaginary:
        stack.push_back({.complex = true});
        break;
      case Kind::variable: {
        const DType type = arrays[static_cast<std::size_t>(s.what)].dtype();
        stack.push_back({is_complex(type), type == DType::boolean});
        break;
      }
      case Kind::unary: {
        const auto& f = info(static_cast<Unary>(s.what));
        if (stack.back().complex && !f.complex_ok) no_complex(text, s.at, f.name);
        stack.back() = {stack.back().complex && !f.real_result, f.truth_result};
        break;
      }
      case Kind::binary: {
        const auto& f = info(static_cast<Binary>(s.what));
        const bool complex = stack.back().complex || stack[stack.size() - 2].complex;
        if (complex && !f.complex_ok) no_complex(text, s.at, f.name);
        stack.pop_back();
        stack.back() = {complex && !f.truth_result, f.truth_result};
        break;
      }
      case Kind::where: {
        const Result b = stack.back(), a = stack[stack.size() - 2];
        stack.resize(stack.size() - 2);
        stack.back() = {a.complex || b.complex, a.truth && b.truth};
      }
    }
  return stack.back();
}

template <class T>
void run_step(const Expression::Step& s, T* top, std::int64_t n, const std::vector<BlockReader<T>>& readers,
              std::int64_t begin) {
  // `top` is the next free place of the stack; operands lie below it.
  switch (s.kind) {
    case Kind::number:
      std::fill(top, top + n, T(static_cast<real_of<T>>(s.value)));
      return;
    case Kind::imaginary:
      if constexpr (complex_v<T>) std::fill(top, top + n, T(0, 1));
      return;
    case Kind::variable: {
      const T* data = readers[static_cast<std::size_t>(s.what)].read(begin, n, top);
      if (data != top) std::copy(data, data + n, top);
      return;
    }
    case Kind::unary:
      return run(static_cast<Unary>(s.what), top - block, n, top - block);
    case Kind::binary:
      return run(static_cast<Binary>(s.what), top - 2 * block, top - block, n, top - 2 * block);
    case Kind::where: {
      T *c = top - 3 * block, *a = top - 2 * block, *b = top - block;
      for (std::int64_t i = 0; i < n; ++i) c[i] = c[i] != T{} ? a[i] : b[i];
    }
  }
}

}  // namespace

Expression::Expression(const std::string& text) : text_(text) {
  auto parsed = parse_expression(text);
  variables_ = std::move(parsed.variables), steps_ = std::move(parsed.steps), depth_ = parsed.depth;
}

Array Expression::evaluate(const std::map<std::string, Array>& values, const Cancel* cancel) const {
  std::vector<Array> arrays;
  std::vector<std::string> known;
  for (const auto& [name, value] : values) known.push_back(name);
  for (const auto& name : variables_) {
    const auto it = values.find(name);
    if (it == values.end()) throw unknown_name("input", name, known).at("formula '" + text_ + "'");
    arrays.push_back(it->second);
  }
  const Result result = infer(text_, steps_, arrays);
  DType work = arrays.empty() ? DType::f64 : arithmetic_type(arrays);
  for (const auto& s : steps_)
    if (s.kind == Kind::imaginary && !is_complex(work)) work = work == DType::f32 ? DType::c64 : DType::c128;
  const Broadcast full = broadcast(arrays, variables_), loops = collapsed(full);
  Array out = Array::uninitialised(result.truth     ? DType::boolean
                                   : result.complex ? work
                                                    : real_type(work),
                                   full.shape, full.axes);
  visit_float(work, [&](auto zero) {
    using T = decltype(zero);
    std::vector<BlockReader<T>> readers;
    for (std::size_t k = 0; k < arrays.size(); ++k) readers.emplace_back(arrays[k], loops, k);
    for_blocks(
        count(full.shape),
        [&](std::int64_t begin, std::int64_t n) {
          thread_local std::vector<T> stack;
          stack.resize(static_cast<std::size_t>(depth_) * block);
          T* top = stack.data();
          for (const auto& s : steps_) {
            run_step(s, top, n, readers, begin);
            top += s.kind == Kind::binary  ? -block
                   : s.kind == Kind::where ? -2 * block
                   : s.kind == Kind::unary ? 0
                                           : block;
          }
          store(stack.data(), n, out, begin);
        },
        cancel);
  });
  return out;
}

}  // namespace larmor::nd
