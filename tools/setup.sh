#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that Larmor builds with: those that are missing and no others. Says first what it will
# install, uses sudo only when it has to, and is done in a moment when nothing is missing.
set -euo pipefail
packages=(
  g++ cmake ninja-build make ccache lld pkg-config git python3 python3-numpy
  clang-format clang-tidy
  libfmt-dev libspdlog-dev libtbb-dev libfftw3-dev libisal-dev libpng-dev libcairo2-dev zlib1g-dev
  libyaml-cpp-dev nlohmann-json3-dev libxxhash-dev libboost1.74-dev
  libeigen3-dev libceres-dev libdcmtk-dev libismrmrd-dev libhdf5-dev libgtest-dev libgmock-dev
  dcmtk dicom3tools dcm2niix poppler-utils  # judges in tests
  fonts-dejavu-core
  libtorch-dev libopenblas0-pthread
)
# Some machines have node from elsewhere, with which Debian's npm does not go together.
command -v npm > /dev/null || packages+=(nodejs npm)
[[ -x /usr/bin/chromium ]] || packages+=(chromium)  # tests of the web client
if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  echo "make setup: this machine has no apt-get, so nothing was installed. Larmor needs what Debian 12 calls:" >&2
  echo "  ${packages[*]}" >&2
  exit 0  # they may be there under other names: the configure step finds out
fi
# One question about all of them; a package that dpkg has never seen is an error line of its own, and missing.
installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${binary:Package}\n' "${packages[@]}" 2> /dev/null \
  | sed -n 's/^ii *\([^:]*\).*$/\1/p' || true)
missing=()
for p in "${packages[@]}"; do
  [[ $'\n'$installed$'\n' == *$'\n'$p$'\n'* ]] || missing+=("$p")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
sudo=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo > /dev/null; then
    echo "make setup: not root and no sudo. Ask for: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  sudo=(sudo)
fi
echo "make setup: installing with apt-get${sudo:+ (sudo)}: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${sudo[@]}" apt-get update -qq \
  && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
  > "$log" 2>&1; then
  cat "$log" >&2
  echo "make setup: apt-get failed; install these and try again: ${missing[*]}" >&2
  exit 1
fi
