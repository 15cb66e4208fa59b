// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/labelling.hpp>

namespace larmor::asl {

void register_labellings(Labellings& registry);  // generated

const Labellings& labellings() {
  static const Labellings all = [] {
    Labellings m("labelling", "larmor list labellings");
    register_labellings(m);
    return m;
  }();
  return all;
}

double signal_time(const Labelling& labelling, double LD, double PLD) {
  return labelling.PLD_from_end ? LD + PLD : PLD;
}

double consensus_factor(const Labelling& labelling, double LD, double time, double efficiency, double T1_blood) {
  if (!(LD > 0) || !std::isfinite(LD))
    throw Error(Errc::range, fmt::format("a labelling duration of {} s", LD),
                "give LD > 0 [s]; for PASL the time of the bolus cut-off (TI1)");
  if (!(efficiency > 0 && efficiency <= 1))
    throw Error(Errc::range, fmt::format("a labelling efficiency of {}", efficiency), "give one above 0, at most 1");
  if (!(T1_blood > 0) || !std::isfinite(T1_blood))
    throw Error(Errc::range, fmt::format("a T1 of blood of {} s", T1_blood), "give T1 > 0 [s] (1.65 at 3 T)");
  constexpr double per_mL = 1e3;  // mL/(g s) to mm3/(g s)
  if (labelling.model == "asl.pcasl")
    return per_mL * std::exp((time - LD) / T1_blood) / (2 * efficiency * T1_blood * (1 - std::exp(-LD / T1_blood)));
  return per_mL * std::exp(time / T1_blood) / (2 * efficiency * LD);
}

double consensus_CBF(const Labelling& labelling, double difference, double LD, double time, double efficiency,
                     double T1_blood) {
  return difference * consensus_factor(labelling, LD, time, efficiency, T1_blood);
}

}  // namespace larmor::asl
