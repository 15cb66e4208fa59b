// SPDX-License-Identifier: Apache-2.0
// Registries that are declared and not filled yet; each line goes when its room defines the function.
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/model.hpp>
#include <larmor/perfusion/dce/t1.hpp>

namespace larmor::dce {
[[gnu::weak]] const Models& models() {
  static const Models none("model", "larmor list models");
  return none;
}
[[gnu::weak]] const Fitters& fitters() {
  static const Fitters none("fitter", "larmor list fitters");
  return none;
}
[[gnu::weak]] const T1Methods& t1_methods() {
  static const T1Methods none("T1 method", "larmor list t1");
  return none;
}
}  // namespace larmor::dce
