#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every tracked C++ and CUDA file is formatted as .clang-format says. `make format` puts right what this finds.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(git ls-files '*.cpp' '*.hpp' '*.cu' '*.cuh')
if ! printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 24 clang-format --dry-run -Werror; then
  echo "format: run make format" >&2
  exit 1
fi
echo "format: ${#files[@]} files, 0 wrong"
