// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/core/nd/reduce_steps.hpp>

namespace larmor::nd {
namespace {

constexpr ReductionInfo table[] = {
    {Reduction::sum, "sum", "Sum", "sum of the elements", true},
    {Reduction::mean, "mean", "Mean", "arithmetic mean", true},
    {Reduction::sd, "sd", "Standard deviation", "root of the summed squared deviations over n - 1", true},
    {Reduction::variance, "variance", "Variance", "summed squared deviations over n - 1", true},
    {Reduction::rms, "rms", "Root mean square", "root of the mean square", true},
    {Reduction::norm, "norm", "Norm", "root of the sum of squares", true},
    {Reduction::minimum, "min", "Minimum", "smallest element", false},
    {Reduction::maximum, "max", "Maximum", "largest element", false},
    {Reduction::range, "range", "Range", "largest minus smallest element", false},
    {Reduction::product, "product", "Product", "product of the elements", true},
    {Reduction::median, "median", "Median", "middle element, the mean of the two for an even number", false},
    {Reduction::percentile, "percentile", "Percentile", "element that q percent lie below, linear between ranks",
     false},
    {Reduction::argmin, "argmin", "Place of the minimum", "index of the first smallest element", false},
    {Reduction::argmax, "argmax", "Place of the maximum", "index of the first largest element", false},
    {Reduction::count, "count", "Count", "number of elements that are not 0", true},
    {Reduction::any, "any", "Any", "true when one element is not 0", true},
    {Reduction::all, "all", "All", "true when no element is 0", true}};

// Outputs and inputs as two nests of loops over one array.
struct Nest {
  Shape kept, reduced, kept_strides, reduced_strides;  // collapsed
  Shape shape;
  Axes axes;                             // of the result
  std::int64_t outputs = 1, inputs = 1;  // elements of the result; elements per element of it
};

Nest nest_of(const Array& a, std::span<const int> axes, bool keep) {
  std::vector<bool> over(static_cast<std::size_t>(a.rank()), axes.empty());
  for (const int axis : axes) {
    if (axis < 0 || axis >= a.rank())
      throw Error(Errc::range, fmt::format("axis {} of an array of {} axes", axis, a.rank()));
    if (over[static_cast<std::size_t>(axis)])
      throw Error(Errc::range, fmt::format("axis '{}' is given twice", a.axes()[static_cast<std::size_t>(axis)]),
                  "name each axis once");
    over[static_cast<std::size_t>(axis)] = true;
  }
  Nest out;
  const auto add = [](Shape& shape, Shape& strides, std::int64_t n, std::int64_t stride) {
    if (n == 1) return;
    if (!shape.empty() && stride == strides.back() * shape.back())
      shape.back() *= n;
    else
      shape.push_back(n), strides.push_back(stride);
  };
  for (std::size_t i = 0; i < over.size(); ++i) {
    const auto n = a.shape()[i];
    if (over[i]) {
      add(out.reduced, out.reduced_strides, n, a.strides()[i]);
      out.inputs *= n;
      if (keep) out.shape.push_back(1), out.axes.push_back(a.axes()[i]);
    } else {
      add(out.kept, out.kept_strides, n, a.strides()[i]);
      out.outputs *= n;
      out.shape.push_back(n), out.axes.push_back(a.axes()[i]);
    }
  }
  return out;
}

// Offset of an element of a nest of loops.
std::int64_t offset(const Shape& shape, const Shape& strides, std::int64_t index) {
  std::int64_t at = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) at += index % shape[i] * strides[i], index /= shape[i];
  return at;
}

// Calls f(buffer, first, n): the elements `first` to `first + n` of a nest that starts at `base`, as T.
template <class T, class F>
void for_runs(const Array& a, std::int64_t base, const Shape& shape, const Shape& strides, std::int64_t begin,
              std::int64_t end, F&& f) {
  const auto convert = detail::converter<T>(a.dtype());
  const auto* data = static_cast<const std::byte*>(a.raw());
  const auto size = static_cast<std::int64_t>(size_of(a.dtype()));
  const std::int64_t inner = shape.empty() ? 1 : shape[0], step = shape.empty() ? 0 : strides[0];
  T buffer[block];
  for (std::int64_t at = begin; at < end;) {
    const std::int64_t index = at % inner, n = std::min({inner - index, end - at, block});
    convert(data + (base + offset(shape, strides, at)) * size, step, n, buffer);
    f(buffer, at, n);
    at += n;
  }
}

// Elements of a whole reduction that one piece takes.
constexpr std::int64_t reduce_piece = std::int64_t{1} << 18;

template <class T, class Step, bool Omit>
void run_steps(const Array& a, const Nest& nest, Array& out, const Cancel* cancel) {
  using Out = decltype(Step().done());
  const auto one_piece = [&](std::int64_t base, std::int64_t begin, std::int64_t end) {
    Step state;
    for_runs<T>(a, base, nest.reduced, nest.reduced_strides, begin, end,
                [&](const T* v, std::int64_t first, std::int64_t n) {
                  for (std::int64_t i = 0; i < n; ++i)
                    if (!Omit || !steps::is_nan(v[i])) state.step(v[i], first + i);
                });
    return state;
  };
  if (nest.outputs == 1 && nest.inputs > reduce_piece) {
    const std::int64_t pieces = (nest.inputs + reduce_piece - 1) / reduce_piece;
    std::vector<Step> states(static_cast<std::size_t>(pieces));
    parallel_for(
        states.size(), 1,
        [&](std::size_t first, std::size_t last) {
          for (std::size_t p = first; p < last; ++p) {
            const auto begin = static_cast<std::int64_t>(p) * reduce_piece;
            states[p] = one_piece(0, begin, std::min(nest.inputs, begin + reduce_piece));
          }
        },
        cancel);
    for (std::size_t p = 1; p < states.size(); ++p) states[0].merge(states[p]);
    const Out result = states[0].done();
    store(&result, 1, out, 0);
    return;
  }
  // The nearer axis in memory is the inner loop, whether it stays or goes.
  const std::int64_t kept_step = nest.kept.empty() ? INT64_MAX : std::abs(nest.kept_strides[0]);
  const std::int64_t reduced_step = nest.reduced.empty() ? INT64_MAX : std::abs(nest.reduced_strides[0]);
  const auto grain = static_cast<std::size_t>(
      std::clamp<std::int64_t>(reduce_piece / std::max<std::int64_t>(nest.inputs, 1), 1, 1 << 16));
  parallel_for(
      static_cast<std::size_t>(nest.outputs), grain,
      [&](std::size_t first, std::size_t last) {
        const auto end = static_cast<std::int64_t>(last);
        if (reduced_step < kept_step) {
          for (auto k = static_cast<std::int64_t>(first); k < end; ++k) {
            const Out result = one_piece(offset(nest.kept, nest.kept_strides, k), 0, nest.inputs).done();
            store(&result, 1, out, k);
          }
          return;
        }
        for (auto k = static_cast<std::int64_t>(first); k < end; k += block) {
          const std::int64_t n = std::min(block, end - k);
          Step states[block] = {};
          for (std::int64_t r = 0; r < nest.inputs; ++r)
            for_runs<T>(a, offset(nest.reduced, nest.reduced_strides, r), nest.kept, nest.kept_strides, k, k + n,
                        [&](const T* v, std::int64_t from, std::int64_t m) {
                          Step* s = states + (from - k);
                          for (std::int64_t i = 0; i < m; ++i)
                            if (!Omit || !steps::is_nan(v[i])) s[i].step(v[i], r);
                        });
          Out results[block];
          for (std::int64_t i = 0; i < n; ++i) results[i] = states[i].done();
          store(results, n, out, k);
        }
      },
      cancel);
}

template <class T, class Step>
void run(const Array& a, const Nest& nest, Array& out, const ReduceOptions& o) {
  if (o.nan == NaN::omit)
    run_steps<T, Step, true>(a, nest, out, o.cancel);
  else
    run_steps<T, Step, false>(a, nest, out, o.cancel);
}

// Linear between the two elements nearest to the rank; `v` is reordered.
double ranked(std::vector<double>& v, double percent, bool omit) {
  const auto last = std::partition(v.begin(), v.end(), [](double x) { return x == x; });
  if (last != v.end() && !omit) return steps::nan;
  const auto n = last - v.begin();
  if (n == 0) return steps::nan;
  const double rank = percent / 100 * static_cast<double>(n - 1);
  const auto low = static_cast<std::ptrdiff_t>(rank);
  std::nth_element(v.begin(), v.begin() + low, last);
  const double below = v[static_cast<std::size_t>(low)], part = rank - static_cast<double>(low);
  if (part == 0 || low + 1 >= n) return below;
  const double above = *std::min_element(v.begin() + low + 1, last);
  return below + part * (above - below);
}

void run_ranked(const Array& a, const Nest& nest, Array& out, const ReduceOptions& o) {
  const auto grain =
      static_cast<std::size_t>(std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(nest.inputs, 1)));
  parallel_for(
      static_cast<std::size_t>(nest.outputs), grain,
      [&](std::size_t first, std::size_t last) {
        std::vector<double> all(static_cast<std::size_t>(nest.inputs));
        for (std::size_t k = first; k < last; ++k) {
          for_runs<double>(a, offset(nest.kept, nest.kept_strides, static_cast<std::int64_t>(k)), nest.reduced,
                           nest.reduced_strides, 0, nest.inputs, [&](const double* v, std::int64_t at, std::int64_t n) {
                             if (o.cancel) o.cancel->check();
                             std::copy(v, v + n, all.begin() + at);
                           });
          const double result = ranked(all, o.percent, o.nan == NaN::omit);
          store(&result, 1, out, static_cast<std::int64_t>(k));
        }
      },
      o.cancel);
}

