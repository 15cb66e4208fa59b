// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/plan.hpp>

extern "C" {
const larmor::recon::nufft::Kernels* larmor_nufft_kernels_baseline(int dims, int lanes);
#if defined(__x86_64__)
const larmor::recon::nufft::Kernels* larmor_nufft_kernels_v3(int dims, int lanes);
const larmor::recon::nufft::Kernels* larmor_nufft_kernels_v4(int dims, int lanes);
#endif
}

namespace larmor::recon::nufft {

const Kernels& kernels_for(int dims, int lanes) {
#if defined(__x86_64__)
  const Isa level = isa();
  const auto* found = level == Isa::v4   ? larmor_nufft_kernels_v4(dims, lanes)
                      : level == Isa::v3 ? larmor_nufft_kernels_v3(dims, lanes)
                                         : larmor_nufft_kernels_baseline(dims, lanes);
#else
  const auto* found = larmor_nufft_kernels_baseline(dims, lanes);
#endif
  if (!found) throw Error(Errc::internal, fmt::format("NUFFT: no kernel of {} lanes", lanes));
  return *found;
}

int most_lanes() {
#if defined(__x86_64__)
  // Sixteen fill a register of AVX-512, but then a line no longer fits the first cache: 30 % more time a transform.
  return isa() == Isa::baseline ? 4 : 8;
#else
  return 4;
#endif
}

namespace {

// So many transforms go one after the other. On the spiral of bench/nufft one alone takes 0.75 ms, and twenty side by
// side (two groups of eight, one of four) 11.7 ms.
constexpr std::int64_t alone = 3;

/// A block of the pool that goes back by itself.
class Borrowed {
 public:
  Borrowed(const Pool& pool, std::size_t bytes) : pool_(pool), bytes_(bytes), memory_(pool.take(bytes)) {}
  ~Borrowed() { pool_.give(bytes_, std::move(memory_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  float* get() const { return reinterpret_cast<float*>(memory_.get()); }

 private:
  const Pool& pool_;
  std::size_t bytes_;
  std::shared_ptr<std::byte> memory_;
};

/// Lanes of the next group when `left` transforms are left: a narrow register costs more a lane, an idle lane all.
int lanes_for(std::int64_t left, int most) {
  int lanes = most;
  if (left <= alone) return 1;
  while (lanes > 4 && left <= lanes / 2) lanes /= 2;
  return lanes;
}

void run_slabs(const Nufft::Plan& plan, const Group& group, float* middle, bool adjoint, const Cancel* cancel) {
  const Kernels& kernels = kernels_for(plan.dims, group.lanes);
  parallel_for(
      plan.slabs.size(), 1,
      [&](std::size_t begin, std::size_t end) {
        const Borrowed slab(plan.pool, plan.slab_bytes(group.lanes)), lines(plan.pool, plan.line_bytes(group.lanes));
        for (std::size_t s = begin; s < end; ++s) {
          const Slab &here = plan.slabs[s], &before = plan.slabs[s == 0 ? plan.slabs.size() - 1 : s - 1];
          const SlabRun run{.layout = &plan.layout,
                            .group = group,
                            .first = here.first,
                            .last = here.last,
                            .begin = here.begin,
                            .end = here.end,
                            .before_begin = before.border,
                            .before_end = before.end,
                            .slab = slab.get(),
                            .lines = lines.get(),
                            .middle = middle};
          (adjoint ? kernels.slab_adjoint : kernels.slab_forward)(run);
        }
      },
      cancel);
}

void run_columns(const Nufft::Plan& plan, const Group& group, float* middle, bool adjoint, const Cancel* cancel) {
  const Kernels& kernels = kernels_for(plan.dims, group.lanes);
  std::int64_t columns = 1;
  for (int d = 0; d + 1 < plan.dims; ++d) columns *= plan.layout.n[d];
  if (group.lanes == 1) columns = single_columns(plan.layout, kernels.cell_lanes);
  const std::int64_t grain = group.lanes == 1 ? column_block : 4 * column_block;
  parallel_for(
      static_cast<std::size_t>((columns + grain - 1) / grain), 1,
      [&](std::size_t begin, std::size_t end) {
        const Borrowed lines(plan.pool, plan.line_bytes(group.lanes));
        const ColumnRun run{.layout = &plan.layout,
                            .group = group,
                            .begin = static_cast<std::int64_t>(begin) * grain,
                            .end = std::min(columns, static_cast<std::int64_t>(end) * grain),
                            .lines = lines.get(),
                            .middle = middle};
        (adjoint ? kernels.columns_adjoint : kernels.columns_forward)(run);
      },
      cancel);
}

}  // namespace

void run_all(const Nufft::Plan& plan, bool adjoint, const Array& weights, float* samples, float* image,
             std::int64_t batch, const Cancel* cancel) {
  for (std::int64_t done = 0; done < batch;) {
    const int lanes = lanes_for(batch - done, std::min(plan.facts.lanes, most_lanes()));
    const Group group{.lanes = lanes,
                      .active = static_cast<std::int32_t>(std::min<std::int64_t>(lanes, batch - done)),
                      .weights = weights.rank() == 0 ? nullptr : static_cast<const float*>(weights.raw()),
                      .complex_weights = weights.dtype() == DType::c64,
                      .samples = samples + done * plan.n_samples * 2,
                      .sample_stride = plan.n_samples * 2,
                      .image = image + done * plan.n_voxels * 2,
                      .image_stride = plan.n_voxels * 2};
    const Borrowed middle(plan.pool, plan.middle_bytes(lanes));
    if (adjoint) {
      run_slabs(plan, group, middle.get(), true, cancel);
      run_columns(plan, group, middle.get(), true, cancel);
    } else {
      run_columns(plan, group, middle.get(), false, cancel);
      run_slabs(plan, group, middle.get(), false, cancel);
    }
    done += group.active;
  }
}

void run_all_cuda(const Nufft::Plan& plan, bool adjoint, const Array& weights, float* samples, float* image,
                  std::int64_t batch, const Cancel* cancel) {
  const BlockPlan& blocks = *plan.blocks;
  const std::int64_t at_once = std::min<std::int64_t>(plan.facts.lanes, batch);
  const auto copies = static_cast<std::size_t>(at_once);
  const Borrowed grid(plan.pool, copies * blocks.grid_bytes()), partials(plan.pool, copies * blocks.partial_bytes());
  for (std::int64_t done = 0; done < batch; done += at_once) {
    if (cancel) cancel->check();
    run_blocks_cuda(blocks,
                    {.count = static_cast<std::int32_t>(std::min(at_once, batch - done)),
                     .complex_weights = weights.dtype() == DType::c64,
                     .weights = weights.rank() == 0 ? nullptr : static_cast<const float*>(weights.raw()),
                     .samples = reinterpret_cast<BlockComplex*>(samples + 2 * done * plan.n_samples),
                     .grid = reinterpret_cast<BlockComplex*>(grid.get()),
                     .partials = reinterpret_cast<BlockComplex*>(partials.get()),
                     .image = reinterpret_cast<BlockComplex*>(image + 2 * done * plan.n_voxels)},
                    adjoint);
  }
}

}  // namespace larmor::recon::nufft
