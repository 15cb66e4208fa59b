#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains the networks of voxels and prints one table of all methods of IVIM on the same simulated signals, beside the
# least possible error. Pictures and a report in build/ivim.
set -euo pipefail
cd "$(dirname "$0")/.."
larmor=build/bin/larmor
out=build/ivim
mkdir -p "$out"
$larmor ivim train "$out/posterior.safetensors" -q
$larmor ivim train "$out/optim.safetensors" --kind optim --epochs 200 -q
$larmor ivim train "$out/optim-norm-dropout.safetensors" --kind optim --epochs 200 --batch-norm --dropout 0.1 -q
$larmor ivim train "$out/original.safetensors" --kind original -q
$larmor ivim train "$out/original-restarts.safetensors" --kind original --restarts 5 --epochs 100 -q
$larmor ivim evaluate "$out/posterior.safetensors" "$out/optim.safetensors" "$out/optim-norm-dropout.safetensors" \
  "$out/original.safetensors" "$out/original-restarts.safetensors" \
  --samples "${SAMPLES:-50000}" --repeats 3 -o "$out/comparison"