template <class T>
void dispatch(Reduction op, const Array& a, const Nest& nest, Array& out, const ReduceOptions& o) {
  switch (op) {
    case Reduction::sum:
      return run<T, steps::Sum<T>>(a, nest, out, o);
    case Reduction::mean:
      return run<T, steps::Mean<T>>(a, nest, out, o);
    case Reduction::sd:
      return run<T, steps::Sd<T>>(a, nest, out, o);
    case Reduction::variance:
      return run<T, steps::Variance<T>>(a, nest, out, o);
    case Reduction::rms:
      return run<T, steps::Rms<T>>(a, nest, out, o);
    case Reduction::norm:
      return run<T, steps::Norm<T>>(a, nest, out, o);
    case Reduction::product:
      return run<T, steps::Product<T>>(a, nest, out, o);
    case Reduction::count:
      return run<T, steps::Count<T>>(a, nest, out, o);
    case Reduction::any:
      return run<T, steps::Any<T>>(a, nest, out, o);
    case Reduction::all:
      return run<T, steps::All<T>>(a, nest, out, o);
    default:
      break;
  }
  if constexpr (!complex_v<T>) {
    switch (op) {
      case Reduction::minimum:
        return run<T, steps::Extreme<false>>(a, nest, out, o);
      case Reduction::maximum:
        return run<T, steps::Extreme<true>>(a, nest, out, o);
      case Reduction::range:
        return run<T, steps::Range>(a, nest, out, o);
      case Reduction::argmin:
        return run<T, steps::Place<false>>(a, nest, out, o);
      case Reduction::argmax:
        return run<T, steps::Place<true>>(a, nest, out, o);
      default:
        return run_ranked(a, nest, out, o);
    }
  }
}

