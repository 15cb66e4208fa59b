// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <larmor/core/cuda_check.cuh>
#include <larmor/core/cuda_runtime.hpp>
#include <larmor/core/error.hpp>

namespace larmor::cuda {
namespace {

__global__ void probe_kernel(int* out) { *out = 1; }

struct Found {
  int devices = 0;
  std::string why_not;
};

std::string version(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

// A device counts when our code can be loaded on it; the count ends at the first that cannot, so indices stay dense.
Found probe() {
  Found found;
  int driver = 0, runtime = 0, count = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  cudaRuntimeGetVersion(&runtime);
  if (driver == 0) {
    cudaGetLastError();
    found.why_not = "no NVIDIA driver on this machine";
    return found;
  }
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    cudaGetLastError();
    if (status == cudaErrorInsufficientDriver)
      found.why_not = "the NVIDIA driver knows CUDA " + version(driver) + ", this program needs " + version(runtime);
    else if (status == cudaErrorNoDevice || status == cudaSuccess)
      found.why_not = "the NVIDIA driver shows no device (CUDA_VISIBLE_DEVICES?)";
    else
      found.why_not = std::string("CUDA does not start: ") + cudaGetErrorString(status);
    return found;
  }
  int before = 0;
  cudaGetDevice(&before);
  for (int i = 0; i < count; ++i) {
    cudaFuncAttributes attributes;
    cudaError_t loads = cudaSetDevice(i);
    if (loads == cudaSuccess) loads = cudaFuncGetAttributes(&attributes, probe_kernel);
    if (loads != cudaSuccess) {
      cudaGetLastError();
      cudaDeviceProp p{};
      cudaGetDeviceProperties(&p, i);
      found.why_not = std::string(p.name) + " (compute capability " + std::to_string(p.major) + "." +
                      std::to_string(p.minor) + ") cannot run this program's kernels: " + cudaGetErrorString(loads);
      break;
    }
    ++found.devices;
  }
  cudaSetDevice(before);
  if (found.devices > 0) found.why_not.clear();
  return found;
}

const Found& found() {
  static const Found once = probe();
  return once;
}

void require(int index) {
  if (index >= 0 && index < device_count()) return;
  throw Error(Errc::device,
              "no CUDA device " + std::to_string(index) + ": " +
                  (device_count() == 0 ? why_not() : std::to_string(device_count()) + " here"),
              "use device cpu");
}

}  // namespace

bool built() { return true; }
int device_count() { return found().devices; }
std::string why_not() { return found().why_not; }

std::string describe(int index) {
  require(index);
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, index), "asking for the device's properties");
  char text[400];
  std::snprintf(text, sizeof text, "%s, compute capability %d.%d, %.1f GB", p.name, p.major, p.minor,
                static_cast<double>(p.totalGlobalMem) / 1e9);
  return text;
}

std::shared_ptr<std::byte> allocate(std::size_t bytes, int index) {
  require(index);
  const OnDevice on(index);
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes ? bytes : 1);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    char text[200];
    std::snprintf(text, sizeof text, "out of memory on cuda:%d: %.1f MB asked for, %.1f of %.1f MB free", index,
                  double(bytes) / 1e6, double(free) / 1e6, double(total) / 1e6);
    throw Error(Errc::numeric, text, "work on fewer volumes at a time, or use device cpu");
  }
  check(status, "allocating memory");
  // No check: at the end of the process the driver may be gone before the last array.
  return {static_cast<std::byte*>(memory), [](std::byte* p) { cudaFree(p); }};
}

void copy(void* to, int to_index, const void* from, int from_index, std::size_t bytes) {
  if (to_index >= 0) require(to_index);
  if (from_index >= 0) require(from_index);
  if (to_index < 0 && from_index < 0) {
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToHost), "copying on the host");
    return;
  }
  const OnDevice on(to_index >= 0 ? to_index : from_index);
  if (to_index >= 0 && from_index >= 0 && to_index != from_index)
    check(cudaMemcpyPeer(to, to_index, from, from_index, bytes), "copying between devices");
  else
    check(cudaMemcpy(to, from, bytes,
                     to_index < 0     ? cudaMemcpyDeviceToHost
                     : from_index < 0 ? cudaMemcpyHostToDevice
                                      : cudaMemcpyDeviceToDevice),
          "copying");
  check(cudaStreamSynchronize(nullptr), "copying");  // copies to a device and within one may return early
}

void zero(void* memory, int index, std::size_t bytes) {
  require(index);
  const OnDevice on(index);
  check(cudaMemset(memory, 0, bytes), "clearing memory");
  check(cudaStreamSynchronize(nullptr), "clearing memory");
}

}  // namespace larmor::cuda
