#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# DCE from files to maps on a digital object of about 100,000 voxels: makes it, fits it, compares with the truth.
set -euo pipefail
cd "$(dirname "$0")/.."
larmor=${LARMOR:-build/bin/larmor}
rm -rf demo
start=$(date +%s.%N)
bold='' plain=''
if [[ -t 1 ]]; then bold=$'\033[1m' plain=$'\033[0m'; fi
step() { printf '\n%s$ larmor %s%s\n' "$bold" "$*" "$plain"; "$larmor" "$@" --quiet; }

step dro dce -o demo/object --grid 64,64,32 --snr 100
step dce demo/object/config.yaml demo/object -o demo/maps
step validate demo/maps demo/object/truth
python3 - <<'PY'
import json
s = json.load(open("demo/maps/summary.json"))
print(f"\nfit: {s['voxels']['fitted']:,} voxels at {s['voxels_per_second']:,.0f} voxels/s")
PY
printf 'all of it: %.1f s\nreport: %s\n' "$(awk "BEGIN {print $(date +%s.%N) - $start}")" "$PWD/demo/maps/report.html"
printf 'the same as a graph, in the browser: make studio\n'
