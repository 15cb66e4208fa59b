// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the NUFFT by blocks plans, on any device. Not for others.
#include <larmor/core/cancel.hpp>
#include <larmor/recon/nufft/blocks.hpp>
#include <larmor/recon/nufft/kernel.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <memory>
#include <vector>

namespace larmor::recon::nufft {

/// A view and the memory it points to.
class BlockPlan {
 public:
  /// k        f32 or f64, packed, on the CPU
  /// Errors   Errc::range for a grid of 2^31 cells and more; those of allocate
  BlockPlan(const Array& k, const SpreadKernel& kernel, const Shape& image, const Shape& grid, Device device,
            const Cancel* cancel = nullptr);

  const BlockView& view() const { return view_; }
  Device device() const { return device_; }
  int dims() const { return view_.N[2] == 1 ? 2 : 3; }
  std::size_t bytes() const { return bytes_; }
  /// Of a transform, beside its input and result: the grid and what is added up later.
  std::size_t grid_bytes() const { return static_cast<std::size_t>(view_.cells) * sizeof(BlockComplex); }
  std::size_t partial_bytes() const;

 private:
  template <class T>
  const T* keep(const std::vector<T>& values);

  Device device_;
  BlockView view_{};
  std::size_t bytes_ = 0;
  std::vector<std::shared_ptr<std::byte>> kept_;
};

/// Transforms from samples to images (adjoint) or back, all on the plan's device; `call` holds samples, images, weights
/// and their count, and room for so many grids and partial sums. Returns when the work is queued.
/// Errors   Errc::device
void run_blocks_cuda(const BlockPlan& plan, const BlockCall& call, bool adjoint);
/// Numbers at first, first + step ... of memory on the device, once what is queued before has run.
std::vector<BlockComplex> probe_cuda(Device device, const BlockComplex* first, std::int64_t step, std::int64_t count);

}  // namespace larmor::recon::nufft
