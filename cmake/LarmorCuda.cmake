# SPDX-License-Identifier: Apache-2.0
# The CUDA backend: finds nvcc and the toolkit, teaches CMake 3.25 about CUDA C++20, and gives two functions that add
# CUDA sources to a target. Without nvcc it says so, turns LARMOR_CUDA off and leaves the rest to build for the CPU.

find_program(LARMOR_NVCC nvcc
  HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda /opt/cuda PATH_SUFFIXES bin
  DOC "CUDA compiler")
if(NOT LARMOR_NVCC)
  message(WARNING "LARMOR_CUDA is ON, but no nvcc was found (looked on PATH, in CUDA_HOME and in /usr/local/cuda). "
    "Going on without CUDA; install the CUDA toolkit or pass -DLARMOR_NVCC=/path/to/nvcc.")
  set(LARMOR_CUDA OFF)
  return()
endif()

if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${LARMOR_NVCC})
endif()
if(NOT CMAKE_CUDA_HOST_COMPILER)
  set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
endif()
# Machine code for 9.0 and its PTX, which newer devices compile on first use. "native" needs a device to configure.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "CUDA architectures (90: compute capability 9.0 and its PTX)")
endif()
enable_language(CUDA)

# CMake 3.25 knows CUDA dialects up to C++17; nvcc 12 and later take C++20.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0)
    message(FATAL_ERROR "nvcc ${CMAKE_CUDA_COMPILER_VERSION} has no C++20: install CUDA 12.0 or newer, or configure "
      "with -DLARMOR_CUDA=OFF")
  endif()
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_COMPILE_FEATURES cuda_std_20)
  list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
  list(REMOVE_DUPLICATES CMAKE_CUDA_COMPILE_FEATURES)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)

find_package(CUDAToolkit REQUIRED)
message(STATUS "CUDA ${CUDAToolkit_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")

# Flags every CUDA source needs: constexpr functions of the host (std::array, lane headers) run on the device too, and
# the warnings about generated code that nobody wrote are left out.
set(LARMOR_CUDA_OPTIONS --expt-relaxed-constexpr --extended-lambda -Wno-deprecated-gpu-targets -Xcompiler=-Wall
  -Xcompiler=-Wno-unused-function -Xcudafe=--display_error_number)

# larmor_cuda_sources(<target> <folder or .cu file>...): adds the .cu files (a folder is not searched deeper) and
# defines LARMOR_HAS_CUDA in every source of the target.
function(larmor_cuda_sources target)
  set(sources "")
  foreach(item ${ARGN})
    get_filename_component(path ${item} ABSOLUTE)
    if(IS_DIRECTORY ${path})
      file(GLOB found CONFIGURE_DEPENDS ${path}/*.cu)
      list(APPEND sources ${found})
    else()
      list(APPEND sources ${path})
    endif()
  endforeach()
  target_sources(${target} PRIVATE ${sources})
  larmor_cuda_target(${target})
endfunction()

# larmor_cuda_isa_sources(<target> <file.cpp>...): compiles ordinary sources once more as CUDA, as the level `cuda` beside
# the instruction sets of larmor_isa_sources: LARMOR_ISA=cuda and LARMOR_ISA_cuda=1 are defined in them.
function(larmor_cuda_isa_sources target)
  foreach(item ${ARGN})
    get_filename_component(path ${item} ABSOLUTE)
    get_filename_component(stem ${item} NAME_WE)
    set(out ${CMAKE_BINARY_DIR}/generated/cuda/${target}/${stem}.cu)
    file(CONFIGURE OUTPUT ${out} CONTENT "// Generated: ${stem}, compiled for CUDA.\n#include \"${path}\"\n" @ONLY)
    set_source_files_properties(${out} TARGET_DIRECTORY ${target} PROPERTIES
      COMPILE_DEFINITIONS "LARMOR_ISA=cuda;LARMOR_ISA_cuda=1" OBJECT_DEPENDS ${path})
    target_sources(${target} PRIVATE ${out})
  endforeach()
  larmor_cuda_target(${target})
endfunction()

# What a target with CUDA sources needs, once.
function(larmor_cuda_target target)
  get_target_property(done ${target} LARMOR_CUDA_TARGET)
  if(done)
    return()
  endif()
  set_target_properties(${target} PROPERTIES LARMOR_CUDA_TARGET ON CUDA_SEPARABLE_COMPILATION OFF)
  target_compile_definitions(${target} PRIVATE LARMOR_HAS_CUDA=1)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:${LARMOR_CUDA_OPTIONS}>")
  target_link_libraries(${target} PUBLIC CUDA::cudart_static)
endfunction()
