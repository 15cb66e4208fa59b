// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/parallel.hpp>
#include <numeric>
#include <random>
#include <thread>

using namespace larmor;
using C = std::complex<double>;

namespace {

constexpr double pi = 3.14159265358979323846;

Array random_array(Shape shape, unsigned seed, DType type = DType::c128) {
  Array a = Array::of<C>(std::move(shape));
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (auto& x : a.span<C>()) x = {normal(random), normal(random)};
  return a.cast(type);
}

double norm(const Array& a) {
  double sum = 0;
  const Array b = a.cast(DType::c128).contiguous_copy();
  for (const auto& x : b.span<C>()) sum += std::norm(x);
  return std::sqrt(sum);
}

// |a - b| / |b|
double distance(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  const Array p = a.cast(DType::c128).contiguous_copy(), q = b.cast(DType::c128).contiguous_copy();
  double sum = 0;
  for (std::int64_t i = 0; i < p.size(); ++i)
    sum += std::norm(p.span<C>()[std::size_t(i)] - q.span<C>()[std::size_t(i)]);
  return std::sqrt(sum) / std::max(norm(q), 1e-300);
}

// The definition, one axis at a time, in double: O(N^2).
Array slow(const Array& a, const std::vector<int>& axes, bool forward, bool centred) {
  Array now = a.cast(DType::c128).clone();
  for (const int axis : axes) {
    Array next(DType::c128, now.shape(), now.axes());
    const std::int64_t n = now.extent(axis), centre = centred ? n / 2 : 0;
    std::int64_t stride = now.strides()[std::size_t(axis)];
    const C* from = now.data<C>();
    C* to = next.data<C>();
    for (std::int64_t e = 0; e < now.size(); ++e) {
      const std::int64_t k = e / stride % n, base = e - k * stride;
      C sum = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const auto turns = double((i - centre) * (k - centre) % n) / double(n);
        sum += from[base + i * stride] * std::polar(1.0, (forward ? -2 : 2) * pi * turns);
      }
      to[e] = sum;
    }
    now = next;
  }
  return now;
}

// FFT error grows as eps log2 N in the mean; the slow sum's own as eps sqrt(N): 1e-14 holds both for N <= 1000.
constexpr double tight = 1e-14;
constexpr double tight_single = 1e-6;

}  // namespace

TEST(Fft, EqualsTheDefinitionForEveryKindOfLength) {
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 30, 64, 97, 100, 101, 128, 210, 251}) {
    const Array a = random_array({n, 3}, unsigned(n));
    for (const bool centred : {false, true}) {
      EXPECT_LT(distance(fft(a, {0}, {.centred = centred}), slow(a, {0}, true, centred)), tight) << n << centred;
      EXPECT_LT(distance(ifft(a, {0}, {.centred = centred}), slow(a, {0}, false, centred)), tight) << n << centred;
      const Array single = a.cast(DType::c64);
      EXPECT_LT(distance(fft(single, {0}, {.centred = centred}), slow(a, {0}, true, centred)), tight_single) << n;
      EXPECT_EQ(fft(single, {0}).dtype(), DType::c64);
    }
  }
}

TEST(Fft, EveryAxisAndEverySetOfAxes) {
  const Array a = random_array({6, 5, 8, 7}, 1);
  for (const bool centred : {false, true})
    for (const auto& axes : std::vector<std::vector<int>>{
             {0}, {1}, {2}, {3}, {0, 1}, {1, 0}, {0, 2}, {3, 1}, {2, 3}, {0, 1, 2}, {3, 0, 2}, {1, 2, 3}})
      EXPECT_LT(distance(fft(a, axes, {.centred = centred}), slow(a, axes, true, centred)), tight)
          << axes[0] << " of " << axes.size();
}

