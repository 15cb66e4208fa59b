#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The NUFFT beside FINUFFT (Python module) and BART (program), where they are installed: the spiral of bench/nufft, 79 arms
# of 825 samples to 300 x 300. Times are of this machine in this minute; only their ratios mean something.
#   tools/race_nufft.sh [build folder]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
python=$(command -v /usr/bin/python3 || command -v python3)
"$build/bin/bench_nufft" spiral

if "$python" -c 'import numpy, finufft' 2> /dev/null; then
  "$python" - <<'PY'
import time
import finufft
import numpy as np
samples, arms, n, batch = 825, 79, 300, 20
t = np.sqrt(np.arange(samples) / samples)
phase = 2 * np.pi * (0.451 * n / arms * t[None] + np.arange(arms)[:, None] / arms)
x = (2 * np.pi * 0.451 * t * np.cos(phase)).astype(np.float32).ravel()
y = (2 * np.pi * 0.451 * t * np.sin(phase)).astype(np.float32).ravel()
c = (np.random.rand(batch, x.size) + 1j * np.random.rand(batch, x.size)).astype(np.complex64)
for threads in (1, 2):
  plan = finufft.Plan(1, (n, n), n_trans=batch, eps=1e-3, isign=1, dtype="complex64", nthreads=threads)
  plan.setpts(x, y)
  times = []
  for _ in range(15):
    start = time.perf_counter()
    plan.execute(c)
    times.append(time.perf_counter() - start)
  print(f"FINUFFT {finufft.__version__}, {threads} threads: adjoint {1e3 * sorted(times)[7]:.2f} ms (best {1e3 * min(times):.2f})")
PY
else
  echo "FINUFFT: not installed"
fi

if command -v bart > /dev/null; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  # BART's own radial trajectory of as many samples; its positions are in cycles/FOV too.
  bart traj -x 825 -y 79 -r "$folder/traj" > /dev/null
  bart scale 0.36 "$folder/traj" "$folder/scaled" > /dev/null
  bart phantom -k -s 8 -t "$folder/scaled" "$folder/kspace" > /dev/null
  for threads in 1 2; do
    start=$(date +%s.%N)
    OMP_NUM_THREADS=$threads bart nufft -a -d 300:300:1 "$folder/scaled" "$folder/kspace" "$folder/image" > /dev/null
    end=$(date +%s.%N)
    echo "BART $(bart version), $threads threads: adjoint of 8 coils, planning and files included: $(echo "1000 * ($end - $start)" | bc -l | cut -d. -f1) ms"
  done
else
  echo "BART: not installed"
fi
