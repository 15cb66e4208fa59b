// SPDX-License-Identifier: Apache-2.0
// Element-wise and reducing operations on 100 MB arrays, against a copy of the same bytes in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/core/parallel.hpp>

namespace {

using namespace larmor;

double median_seconds(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[2];
}

}  // namespace

int main() {
  const std::int64_t n = 256, frames = 400;  // 26,214,400 f32: 105 MB
  Array a = Array::of<float>({n, n, frames}, {"x", "y", "t"}), b = Array::of<float>({n, n, frames}, {"x", "y", "t"});
  Array curve = Array::of<float>({frames}, {"t"}), plane = Array::of<float>({n, n}, {"x", "y"});
  for (std::int64_t i = 0; i < a.size(); ++i) a.data<float>()[i] = 1, b.data<float>()[i] = static_cast<float>(i % 7);
  for (std::int64_t i = 0; i < frames; ++i) curve.data<float>()[i] = static_cast<float>(i);

  // What any c = a + b moves at least: two arrays read and one new one written, on all threads.
  const double copy = median_seconds([&] {
    Array out = Array::uninitialised(a.dtype(), a.shape(), a.axes());
    parallel_for(static_cast<std::size_t>(a.size()), 1 << 16, [&](std::size_t begin, std::size_t end) {
      std::memcpy(out.data<float>() + begin, a.data<float>() + begin, (end - begin) * sizeof(float));
    });
  });
  const double bound = copy * 1.5;  // a copy reads one and writes one
  fmt::print("array maths: 105 MB f32 (256 x 256 x 400), {} threads; copy into new memory {:.1f} ms\n", thread_count(),
             1e3 * copy);
  Array out;
  const auto show = [&](const char* what, double seconds) {
    fmt::print("  {:32s} {:7.1f} ms   {:.2f} x the memory bound\n", what, 1e3 * seconds, seconds / bound);
  };
  show("a + b", median_seconds([&] { out = nd::apply(nd::Binary::add, a, b); }));
  bool right =
      out.data<float>()[10] == 4 && out.data<float>()[a.size() - 1] == 1 + static_cast<float>((a.size() - 1) % 7);
  show("a(x,y,t) + c(t)", median_seconds([&] { out = nd::apply(nd::Binary::add, a, curve); }));
  right = right && out.data<float>()[a.size() - 1] == static_cast<float>(frames);
  show("a(x,y,t) * m(x,y)", median_seconds([&] { out = nd::apply(nd::Binary::multiply, a, plane); }));
  right = right && out.data<float>()[5] == 0;
  const int t = 2;
  show("mean over t", median_seconds([&] { out = nd::reduce(nd::Reduction::mean, b, std::span(&t, 1)); }));
  show("sum of all", median_seconds([&] { out = nd::reduce(nd::Reduction::sum, a, {}); }));
  right = right && *out.data<float>() == static_cast<float>(a.size());
  if (!right) fmt::print("WRONG ANSWER\n");
  return right ? 0 : 1;
}