TEST(Fft, LargeBatchesAreCutWithoutASeam) {
  // More than a piece of work in every way of cutting: many lines, long strides, several axes at once.
  const Array a = random_array({96, 70, 33}, 2);
  for (const int axis : {0, 1, 2}) {
    const Array all = fft(a, {axis});
    EXPECT_LT(distance(all, slow(a, {axis}, true, false)), tight);
  }
  const Array planes = fft(a, {0, 1});
  const Array lines = fft(fft(a, {1}), {0});
  EXPECT_LT(distance(planes, lines), tight);
  for (const std::int64_t z : {0, 16, 32})
    EXPECT_LT(distance(planes.slice(2, z), fft(a.slice(2, z), {0, 1})), tight);  // a batch is its members
  EXPECT_LT(distance(fft(a, {0, 1, 2}), fft(lines, {2})), tight);
}

TEST(Fft, InverseUndoesForwardAndUnitaryKeepsEnergy) {
  const Array a = random_array({12, 35, 9}, 3);
  for (const bool centred : {false, true}) {
    EXPECT_LT(
        distance(ifft(fft(a, {0, 1}, {.centred = centred}), {0, 1}, {.norm = FftNorm::by_n, .centred = centred}), a),
        tight);
    const FftOptions unitary{.norm = FftNorm::unitary, .centred = centred};
    EXPECT_LT(distance(ifft(fft(a, {1, 2}, unitary), {1, 2}, unitary), a), tight);
    EXPECT_NEAR(norm(fft(a, {1, 2}, unitary)) / norm(a), 1.0, tight);
  }
  EXPECT_NEAR(norm(fft(a, {0})) / norm(a), std::sqrt(12.0), tight * 12);  // Parseval without a norm: sqrt(N)
  EXPECT_LT(distance(ifft(fft(a, {0}), {0}), a), tight);                  // ifft divides by N unless told otherwise
}

TEST(Fft, UnitaryInverseIsTheAdjoint) {
  const Array x = random_array({15, 8}, 4), y = random_array({15, 8}, 5);
  const FftOptions unitary{.norm = FftNorm::unitary, .centred = true};
  const Array Ax = fft(x, {0, 1}, unitary), Ay = ifft(y, {0, 1}, unitary);
  C left = 0, right = 0;
  for (std::size_t i = 0; i < std::size_t(x.size()); ++i) {
    left += std::conj(Ax.span<C>()[i]) * y.span<C>()[i];
    right += std::conj(x.span<C>()[i]) * Ay.span<C>()[i];
  }
  EXPECT_LT(std::abs(left - right) / (norm(x) * norm(y)), tight);
}

TEST(Fft, ShiftBecomesAPhaseRamp) {
  const std::int64_t n = 45, shift = 7;
  const Array a = random_array({n}, 6);
  Array moved = Array::of<C>({n});
  for (std::int64_t i = 0; i < n; ++i) moved.span<C>()[std::size_t((i + shift) % n)] = a.span<C>()[std::size_t(i)];
  Array expected = fft(a, {0});
  for (std::int64_t k = 0; k < n; ++k)
    expected.span<C>()[std::size_t(k)] *= std::polar(1.0, -2 * pi * double(k * shift % n) / double(n));
  EXPECT_LT(distance(fft(moved, {0}), expected), tight);
}

TEST(Fft, CentredPutsAConstantAtTheMiddle) {
  for (const std::int64_t n : {8, 9}) {
    Array a = Array::of<C>({n});
    for (auto& x : a.span<C>()) x = 1;
    const Array k = fft(a, {0}, {.centred = true});
    for (std::int64_t i = 0; i < n; ++i)
      EXPECT_NEAR(std::abs(k.span<C>()[std::size_t(i)]), i == n / 2 ? double(n) : 0.0, 1e-13);
    EXPECT_NEAR(k.span<C>()[std::size_t(n / 2)].real(), double(n), 1e-13);
  }
}

