#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains the hippocampus model by self-training inside folds, planned for eight minutes of one GPU:
#
#   curate    the list of cases and five folds by person
#   time      which order of memory is faster on this device (about 30 s on CUDA)
#   teachers  ten networks, each with two folds held out, side by side
#   students  one network a fold and one on everybody, side by side. Each learns from the labels and from what teachers
#             say of an image; those of fold f held out f, and of them an image is taught by the one that did not see it
#   evaluate  everybody, by the student that did not see them
#   ensemble  all six students as one model, 16-bit: 6 x 3.6 MB
#
#   tools/train_hippocampus.sh [--time] DATA OUT [CONFIG]
#
# DATA holds images/ and labels/. Started again with the same OUT it goes on where it was cut off: a stage that is whole is
# not repeated, a training goes on from its last epoch. --time only tells how fast each way to train is. A PyTorch 2.x
# that python3 finds is used (its CUDA too), else Debian's libtorch. From the environment:
#   TEACH=150 LEARN=270   seconds for all teachers and for all students together
#   SHARE=0.5 SOFT=0.4    train.teacher_share and train.label_sd of the students
#   LARMOR=PROGRAM        instead of building one in build/train
set -euo pipefail
cd "$(dirname "$0")/.."
only_time=false
[[ ${1:-} == --time ]] && { only_time=true; shift; }
[[ $# -ge 2 ]] || { sed -n '3,23s/^# \{0,1\}//p' "$0"; exit 2; }
data=$1 out=$2 config=${3:-examples/seg/hippocampus.yaml}
teach=${TEACH:-150} learn=${LEARN:-270} share=${SHARE:-0.5} soft=${SOFT:-0.4}
larmor=${LARMOR:-}
if [[ -z $larmor ]]; then
  prefix=$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)' 2> /dev/null || true)
  build=build/train
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLARMOR_WEB=OFF -DLARMOR_TESTS=OFF -DLARMOR_BENCH=OFF \
    ${prefix:+-DCMAKE_PREFIX_PATH="$prefix"}
  cmake --build "$build" --target larmor larmor_torch
  larmor=$build/bin/larmor
fi
mkdir -p "$out"
list=$out/curated/clean.csv
[[ -f $list ]] || "$larmor" seg curate "$data" -o "$out/curated"
folds=$(awk -F, 'NR > 1 {print $3}' "$list" | sort -nu)

# The fastest of the ways that change nothing but the time: those with the configuration's own batch come first.
if $only_time; then
  exec "$larmor" seg train "$config" --list "$list" --time 4
fi
if [[ ! -f $out/fastest ]]; then
  device=$("$larmor" seg train "$config" --list "$list" --time 2 2>&1 > "$out/ways" | grep -o 'on cuda' || true)
  if [[ -n $device ]]; then
    head -n 2 "$out/ways" | sort -rn | grep -o 'train.channels_last=[a-z]*' | head -n 1 > "$out/fastest"
  else
    echo train.channels_last=false > "$out/fastest"
  fi
fi
fastest=$(< "$out/fastest")

running=() started=()
# train FOLD FOLDER SECONDS [OPTIONS]: in the background, unless it was done before
train() {
  local fold=$1 folder=$2 seconds=$3
  shift 3
  [[ -f $folder/fold_$fold/done ]] && return
  mkdir -p "$folder/fold_$fold"
  "$larmor" seg train "$config" --list "$list" --out "$folder" --fold "$fold" --threads "$threads" \
    --set "$fastest" --set train.keep=last --set "train.budget=$seconds" "$@" > "$folder/fold_$fold/log" 2>&1 &
  running+=($!) started+=("$folder/fold_$fold")
}
finish() {
  local i failed=0
  for i in "${!running[@]}"; do
    if wait "${running[$i]}"; then
      touch "${started[$i]}/done"
    else
      failed=1
      tail -n 3 "${started[$i]}/log"
    fi
  done
  running=() started=()
  (( failed == 0 )) || exit 1
}
share_out() { threads=$(( $(nproc) / $1 )); (( threads > 0 )) || threads=1; }

pairs=()
for f in $folds; do for g in $folds; do (( f < g )) && pairs+=("$f+$g"); done; done
share_out ${#pairs[@]}
for pair in "${pairs[@]}"; do train "$pair" "$out/teachers" "$teach"; done
finish

share_out $(( $(wc -w <<< "$folds") + 1 ))
members=()
for fold in $folds none; do
  teachers=
  for pair in "${pairs[@]}"; do
    [[ $fold == none || +$pair+ == *+$fold+* ]] && teachers+=", $(realpath "$out/teachers/fold_$pair/last.safetensors")"
  done
  train "$fold" "$out/students" "$learn" --set "train.teacher=[${teachers#, }]" --set "train.teacher_share=$share" \
    --set "train.label_sd=$soft"
  members+=("$out/students/fold_$fold/last.safetensors")
done
finish

[[ -f $out/evaluation/metrics.json ]] ||
  "$larmor" seg evaluate "$list" --training "$out/students" -o "$out/evaluation"
limit=$(python3 -c "import json; print(json.load(open('$out/evaluation/metrics.json'))['uncertainty']['largest'])")
"$larmor" seg ensemble "${members[@]}" --half --uncertainty-limit "$limit" -o "$out/hippocampus.safetensors"
echo "To ship it: cp $out/hippocampus.safetensors models/, and the figures of $out/evaluation/metrics.json into"
echo "models/hippocampus.md."
