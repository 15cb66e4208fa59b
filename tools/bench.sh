#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every bench, with the size, the device and a reference in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
for bench in build/bin/bench_*; do
  [[ -x "$bench" ]] || continue
  echo "== $(basename "$bench")"
  "$bench"
  echo
done
