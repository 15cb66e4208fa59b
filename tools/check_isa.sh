#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Objects compiled for wide instruction sets must not offer functions that other objects have too: the linker keeps one
# copy, and on an older processor the wide one is an illegal instruction. So: no weak symbol in them whose name lacks
# their level (isa_v3, isa_v4; a strong one that is not their own the linker refuses). Looks at the objects of the build folder given (default: build).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
mapfile -t objects < <(find "$build" -path "$build/*/bin" -prune -o -path '*_isa_v[34].dir/*' -name '*.o' -print | grep -vE "^$build/(dev|sanitize|gpu|ci)/" || true)
if [[ ${#objects[@]} -eq 0 ]]; then
  echo "isa: no objects of wide instruction sets in $build"
  exit 0
fi
bad=0
for object in "${objects[@]}"; do
  level=$(sed -E 's/.*_isa_(v[34])\.dir.*/isa_\1/' <<< "$object")
  weak=$(nm -C --defined-only "$object" | awk '$2 ~ /^[WVu]$/ { $1 = ""; print "   " $0 }' | grep -vw "$level" || true)
  if [[ -n $weak ]]; then
    echo "$object offers inline functions of other headers, compiled for a wide instruction set:"
    echo "$weak" | head -n 5
    bad=$((bad + 1))
  fi
done
echo "isa: ${#objects[@]} objects, $bad wrong"
[[ $bad -eq 0 ]]
