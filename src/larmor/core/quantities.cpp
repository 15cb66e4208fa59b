// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/core/units.hpp>

namespace larmor::units {
namespace {

constexpr std::string_view caplex = "OSIPI CAPLEX (Dickie et al., MRM 91:1761, 2024)";
constexpr std::string_view asl = "OSIPI ASL lexicon (Suzuki et al., MRM 91:1743, 2024)";
constexpr std::string_view ivim = "IVIM consensus naming (Le Bihan et al., Radiology 168:497, 1988)";
constexpr std::string_view bids = "DICOM and MR usage";

constexpr Quantity table[] = {
    {"ADC", "ADC", "Apparent diffusion coefficient", "mm2/s", "mm2/s", ivim},
    {"AICc", "AIC_c", "Corrected Akaike information criterion", "1", "1", caplex},
    {"ATT", "ATT", "Arterial transit time", "s", "s", asl},
    {"ATT_GM", "ATT_GM", "Arterial transit time of pure grey matter", "s", "s", asl},
    {"ATT_WM", "ATT_WM", "Arterial transit time of pure white matter", "s", "s", asl},
    {"ATT_a", "ATT_a", "Arrival in the arteries of the voxel", "s", "s", asl},
    {"B0", "B_0", "Main magnetic field", "T", "T", bids},
    {"B1", "B_1^+", "Transmit field, actual / nominal flip angle", "1", "1", bids},
    {"C", "C", "Indicator concentration", "mM", "mM", caplex},
    {"CBF", "CBF", "Cerebral blood flow", "mm3/(g s)", "mL/min/100g", asl},
    {"CBF_GM", "CBF_GM", "Cerebral blood flow of pure grey matter", "mm3/(g s)", "mL/min/100g", asl},
    {"CBF_WM", "CBF_WM", "Cerebral blood flow of pure white matter", "mm3/(g s)", "mL/min/100g", asl},
    {"CBV", "CBV", "Cerebral blood volume", "mm3/g", "mL/100g", caplex},
    {"Ca", "C_a", "Arterial plasma concentration", "mM", "mM", caplex},
    {"D", "D", "Diffusion coefficient", "mm2/s", "mm2/s", ivim},
    {"D_star", "D*", "Pseudo-diffusion coefficient", "mm2/s", "mm2/s", ivim},
    {"E", "E", "Extraction fraction", "1", "1", caplex},
    {"FA", "FA", "Flip angle", "rad", "deg", bids},
    {"Fb", "F_b", "Blood flow", "1/s", "mL/min/100mL", caplex},
    {"Fp", "F_p", "Plasma flow", "1/s", "mL/min/100mL", caplex},
    {"Hct", "Hct", "Haematocrit", "1", "1", caplex},
    {"K2", "K_2", "Leakage of a first pass", "1/s", "1/s", caplex},
    {"Ktrans", "K^trans", "Volume transfer constant", "1/s", "1/min", caplex},
    {"LD", "LD", "Label duration", "s", "s", asl},
    {"M0", "M_0", "Equilibrium signal", "a.u.", "a.u.", bids},
    {"M0_blood", "M_0b", "Equilibrium signal of arterial blood", "a.u.", "a.u.", asl},
    {"MTT", "MTT", "Mean transit time", "s", "s", caplex},
    {"PLD", "PLD", "Post-labelling delay", "s", "s", asl},
    {"PS", "PS", "Permeability - surface area product", "1/s", "mL/min/100mL", caplex},
    {"R1", "R_1", "Longitudinal relaxation rate", "1/s", "1/s", caplex},
    {"R10", "R_10", "Longitudinal relaxation rate before contrast", "1/s", "1/s", caplex},
    {"R2", "R^2", "Coefficient of determination", "1", "1", caplex},
    {"R2_star", "R_2*", "Effective transverse relaxation rate", "1/s", "1/s", caplex},
    {"S", "S", "Signal", "a.u.", "a.u.", caplex},
    {"S0", "S_0", "Baseline signal", "a.u.", "a.u.", caplex},
    {"T1", "T_1", "Longitudinal relaxation time", "s", "s", caplex},
    {"T10", "T_10", "Longitudinal relaxation time before contrast", "s", "s", caplex},
    {"T2", "T_2", "Transverse relaxation time", "s", "ms", bids},
    {"T2_star", "T_2*", "Effective transverse relaxation time", "s", "ms", bids},
    {"TE", "TE", "Echo time", "s", "ms", bids},
    {"TI", "TI", "Inversion time", "s", "ms", bids},
    {"TR", "TR", "Repetition time", "s", "ms", bids},
    {"TTP", "TTP", "Time to peak", "s", "s", caplex},
    {"Ta", "T_a", "Arterial delay", "s", "s", caplex},
    {"Tc", "T_c", "Capillary transit time", "s", "s", caplex},
    {"Te", "T_e", "Extravascular extracellular mean transit time", "s", "s", caplex},
    {"Tmax", "T_max", "Time to the peak of the residue", "s", "s", caplex},
    {"aBV", "aBV", "Arterial blood volume", "1", "mL/100mL", asl},
    {"b", "b", "Diffusion weighting", "s/mm2", "s/mm2", ivim},
    {"delay", "T_a", "Arterial delay", "s", "s", caplex},
    {"f", "f", "Perfusion fraction", "1", "1", ivim},
    {"first_moment", "m_1", "First moment, tissue less input", "s", "s", caplex},
    {"iAUC180", "iAUC_180", "Initial area under the curve, 180 s", "mM s", "mM s", caplex},
    {"iAUC60", "iAUC_60", "Initial area under the curve, 60 s", "mM s", "mM s", caplex},
    {"iAUC90", "iAUC_90", "Initial area under the curve, 90 s", "mM s", "mM s", caplex},
    {"kep", "k_ep", "Reflux rate constant", "1/s", "1/min", caplex},
    {"peak", "C_max", "Peak concentration", "mM", "mM", caplex},
    {"r1", "r_1", "Longitudinal relaxivity", "1/(mM s)", "1/(mM s)", caplex},
    {"r2", "r_2", "Transverse relaxivity", "1/(mM s)", "1/(mM s)", caplex},
    {"rCBF", "rCBF", "Blood flow over that of a reference", "1", "1", caplex},
    {"rCBV", "rCBV", "Blood volume over that of a reference", "1", "1", caplex},
    {"residual_sd", "s", "Standard deviation of the residual", "mM", "mM", caplex},
    {"sigma", "sigma", "Standard deviation of transit times", "s", "s", asl},
    {"ve", "v_e", "Extravascular extracellular volume fraction", "1", "1", caplex},
    {"vb", "v_b", "Blood volume fraction", "1", "1", caplex},
    {"vp", "v_p", "Plasma volume fraction", "1", "1", caplex},
    {"wash_in", "wash-in", "Mean rise, arrival to peak", "mM/s", "mM/s", caplex},
    {"wash_out", "wash-out", "Mean change, peak to end", "mM/s", "mM/s", caplex},
};

}  // namespace

std::span<const Quantity> quantities() { return table; }

const Quantity* find_quantity(std::string_view name) {
  const auto at = std::ranges::find(table, name, &Quantity::name);
  return at == std::end(table) ? nullptr : at;
}

const Quantity& quantity(std::string_view name) {
  if (const Quantity* q = find_quantity(name)) return *q;
  std::vector<std::string> all;
  for (const auto& q : table) all.emplace_back(q.name);
  throw unknown_name("quantity", name, all);
}

std::string display_unit(std::string_view name, std::string_view engine_unit) {
  const Quantity* q = find_quantity(name);
  if (!q || parse(q->engine).dimension != parse(engine_unit).dimension) return std::string(engine_unit);
  return std::string(q->display);
}

}  // namespace larmor::units
