# SPDX-License-Identifier: Apache-2.0
# Build rules every room uses: warnings, registries made by globbing, and per-instruction-set sources.

add_library(larmor_flags INTERFACE)
target_include_directories(larmor_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(larmor_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-psabi -Wno-restrict>
  # Outside the kernels results do not depend on whether the processor fuses; the kernels ask for fused operations.
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<BOOL:$<TARGET_PROPERTY:LARMOR_KERNELS>>>>:-ffp-contract=off>)
target_compile_definitions(larmor_flags INTERFACE LARMOR_VERSION="${PROJECT_VERSION}")
if(LARMOR_SANITIZE)
  target_compile_options(larmor_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined
    -fno-sanitize-recover=all -fno-omit-frame-pointer>)
  target_link_options(larmor_flags INTERFACE -fsanitize=address,undefined)
endif()

# larmor_program(<target>): what every executable needs.
function(larmor_program target)
  if(LARMOR_SANITIZE)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/sanitizer_options.cpp)
  endif()
endfunction()

find_program(LARMOR_LLD ld.lld)
if(LARMOR_LLD)
  add_link_options(-fuse-ld=lld)
endif()
find_program(LARMOR_CCACHE ccache)
if(LARMOR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LARMOR_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${LARMOR_CCACHE})
endif()

if(LARMOR_CUDA)
  include(LarmorCuda)
endif()

# larmor_room(<name> SOURCES ... LINK ...): static library larmor_<name>.
function(larmor_room name)
  cmake_parse_arguments(R "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  if(NOT R_SOURCES)  # a room of headers only, so far
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${name}_empty.cpp CONTENT "// no sources yet\n")
    set(R_SOURCES ${CMAKE_BINARY_DIR}/generated/${name}_empty.cpp)
  endif()
  add_library(larmor_${name} STATIC ${R_SOURCES})
  target_link_libraries(larmor_${name} PUBLIC larmor_flags ${R_LINK} PRIVATE ${R_PRIVATE_LINK})
endfunction()

# larmor_registry(<target> <folder> <namespace> <Registry type> <header> <function> [COMPILE])
#
# Every .cpp below <folder> defines register_<path>(<Registry type>&) in <namespace>, where <path> is the file's path
# below the folder with '_' for '/' and without '.cpp'. The generated file defines <function>(<Registry type>&), which
# calls them all in the order of their paths. COMPILE adds the files to the target too (leave it out where
# larmor_isa_sources compiles them).
function(larmor_registry target folder namespace type header function)
  cmake_parse_arguments(R "COMPILE" "" "" ${ARGN})
  set(root ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${root} ${root}/*.cpp)
  list(SORT files)
  set(declare "")
  set(call "")
  foreach(file IN LISTS files)
    string(REGEX REPLACE "\\.cpp$" "" path ${file})
    string(REPLACE "/" "_" path ${path})
    if(NOT path MATCHES "^[A-Za-z0-9_]+$")
      message(FATAL_ERROR "${folder}/${file}: register_${path} is no C++ name; use letters, digits and _ in file names")
    endif()
    string(APPEND declare "void register_${path}(${type}&);\n")
    string(APPEND call "  register_${path}(registry);\n")
    if(R_COMPILE)
      target_sources(${target} PRIVATE ${root}/${file})
    endif()
  endforeach()
  set(out ${CMAKE_BINARY_DIR}/generated/${function}.cpp)
  file(CONFIGURE OUTPUT ${out} CONTENT
"// SPDX-License-Identifier: Apache-2.0
// Generated from the files of ${folder}/.
#include <${header}>
namespace ${namespace} {
${declare}
void ${function}([[maybe_unused]] ${type}& registry) {
${call}}
}  // namespace ${namespace}
" @ONLY)
  target_sources(${target} PRIVATE ${out})
endfunction()

# Sources compiled once for each instruction set. LARMOR_ISA names the level and LARMOR_ISA_<level> is 1; host-side
# registration lives under LARMOR_ISA_baseline, which every machine has. The wide ones must not emit inline functions of the standard library
# (the linker keeps one copy of those, and it may be the AVX-512 one), so they may include only lane headers.
set(LARMOR_ISA_FLAGS_baseline "-march=x86-64")
set(LARMOR_ISA_FLAGS_v3 "-march=x86-64-v3")
set(LARMOR_ISA_FLAGS_v4 "-march=x86-64-v4;-mprefer-vector-width=512")
# Instrumented kernels at full optimisation with full debug information take minutes a file.
set(LARMOR_KERNEL_OPTIMISATION -O3)
if(LARMOR_SANITIZE)
  set(LARMOR_KERNEL_OPTIMISATION -O1 -g1 -fno-var-tracking-assignments)
endif()
function(larmor_isa_sources target)
  set(levels baseline)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(levels baseline v3 v4)
  endif()
  foreach(source ${ARGN})
    get_filename_component(stem ${source} NAME_WE)
    foreach(level ${levels})
      set(lib ${target}_isa_${level})
      if(NOT TARGET ${lib})
        add_library(${lib} OBJECT)
        set_target_properties(${lib} PROPERTIES LARMOR_KERNELS ON)
        target_link_libraries(${lib} PRIVATE larmor_flags)
        # Lanes are explicit; g++ 12's straight-line vectoriser finds nothing more and crashes on some of them.
        target_compile_options(${lib} PRIVATE ${LARMOR_KERNEL_OPTIMISATION} -fno-math-errno -fno-trapping-math
          -fno-tree-slp-vectorize -ffp-contract=fast -Wno-attributes)
        if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
          target_compile_options(${lib} PRIVATE ${LARMOR_ISA_FLAGS_${level}})
        endif()
        target_compile_definitions(${lib} PRIVATE LARMOR_ISA=${level} LARMOR_ISA_${level}=1)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:${lib}>)
      endif()
      target_sources(${lib} PRIVATE ${source})
    endforeach()
  endforeach()
endfunction()
