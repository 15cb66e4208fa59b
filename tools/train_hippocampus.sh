#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains the shipped hippocampus model: curation, 5-fold cross-validation by person, its evaluation, the ensemble. On a
# GPU it fits ten minutes after the build (five times `train.budget` of the configuration, and the evaluation).
#
#   tools/train_hippocampus.sh DATA OUT [CONFIG]
#
# DATA holds images/ and labels/. A PyTorch 2.x that python3 finds is used (its CUDA too), else Debian's libtorch.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $# -ge 2 ]] || { sed -n '3,9s/^# \{0,1\}//p' "$0"; exit 2; }
data=$1 out=$2 config=${3:-examples/seg/hippocampus.yaml}
prefix=$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)' 2> /dev/null || true)
build=build/train
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLARMOR_WEB=OFF -DLARMOR_TESTS=OFF -DLARMOR_BENCH=OFF \
  ${prefix:+-DCMAKE_PREFIX_PATH="$prefix"}
cmake --build "$build" --target larmor larmor_torch
larmor=$build/bin/larmor
"$larmor" seg curate "$data" -o "$out/curated"
"$larmor" seg train "$config" --list "$out/curated/clean.csv" --out "$out/training" --fold all
"$larmor" seg evaluate "$out/curated/clean.csv" --training "$out/training" -o "$out/evaluation"
echo "To ship it: cp $out/training/ensemble.safetensors models/hippocampus.safetensors, and the figures of"
echo "$out/evaluation/metrics.json into models/hippocampus.md."
