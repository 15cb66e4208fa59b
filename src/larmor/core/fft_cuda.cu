// SPDX-License-Identifier: Apache-2.0
#include <cufft.h>

#include <algorithm>
#include <larmor/core/cuda_check.cuh>
#include <larmor/core/fft.hpp>
#include <larmor/core/fft_backend.hpp>
#include <larmor/core/fft_centre.hpp>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace larmor::fft_backend {
namespace {

constexpr int max_rank = 8;  // of the kernels; longer arrays make the way over the host

// Where element e of a contiguous array lies in a strided one, and which factors it takes.
struct Layout {
  int rank = 0;
  long long size = 0;
  long long extent[max_rank], in_stride[max_rank];
  const double2* factor[max_rank];  // on the device, one an index, or nullptr
};

// out[e] = in[strided e] * scale * product of the factors of its indices; with `scatter`, out[strided e] = in[e].
template <class Real, class Real2>
__global__ void copy_scaled(const Real2* in, Real2* out, Layout l, double scale, bool scatter) {
  const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long e = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; e < l.size; e += step) {
    long long rest = e, at = 0;
    double re = scale, im = 0;
    for (int a = 0; a < l.rank; ++a) {
      const long long index = rest % l.extent[a];
      rest /= l.extent[a];
      at += index * l.in_stride[a];
      if (l.factor[a]) {
        const double2 f = l.factor[a][index];
        const double r = re * f.x - im * f.y;
        im = re * f.y + im * f.x, re = r;
      }
    }
    const Real2 x = scatter ? in[e] : in[at];
    Real2 y;
    y.x = static_cast<Real>(re) * x.x - static_cast<Real>(im) * x.y;
    y.y = static_cast<Real>(re) * x.y + static_cast<Real>(im) * x.x;
    out[scatter ? at : e] = y;
  }
}

void launch(DType type, const void* in, void* out, const Layout& l, double scale, bool scatter) {
  constexpr int threads = 256;
  const auto blocks = static_cast<unsigned>(std::min<long long>((l.size + threads - 1) / threads, 65535));
  if (type == DType::c128)
    copy_scaled<double, double2>
        <<<blocks, threads>>>(static_cast<const double2*>(in), static_cast<double2*>(out), l, scale, scatter);
  else
    copy_scaled<float, float2>
        <<<blocks, threads>>>(static_cast<const float2*>(in), static_cast<float2*>(out), l, scale, scatter);
  cuda::check_launch("copying the array of an FFT");
}

Layout layout_of(const Array& a) {
  Layout l;
  l.rank = a.rank(), l.size = a.size();
  for (int i = 0; i < max_rank; ++i) {
    const auto at = static_cast<std::size_t>(i);
    l.extent[i] = i < a.rank() ? a.shape()[at] : 1;
    l.in_stride[i] = i < a.rank() ? a.strides()[at] : 0;
    l.factor[i] = nullptr;
  }
  return l;
}

void check(cufftResult status, const char* what) {
  if (status == CUFFT_SUCCESS) return;
  throw Error(status == CUFFT_ALLOC_FAILED ? Errc::numeric : Errc::device,
              std::string("cuFFT: ") + what + " failed with code " + std::to_string(static_cast<int>(status)),
              status == CUFFT_ALLOC_FAILED ? "the device's memory is full: transform fewer volumes at a time"
                                           : "use device cpu");
}

// One plan: `sizes` with the slowest axis first (cuFFT's order), elements `stride` apart, repeats `distance` apart.
struct Many {
  DType type;
  int device;
  std::vector<long long> sizes;
  long long stride, distance, repeats;
  auto operator<=>(const Many&) const = default;
};

// A handle has one work area, so a plan runs once at a time: the lock is held until the work is queued, and the one
// stream keeps the order.
std::mutex& lock() {
  static std::mutex mutex;
  return mutex;
}

cufftHandle plan_for(const Many& m) {
  static auto& plans = *new std::map<Many, cufftHandle>;  // kept to the end: the driver may go first
  if (const auto known = plans.find(m); known != plans.end()) return known->second;
  if (plans.size() >= 32) {
    for (const auto& [key, old] : plans) cufftDestroy(old);
    plans.clear();
  }
  cufftHandle plan = 0;
  check(cufftCreate(&plan), "making a plan");
  auto sizes = m.sizes;
  std::size_t work = 0;
  const cufftResult made = cufftMakePlanMany64(plan, static_cast<int>(sizes.size()), sizes.data(), sizes.data(),
                                               m.stride, m.distance, sizes.data(), m.stride, m.distance,
                                               m.type == DType::c128 ? CUFFT_Z2Z : CUFFT_C2C, m.repeats, &work);
  if (made != CUFFT_SUCCESS) cufftDestroy(plan);
  check(made, "planning");
  plans.emplace(m, plan);
  return plan;
}