TEST(Fft, ViewsAreReadWhereTheyLie) {
  const Array a = random_array({20, 12, 10}, 7);
  const int order[] = {2, 0, 1};
  const Array view = a.permuted(order).range(1, 3, 19).range(2, 1, 9);
  ASSERT_FALSE(view.contiguous());
  const Array packed = view.contiguous_copy();
  for (const auto& axes : std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1}, {2, 0}})
    for (const bool centred : {false, true}) {
      const Array got = fft(view, axes, {.centred = centred});
      EXPECT_TRUE(got.contiguous());
      EXPECT_EQ(got.axes(), view.axes());
      EXPECT_LT(distance(got, fft(packed, axes, {.centred = centred})), tight);
    }
  EXPECT_LT(distance(a, random_array({20, 12, 10}, 7)), 1e-300);  // and left as they were
}

TEST(Fft, ThreadsMayPlanTogether) {
  std::vector<std::thread> threads;
  std::vector<double> worst(8);
  for (unsigned id = 0; id < 8; ++id)
    threads.emplace_back([id, &worst] {
      for (std::int64_t n = 20; n < 44; ++n) {  // the same new sizes in all threads at once
        const Array a = random_array({n, 4}, id, id % 2 ? DType::c64 : DType::c128);
        worst[id] = std::max(worst[id], distance(ifft(fft(a, {0}), {0}), a));
      }
    });
  for (auto& t : threads) t.join();
  for (const double w : worst) EXPECT_LT(w, tight_single);
}

TEST(Fft, OneThreadAndManyAgree) {
  const Array a = random_array({64, 48, 40}, 8);
  const int before = thread_count();
  set_thread_count(1);
  const Array one = fft(a, {0, 1, 2}, {.centred = true});
  set_thread_count(4);
  const Array four = fft(a, {0, 1, 2}, {.centred = true});
  set_thread_count(before);
  EXPECT_LT(distance(four, one), tight);
}

TEST(Fft, EmptyAndSinglePointArrays) {
  EXPECT_EQ(fft(Array::of<C>({0, 4}), {1}).shape(), (Shape{0, 4}));
  EXPECT_EQ(fft(Array::of<C>({4, 0}), {1}).size(), 0);
  const Array one = random_array({1, 1}, 9);
  EXPECT_LT(distance(fft(one, {0, 1}, {.centred = true}), one), tight);
}

TEST(Fft, RefusesWhatItCannotDo) {
  const auto code = [](const Array& a, std::vector<int> axes, FftOptions options = {}) {
    try {
      (void)fft(a, axes, options);
    } catch (const Error& e) {
      return std::string(to_string(e.code())) + ": " + e.message();
    }
    return std::string("no error");
  };
  const Array a = random_array({4, 4}, 10);
  EXPECT_EQ(code(Array::of<float>({4}), {0}), "type: fft: the array is f32, not complex");
  EXPECT_EQ(code(a, {}), "range: fft: 0 axes to transform");
  EXPECT_EQ(code(a, {0, 1, 0, 1}), "range: fft: 4 axes to transform");
  EXPECT_EQ(code(a, {2}), "range: fft: axis 2 of an array of 2 axes");
  EXPECT_EQ(code(a, {-1}), "range: fft: axis -1 of an array of 2 axes");
  EXPECT_EQ(code(a, {1, 1}), "range: fft: axis 1 is given twice");
  const Cancel cancel;
  cancel.request();
  EXPECT_EQ(code(a, {0}, {.cancel = &cancel}), "cancelled: cancelled");
}

TEST(Fft, CudaEqualsCpu) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  const Array a = random_array({24, 35, 16, 5}, 11);
  for (const DType type : {DType::c128, DType::c64})
    for (const bool centred : {false, true})
      for (const auto& axes :
           std::vector<std::vector<int>>{{0}, {1}, {2}, {3}, {0, 1}, {1, 2}, {0, 1, 2}, {3, 0}, {1, 2, 3}}) {
        const Array x = a.cast(type);
        const FftOptions options{.norm = FftNorm::unitary, .centred = centred};
        const Array there = fft(x.to(Device::cuda()), axes, options);
        EXPECT_EQ(there.device(), Device::cuda());
        EXPECT_LT(distance(there.to(Device::cpu()), fft(x, axes, options)), type == DType::c128 ? tight : tight_single);
      }
}