DType result_type(Reduction op, DType type) {
  const DType floating = type == DType::f32 || type == DType::c64 || type == DType::c128 ? type : DType::f64;
  switch (op) {
    case Reduction::argmin:
    case Reduction::argmax:
    case Reduction::count:
      return DType::i32;
    case Reduction::any:
    case Reduction::all:
      return DType::boolean;
    case Reduction::minimum:
    case Reduction::maximum:
      return type;
    case Reduction::sd:
    case Reduction::variance:
    case Reduction::rms:
    case Reduction::norm:
      return real_type(floating);
    default:
      return floating;
  }
}

}  // namespace

std::span<const ReductionInfo> reductions() { return table; }
const ReductionInfo& info(Reduction op) { return table[static_cast<std::size_t>(op)]; }

Array reduce(Reduction op, const Array& a, std::span<const int> axes, const ReduceOptions& options) {
  const char* name = info(op).name;
  if (is_complex(a.dtype()) && !info(op).complex_ok)
    throw Error(Errc::type, fmt::format("{}: complex numbers have no order", name),
                "take the magnitude, phase, real or imaginary part first");
  ReduceOptions o = options;
  if (op == Reduction::median) o.percent = 50;
  if (!(o.percent >= 0 && o.percent <= 100))
    throw Error(Errc::range, fmt::format("{}: {:g} percent", name, o.percent), "give 0 to 100");
  if (!a.device().is_cpu()) return reduce(op, a.to(Device::cpu()), axes, options);
  const Nest nest = nest_of(a, axes, o.keep_axes);
  if (nest.inputs == 0 && !info(op).complex_ok)
    throw Error(Errc::range, fmt::format("{} of no elements: {}", name, a.describe()));
  if (nest.inputs >= INT32_MAX && (op == Reduction::argmin || op == Reduction::argmax || op == Reduction::count))
    throw Error(Errc::range, fmt::format("{} over {} elements does not fit an i32", name, nest.inputs),
                "reduce over fewer axes first");
  Array out = Array::uninitialised(result_type(op, a.dtype()), nest.shape, nest.axes);
  if (nest.outputs == 0) return out;
  if (is_complex(a.dtype()))
    dispatch<std::complex<double>>(op, a, nest, out, o);
  else
    dispatch<double>(op, a, nest, out, o);
  return out;
}

}  // namespace larmor::nd