void execute(const Many& m, void* data, bool forward) {
  const cufftHandle plan = plan_for(m);
  const int direction = forward ? CUFFT_FORWARD : CUFFT_INVERSE;
  if (m.type == DType::c128)
    check(cufftExecZ2Z(plan, static_cast<cufftDoubleComplex*>(data), static_cast<cufftDoubleComplex*>(data), direction),
          "running");
  else
    check(cufftExecC2C(plan, static_cast<cufftComplex*>(data), static_cast<cufftComplex*>(data), direction), "running");
}

// In place on a contiguous array.
void transform_axis(Array& out, int axis, bool forward) {
  const long long n = out.extent(axis);
  long long inner = 1, outer = 1;
  for (int i = 0; i < out.rank(); ++i) (i < axis ? inner : outer) *= i == axis ? 1 : out.extent(i);
  const int device = out.device().index;
  if (inner == 1) {
    execute({out.dtype(), device, {n}, 1, n, outer}, out.raw(), forward);
    return;
  }
  if (outer <= 64 || inner >= 1024) {  // few launches, or each long enough to pay for itself
    for (long long o = 0; o < outer; ++o)
      execute({out.dtype(), device, {n}, inner, 1, inner},
              static_cast<std::byte*>(out.raw()) + static_cast<std::size_t>(o * inner * n) * size_of(out.dtype()),
              forward);
    return;
  }
  // Many short lines: turn the axis to the front, transform it in one go, and turn it back.
  std::vector<int> order{axis};
  for (int i = 0; i < out.rank(); ++i)
    if (i != axis) order.push_back(i);
  const Array view = out.permuted(order);
  Array packed = Array::uninitialised(out.dtype(), view.shape(), view.axes(), out.device());
  launch(out.dtype(), view.raw(), packed.raw(), layout_of(view), 1.0, false);
  execute({out.dtype(), device, {n}, 1, n, packed.size() / n}, packed.raw(), forward);
  launch(out.dtype(), packed.raw(), out.raw(), layout_of(view), 1.0, true);
}

struct Factors {
  std::vector<Array> tables;  // on the device; hold them until the kernel has run
  Layout layout;
};
Factors with_phases(const Array& a, std::span<const int> axes, bool forward, fft_centre::Side side) {
  Factors f{{}, layout_of(a)};
  for (const int axis : axes) {
    const auto phases = fft_centre::phases(a.extent(axis), forward, side);
    f.tables.push_back(Array::from<std::complex<double>>(phases, {a.extent(axis)}).to(a.device()));
    f.layout.factor[axis] = static_cast<const double2*>(f.tables.back().raw());
  }
  return f;
}

}  // namespace

void run_cuda_in_place(DType type, int device, const std::vector<long long>& sizes, long long repeats, void* data,
                       bool forward) {
  const cuda::OnDevice on(device);
  const std::lock_guard guard(lock());
  long long points = 1;
  for (const long long n : sizes) points *= n;
  execute({type, device, sizes, 1, points, repeats}, data, forward);
}

Array run_cuda(const Array& a, std::span<const int> axes, bool forward, bool centred, double scale) {
  if (a.rank() > max_rank) {
    const FftOptions options{.norm = FftNorm::none, .centred = centred};
    const Array host = a.to(Device::cpu());
    Array out = forward ? fft(host, axes, options) : ifft(host, axes, options);
    if (scale != 1) fft_centre::multiply(out, out, {}, forward, fft_centre::Side::after, scale, nullptr);
    return out.to(a.device());
  }
  const cuda::OnDevice on(a.device().index);
  Array out = Array::uninitialised(a.dtype(), a.shape(), a.axes(), a.device());
  const std::lock_guard guard(lock());
  {
    const Factors before = with_phases(a, centred ? axes : std::span<const int>{}, forward, fft_centre::Side::before);
    launch(a.dtype(), a.raw(), out.raw(), before.layout, 1.0, false);
    cuda::check_launch("centring", true);
  }
  std::vector<int> sorted(axes.begin(), axes.end());
  std::sort(sorted.begin(), sorted.end());
  const int m = static_cast<int>(sorted.size());
  if (m > 1 && sorted.back() == m - 1) {  // the nearest axes: one plan of rank 2 or 3
    std::vector<long long> sizes;
    long long points = 1;
    for (int i = m - 1; i >= 0; --i) sizes.push_back(out.extent(i)), points *= out.extent(i);
    execute({out.dtype(), out.device().index, sizes, 1, points, out.size() / points}, out.raw(), forward);
  } else {
    for (const int axis : sorted) transform_axis(out, axis, forward);
  }
  if (centred || scale != 1) {
    const Factors after = with_phases(out, centred ? axes : std::span<const int>{}, forward, fft_centre::Side::after);
    launch(out.dtype(), out.raw(), out.raw(), after.layout, scale, false);
    cuda::check_launch("centring", true);
  }
  cuda::check_launch("the transform", true);
  return out;
}

}  // namespace larmor::fft_backend
