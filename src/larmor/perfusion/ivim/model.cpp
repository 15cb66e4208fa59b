// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/ivim/model.hpp>

namespace larmor::ivim {

void register_ivim_models(Models& registry);  // generated

const Models& models() {
  static const Models all = [] {
    Models m("IVIM model", "larmor list ivim-models");
    register_ivim_models(m);
    return m;
  }();
  return all;
}

}  // namespace larmor::ivim
