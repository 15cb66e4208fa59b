#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The NUFFT beside FINUFFT (Python module) and BART (program), where they are installed, on the spiral of bench/nufft: 79
# arms of 825 samples to 300 x 300. Times are of this machine in this minute; only their ratios mean something.
#   tools/race_nufft.sh [build folder]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
python=$(command -v /usr/bin/python3 || command -v python3)
"$build/bin/bench_nufft" spiral
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
positions=$folder/positions.f32
"$build/bin/bench_nufft" positions "$positions" > /dev/null

if "$python" -c 'import numpy, finufft' 2> /dev/null; then
  "$python" - "$positions" <<'PY'
import sys
import time
import finufft
import numpy as np
n, batch = 300, 20
x, y = 2 * np.pi / n * np.fromfile(sys.argv[1], np.float32).reshape(2, -1)
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
  # The same positions as BART writes them: (d, sample, arm), complex, in cycles/FOV.
  "$python" - "$positions" "$folder/traj" <<'PY'
import array
import sys
k = array.array("f")
with open(sys.argv[1], "rb") as file:
  k.frombytes(file.read())
n = len(k) // 2
out = array.array("f", bytes(4 * 6 * n))
out[0::6], out[2::6] = k[:n], k[n:]
with open(sys.argv[2] + ".cfl", "wb") as file:
  out.tofile(file)
with open(sys.argv[2] + ".hdr", "w") as file:
  file.write("# Dimensions\n3 825 79 1 1 1 1 1 1 1 1 1 1 1 1 1\n")
PY
  bart phantom -k -s 8 -t "$folder/traj" "$folder/kspace" > /dev/null
  for threads in 1 2; do
    start=$(date +%s.%N)
    OMP_NUM_THREADS=$threads bart nufft -a -d 300:300:1 "$folder/traj" "$folder/kspace" "$folder/image" > /dev/null
    end=$(date +%s.%N)
    echo "BART $(bart version), $threads threads: adjoint of 8 coils, planning and files included: $(echo "1000 * ($end - $start)" | bc -l | cut -d. -f1) ms"
  done
else
  echo "BART: not installed"
fi
