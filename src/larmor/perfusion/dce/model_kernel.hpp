// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a model file includes: LARMOR_DCE_MODEL turns a struct of a few lines into kernels for every instruction set
// (and CUDA), and in one of the objects into the registry entry. See models/tofts.cpp.
#include <larmor/perfusion/dce/fit_kernel.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/perfusion/dce/fit_kernel_cuda.hpp>
#endif
#if defined(LARMOR_ISA_baseline)
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/kernels.hpp>
#include <larmor/perfusion/dce/model.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {
/// Derived quantities are described in the registry and computed by the struct, in the same order.
template <class M>
void bind_derived(Model& model) {
  constexpr int n = count_derived<M>();
  if (model.derived.size() != n) throw Error(Errc::internal, model.title + ": derived quantities differ in number");
  if constexpr (n > 0)
    for (int k = 0; k < n; ++k)
      model.derived[static_cast<std::size_t>(k)].value = [k](std::span<const double> p) {
        double d[n];
        M::derived(p.data(), d);
        return d[k];
      };
}
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
#endif

#if defined(LARMOR_ISA_baseline)
#define LARMOR_DCE_SCALAR(M)                                                                                \
  {fit_tile<M, false, double, float>, fit_tile<M, true, double, float>}, {curve<M, false>, curve<M, true>}, \
      derived_at<M>
#else
#define LARMOR_DCE_SCALAR(M) {nullptr, nullptr}, {nullptr, nullptr}, nullptr
#endif

#define LARMOR_DCE_KERNELS(name, M)                                                                 \
  namespace larmor::dce {                                                                           \
  const IsaKernels* LARMOR_ISA_JOIN(kernels_##name##_, LARMOR_ISA)() {                              \
    static constexpr IsaKernels kernels{{fit_tile<M, false, simd::Pack<double>, simd::Pack<float>>, \
                                         fit_tile<M, true, simd::Pack<double>, simd::Pack<float>>}, \
                                        LARMOR_DCE_SCALAR(M)};                                      \
    return &kernels;                                                                                \
  }                                                                                                 \
  }

#if defined(__x86_64__)
#define LARMOR_DCE_WIDE(name)              \
  const IsaKernels* kernels_##name##_v3(); \
  const IsaKernels* kernels_##name##_v4();
#define LARMOR_DCE_WIDE_POINTERS(name) kernels_##name##_v3, kernels_##name##_v4
#else
#define LARMOR_DCE_WIDE(name)
#define LARMOR_DCE_WIDE_POINTERS(name) nullptr, nullptr
#endif

#if defined(LARMOR_HAS_CUDA)
#define LARMOR_DCE_CUDA(name) void fit_cuda_##name(const CudaJob& job);
#define LARMOR_DCE_CUDA_POINTER(name) fit_cuda_##name
#else
#define LARMOR_DCE_CUDA(name)
#define LARMOR_DCE_CUDA_POINTER(name) nullptr
#endif

/// LARMOR_DCE_MODEL(name, Struct, registry id, {aliases}, Model description)
#if defined(LARMOR_ISA_cuda)
#define LARMOR_DCE_MODEL(name, M, id, aliases, ...)                     \
  namespace larmor::dce {                                               \
  void fit_cuda_##name(const CudaJob& job) { run_fit_on_cuda<M>(job); } \
  }
#elif defined(LARMOR_ISA_baseline)
#define LARMOR_DCE_MODEL(name, M, id, aliases, ...)                                                            \
  LARMOR_DCE_KERNELS(name, M)                                                                                  \
  namespace larmor::dce {                                                                                      \
  LARMOR_DCE_WIDE(name)                                                                                        \
  LARMOR_DCE_CUDA(name)                                                                                        \
  void register_##name(Models& models) {                                                                       \
    static constexpr FitKernels kernels{                                                                       \
        kernels_##name##_baseline,    LARMOR_DCE_WIDE_POINTERS(name), M::search, has_lag<M>(), is_linear<M>(), \
        LARMOR_DCE_CUDA_POINTER(name)};                                                                        \
    Model model = __VA_ARGS__;                                                                                 \
    model.kernels = [] { return &kernels; };                                                                   \
    bind_derived<M>(model);                                                                                    \
    models.add(id, std::move(model), LARMOR_DCE_LIST aliases);                                                 \
  }                                                                                                            \
  }
#else
#define LARMOR_DCE_MODEL(name, M, id, aliases, ...) LARMOR_DCE_KERNELS(name, M)
#endif
#define LARMOR_DCE_LIST(...) \
  { __VA_ARGS__ }
