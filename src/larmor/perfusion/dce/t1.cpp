// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/t1.hpp>

namespace larmor::dce {

void register_t1_methods(T1Methods&);  // generated from t1/

const T1Methods& t1_methods() {
  static const T1Methods all = [] {
    T1Methods r("T1 method", "larmor list t1");
    register_t1_methods(r);
    return r;
  }();
  return all;
}

}  // namespace larmor::dce
