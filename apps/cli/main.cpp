// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

int main() {
  std::puts("larmor " LARMOR_VERSION);
  return 0;
}
