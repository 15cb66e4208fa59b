#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that Larmor builds with, those that are missing and no others. Safe to run again.
set -euo pipefail
packages=(
  g++ cmake ninja-build make ccache lld pkg-config git python3 python3-numpy
  clang-format clang-tidy
  libfmt-dev libspdlog-dev libtbb-dev libfftw3-dev libisal-dev libpng-dev libcairo2-dev zlib1g-dev
  libcli11-dev libyaml-cpp-dev nlohmann-json3-dev
  libeigen3-dev libceres-dev libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev
  fonts-dejavu-core
)
missing=()
for p in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$p" 2>/dev/null || true)
  [[ "$status" == "install ok installed" ]] || missing+=("$p")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
if ! command -v apt-get > /dev/null; then
  echo "make setup: this machine has no apt-get; install these yourself: ${missing[*]}" >&2
  exit 1
fi
echo "make setup: installing with apt: ${missing[*]}"
sudo=()
[[ $(id -u) -eq 0 ]] || sudo=(sudo)
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
