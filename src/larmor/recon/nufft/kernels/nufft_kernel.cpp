// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/recon/nufft/kernels/single.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {
namespace {

template <int D, int V>
constexpr Kernels kernels{slab_adjoint_of<D, V>, slab_forward_of<D, V>, columns_adjoint<D, V, Together>,
                          columns_forward<D, V, Together>, V};
template <int D, int V>
constexpr Kernels single{single_slab_adjoint<D, V>, single_slab_forward<D, V>, columns_adjoint<D, V, Alone>,
                         columns_forward<D, V, Alone>, V};

template <int V>
const Kernels* of_dims(int dims) {
  return dims == 2 ? &kernels<2, V> : &kernels<3, V>;
}

}  // namespace
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft

/// Null for more lanes than a register of this instruction set has.
extern "C" const larmor::recon::nufft::Kernels* LARMOR_ISA_JOIN(larmor_nufft_kernels_, LARMOR_ISA)(int dims,
                                                                                                   int lanes) {
  using namespace larmor::recon::nufft;
  switch (lanes) {
    case 1:
#if LARMOR_VECTOR_BYTES >= 64
      // Sixteen lines side by side gain 10 % in 3D; those of 2D are longer and leave the first cache.
      return dims == 2 ? &single<2, 8> : &single<3, 16>;
#elif LARMOR_VECTOR_BYTES >= 32
      return dims == 2 ? &single<2, 8> : &single<3, 8>;
#else
      return dims == 2 ? &single<2, 4> : &single<3, 4>;
#endif
    case 4:
      return of_dims<4>(dims);
#if LARMOR_VECTOR_BYTES >= 32
    case 8:
      return of_dims<8>(dims);
#endif
    default:
      return nullptr;
  }
}
