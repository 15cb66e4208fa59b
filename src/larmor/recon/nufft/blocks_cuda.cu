// SPDX-License-Identifier: Apache-2.0
// Kernels around the functions of blocks.hpp.
#include <algorithm>
#include <larmor/core/cuda_check.cuh>
#include <larmor/core/fft_backend.hpp>
#include <larmor/recon/nufft/block_plan.hpp>
#include <vector>

namespace larmor::recon::nufft {
namespace {

template <int D, int C>
__global__ void __launch_bounds__(TileOf<D>::threads) spread_kernel_cuda(BlockView v, BlockCall call) {
  __shared__ SpreadRoom<D, C> room;
  const int t = static_cast<int>(threadIdx.x), first = static_cast<int>(blockIdx.y) * C;
  const Piece piece = v.pieces[blockIdx.x];
  SpreadSums<D, C> sums;
  spread_begin<D, C>(v, t, room, sums);
  for (uint32_t from = piece.begin; from < piece.end; from += block_chunk) {
    __syncthreads();  // the coefficients are there; everybody is done with the samples before
    spread_stage<D, C>(v, call, piece, first, from, t, room);
    __syncthreads();
    spread_add<D, C>(piece, from, t, room, sums);
  }
  spread_write<D, C>(v, call, piece, first, t, sums);
}

template <int D>
__global__ void join_kernel(BlockView v, BlockCall call) {
  const Joint joint = v.joints[blockIdx.x];
  for (int cell = static_cast<int>(threadIdx.x); cell < TileOf<D>::cells; cell += static_cast<int>(blockDim.x))
    join_cell<D>(v, call, joint, static_cast<int>(blockIdx.y), cell);
}

template <int D, int C>
__global__ void interpolate_kernel(BlockView v, BlockCall call) {
  const int64_t j = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (j < v.n_points) interpolate_point<D, C>(v, call, static_cast<int>(blockIdx.y) * C, j);
}

__global__ void crop_kernel(BlockView v, BlockCall call) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < v.voxels) crop_voxel(v, call, static_cast<int>(blockIdx.y), static_cast<int>(i));
}
__global__ void place_kernel(BlockView v, BlockCall call) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < v.cells) place_cell(v, call, static_cast<int>(blockIdx.y), static_cast<int>(i));
}
__global__ void probe_kernel(const BlockComplex* first, int64_t step, int64_t count, BlockComplex* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) out[i] = first[i * step];
}

constexpr unsigned threads = 256;
unsigned blocks_for(int64_t n) { return static_cast<unsigned>((n + threads - 1) / threads); }

template <int D, int C>
void spread(const BlockView& v, const BlockCall& call) {
  const auto groups = static_cast<unsigned>((call.count + C - 1) / C);
  spread_kernel_cuda<D, C><<<dim3(static_cast<unsigned>(v.n_pieces), groups), TileOf<D>::threads>>>(v, call);
  cuda::check_launch("spreading samples");
  if (v.n_joints > 0) {
    join_kernel<D><<<dim3(static_cast<unsigned>(v.n_joints), static_cast<unsigned>(call.count)), threads>>>(v, call);
    cuda::check_launch("adding up tiles");
  }
}

template <int D, int C>
void interpolate(const BlockView& v, const BlockCall& call) {
  constexpr unsigned block = 128;
  const auto groups = static_cast<unsigned>((call.count + C - 1) / C);
  interpolate_kernel<D, C><<<dim3(static_cast<unsigned>((v.n_points + block - 1) / block), groups), block>>>(v, call);
  cuda::check_launch("interpolating samples");
}

template <int D, int C>
void run(const BlockView& v, const BlockCall& call, bool adjoint) {
  adjoint ? spread<D, C>(v, call) : interpolate<D, C>(v, call);
}
template <int D>
void run(const BlockView& v, const BlockCall& call, bool adjoint) {
  if (call.count >= 3)
    run<D, 4>(v, call, adjoint);
  else if (call.count == 2)
    run<D, 2>(v, call, adjoint);
  else
    run<D, 1>(v, call, adjoint);
}

}  // namespace

void run_blocks_cuda(const BlockPlan& plan, const BlockCall& call, bool adjoint) {
  const BlockView& v = plan.view();
  const cuda::OnDevice on(plan.device().index);
  const auto count = static_cast<unsigned>(call.count);
  const auto samples = [&] { plan.dims() == 2 ? run<2>(v, call, adjoint) : run<3>(v, call, adjoint); };
  const auto transform = [&] {
    std::vector<long long> sizes;  // the slowest axis first
    for (int d = plan.dims() - 1; d >= 0; --d) sizes.push_back(v.N[d]);
    fft_backend::run_cuda_in_place(DType::c64, plan.device().index, sizes, call.count, call.grid, !adjoint);
  };
  if (adjoint) {
    samples();
    transform();
    crop_kernel<<<dim3(blocks_for(v.voxels), count), threads>>>(v, call);
    cuda::check_launch("cutting the image out of the grid");
  } else {
    place_kernel<<<dim3(blocks_for(v.cells), count), threads>>>(v, call);
    cuda::check_launch("putting the image into the grid");
    transform();
    samples();
  }
}

std::vector<BlockComplex> probe_cuda(Device device, const BlockComplex* first, std::int64_t step, std::int64_t count) {
  const cuda::OnDevice on(device.index);
  std::vector<BlockComplex> out(static_cast<std::size_t>(count));
  const std::size_t bytes = out.size() * sizeof(BlockComplex);
  const auto there = allocate(bytes, device);
  probe_kernel<<<blocks_for(count), threads>>>(first, step, count, reinterpret_cast<BlockComplex*>(there.get()));
  cuda::check_launch("looking at the result", true);
  copy_bytes(out.data(), Device::cpu(), there.get(), device, bytes);
  return out;
}

}  // namespace larmor::recon::nufft
