// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <larmor/nodes/categories.hpp>
#include <map>

namespace larmor::nodes {

std::string category_title(std::string_view category) {
  static const std::map<std::string_view, std::string_view> titles{
      {"array", "Arrays"},
      {"asl", "ASL"},
      {"clinic", "Clinic"},
      {"complex", "Complex numbers"},
      {"dce", "DCE"},
      {"dcf", "Density compensation"},
      {"dicom", "DICOM"},
      {"dsc", "DSC"},
      {"fourier", "Fourier"},
      {"image", "Images"},
      {"io", "Files"},
      {"ivim", "IVIM"},
      {"mask", "Masks"},
      {"maps", "Parameter maps"},
      {"math", "Mathematics"},
      {"nn", "Networks"},
      {"nufft", "Non-uniform FFT"},
      {"phantom", "Phantoms"},
      {"phase", "Phase"},
      {"recon", "Reconstruction"},
      {"reduce", "Reductions"},
      {"seg", "Segmentation"},
      {"sim", "Simulation"},
      {"source", "Sources"},
      {"stats", "Statistics"},
      {"t1", "T1 mapping"},
      {"traj", "Trajectories"},
      {"view", "Pictures and plots"},
  };
  if (const auto it = titles.find(category); it != titles.end()) return std::string(it->second);
  std::string out(category);
  std::replace(out.begin(), out.end(), '_', ' ');
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

}  // namespace larmor::nodes
