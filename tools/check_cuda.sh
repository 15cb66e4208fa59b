#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles what is built for CUDA alone: every kernel and every source that asks for LARMOR_HAS_CUDA. Needs nvcc and no
# device; where there is no nvcc it says so and is content. Their objects are kept in build/gpu, so that a second run
# compiles what has changed. Linking and running is what `cmake --preset gpu` and its tests are for.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/gpu
# Where cmake/LarmorCuda.cmake looks; configuring takes a while.
found=
for nvcc in "${CUDACXX:-}" "${CUDA_HOME:-}/bin/nvcc" "${CUDA_PATH:-}/bin/nvcc" "$(command -v nvcc || true)" \
  /usr/local/cuda/bin/nvcc /opt/cuda/bin/nvcc; do
  [[ -x $nvcc && -f $nvcc ]] && found=$nvcc && break
done
if [[ -z $found ]]; then
  echo "cuda: no nvcc here, kernels for CUDA were not compiled"
  exit 0
fi
mkdir -p "$build"
if ! cmake --preset gpu -Wno-dev -DLARMOR_WEB=OFF -DLARMOR_TESTS=OFF -DLARMOR_BENCH=OFF > "$build.log" 2>&1; then
  cat "$build.log"
  exit 1
fi
# src/larmor/ROOM/REST.cpp becomes src/larmor/ROOM/CMakeFiles/TARGET.dir/REST.cpp.o
asking=$(grep -rl --include='*.cpp' LARMOR_HAS_CUDA src |
  sed -E 's#^(src/larmor/[^/]+)/(.*)$#\1/CMakeFiles/[^/]+/\2.o$#' | paste -sd '|')
mapfile -t objects < <(ninja -C "$build" -t targets all | sed -n 's/: CU.*_COMPILER_.*//p; s/: CXX_COMPILER_.*//p' |
  grep -E "\.cu\.o$|^($asking)" | sort -u)
kernels=$(printf '%s\n' "${objects[@]}" | grep -c '\.cu\.o$' || true)
[[ $kernels -gt 0 ]] || { echo "cuda: nvcc is here, but the build has no kernel: see $build.log"; exit 1; }
if ! ninja -C "$build" "${objects[@]}" > "$build.log" 2>&1; then
  grep -A 20 -E '^FAILED|error' "$build.log" | head -n 60
  echo "cuda: something does not compile, see $build.log"
  exit 1
fi
echo "cuda: $kernels kernels and $((${#objects[@]} - kernels)) sources beside them compile"
