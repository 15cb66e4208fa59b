// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a model file includes: LARMOR_CURVE_MODEL turns a struct of a few lines (curve_kernel.hpp) into kernels for
// every instruction set (and CUDA), and in one of the objects into the function that gives them.
//
//   LARMOR_CURVE_MODEL(larmor::ivim, biexponential, Biexponential)
//   #if defined(LARMOR_ISA_baseline)
//   void larmor::ivim::register_biexponential(Models& all) { ... .kernels = curve_kernels_biexponential() ... }
//   #endif
#include <larmor/fit/curve_kernel.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>
#endif
#if defined(LARMOR_ISA_baseline)
#include <larmor/fit/curve_fit.hpp>
#endif

#if defined(LARMOR_ISA_baseline)
#define LARMOR_CURVE_SCALAR(M) \
  larmor::fit::fit_curve_tile<M, double, float>, larmor::fit::fit_curve_threads<M>, larmor::fit::curve_signal<M>
#else
#define LARMOR_CURVE_SCALAR(M) nullptr, nullptr, nullptr
#endif
#define LARMOR_CURVE_KERNELS(space, name, M)                                                   \
  namespace space {                                                                            \
  const larmor::fit::CurveKernels* LARMOR_ISA_JOIN(curve_kernels_##name##_, LARMOR_ISA)() {    \
    static constexpr larmor::fit::CurveKernels kernels{                                        \
        larmor::fit::fit_curve_tile<M, larmor::simd::Pack<double>, larmor::simd::Pack<float>>, \
        LARMOR_CURVE_SCALAR(M)};                                                               \
    return &kernels;                                                                           \
  }                                                                                            \
  }

#if defined(__x86_64__)
#define LARMOR_CURVE_WIDE(name)                                 \
  const larmor::fit::CurveKernels* curve_kernels_##name##_v3(); \
  const larmor::fit::CurveKernels* curve_kernels_##name##_v4();
#define LARMOR_CURVE_WIDE_POINTERS(name) curve_kernels_##name##_v3, curve_kernels_##name##_v4
#else
#define LARMOR_CURVE_WIDE(name)
#define LARMOR_CURVE_WIDE_POINTERS(name) nullptr, nullptr
#endif

#if defined(LARMOR_HAS_CUDA)
#define LARMOR_CURVE_CUDA(name)                                                             \
  void fit_curves_cuda_##name(const larmor::fit::CurveTile&, const larmor::fit::LmOptions&, \
                              const larmor::fit::Candidates&, int device);
#define LARMOR_CURVE_CUDA_POINTER(name) fit_curves_cuda_##name
#else
#define LARMOR_CURVE_CUDA(name)
#define LARMOR_CURVE_CUDA_POINTER(name) nullptr
#endif

#if defined(LARMOR_ISA_cuda)
#define LARMOR_CURVE_MODEL(space, name, M)                                                               \
  namespace space {                                                                                      \
  void fit_curves_cuda_##name(const larmor::fit::CurveTile& tile, const larmor::fit::LmOptions& options, \
                              const larmor::fit::Candidates& candidates, int device) {                   \
    const larmor::cuda::OnDevice here(device);                                                           \
    larmor::fit::launch_curves<M>(tile, options, candidates);                                            \
    larmor::cuda::check_launch("the fit", true);                                                         \
  }                                                                                                      \
  }
#elif defined(LARMOR_ISA_baseline)
#define LARMOR_CURVE_MODEL(space, name, M)                                                    \
  LARMOR_CURVE_KERNELS(space, name, M)                                                        \
  namespace space {                                                                           \
  LARMOR_CURVE_WIDE(name)                                                                     \
  LARMOR_CURVE_CUDA(name)                                                                     \
  static const larmor::fit::CurveModelKernels* curve_kernels_##name() {                       \
    static constexpr larmor::fit::CurveModelKernels kernels{curve_kernels_##name##_baseline,  \
                                                            LARMOR_CURVE_WIDE_POINTERS(name), \
                                                            LARMOR_CURVE_CUDA_POINTER(name),  \
                                                            M::n_params,                      \
                                                            M::n_design,                      \
                                                            M::n_covariates};                 \
    return &kernels;                                                                          \
  }                                                                                           \
  }
#else
#define LARMOR_CURVE_MODEL(space, name, M) LARMOR_CURVE_KERNELS(space, name, M)
#endif
