#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains the shipped hippocampus model: curation, 5-fold cross-validation by person, its evaluation, the ensemble. The
# folds train side by side on one GPU, so that one prepares its next step while another computes: `train.budget` of the
# configuration is the time of all of them.
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
folds=$(awk -F, 'NR > 1 {print $3}' "$out/curated/clean.csv" | sort -nu)
threads=$(( $(nproc) / $(wc -w <<< "$folds") )); (( threads > 0 )) || threads=1
members=() running=()
for fold in $folds; do
  "$larmor" seg train "$config" --list "$out/curated/clean.csv" --out "$out/training" --fold "$fold" --threads "$threads" \
    > "$out/fold_$fold.log" 2>&1 &
  running+=($!) members+=("$out/training/fold_$fold/last.safetensors")
done
for job in "${running[@]}"; do wait "$job" || { tail -n 3 "$out"/fold_*.log; exit 1; }; done
"$larmor" seg evaluate "$out/curated/clean.csv" --training "$out/training" -o "$out/evaluation"
limit=$(python3 -c "import json; print(json.load(open('$out/evaluation/metrics.json'))['uncertainty']['largest'])")
"$larmor" seg ensemble "${members[@]}" --half --uncertainty-limit "$limit" -o "$out/hippocampus.safetensors"
echo "To ship it: cp $out/hippocampus.safetensors models/, and the figures of $out/evaluation/metrics.json into"
echo "models/hippocampus.md."
