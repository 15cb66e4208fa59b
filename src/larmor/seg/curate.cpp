// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/hash.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/seg/curate.hpp>
#include <larmor/seg/folds.hpp>
#include <larmor/seg/volumetry.hpp>
#include <map>
#include <set>

namespace larmor::seg {
namespace fs = std::filesystem;
namespace {

bool is_nifti(const std::string& name) { return name.ends_with(".nii") || name.ends_with(".nii.gz"); }

std::string stem_of(const std::string& name) {
  const auto at = name.rfind(".nii");
  return is_nifti(name) ? name.substr(0, at) : name;
}

std::vector<fs::path> files_of(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw Error(Errc::file, fmt::format("no folder called {}", folder.string()),
                "images lie in <folder>/images and labels in <folder>/labels, or give --images and --labels");
  std::vector<fs::path> out;
  for (const auto& e : fs::directory_iterator(folder))
    if (!e.is_directory()) out.push_back(e.path());
  std::sort(out.begin(), out.end());
  return out;
}

double median_of(std::vector<double> v) {
  if (v.empty()) return 0;
  const auto half = static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), v.begin() + half, v.end());
  const double upper = v[static_cast<std::size_t>(half)];
  return v.size() % 2 == 1 ? upper : 0.5 * (upper + *std::max_element(v.begin(), v.begin() + half));
}

void examine_labels(const Image& image, const Image& label, const CurateOptions& options, CaseFacts& out) {
  const auto complain = [&](std::string id, std::string what) {
    out.complaints.push_back({std::move(id), std::move(what)});
  };
  if (label.data.shape() != image.data.shape()) {
    complain("shape", fmt::format("the image is {}, the label {}", to_string(image.data.shape()),
                                  to_string(label.data.shape())));
    return;
  }
  double apart = 0;
  const auto n = image.grid();
  for (int corner = 0; corner < 8; ++corner) {
    std::array<double, 3> at{};
    for (std::size_t a = 0; a < 3; ++a) at[a] = (corner >> a) & 1 ? static_cast<double>(n[a] - 1) : 0;
    const auto p = image.affine.apply(at[0], at[1], at[2]), q = label.affine.apply(at[0], at[1], at[2]);
    apart = std::max(apart, std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
  }
  if (!(apart <= options.affine_mm)) {
    const auto a = image.affine.spacing(), b = label.affine.spacing();
    complain("affine",
             fmt::format(
                 "image and label lie {:.3g} mm apart; voxels {:.3g} x {:.3g} x {:.3g} and {:.3g} x {:.3g} x {:.3g} mm",
                 apart, a[0], a[1], a[2], b[0], b[1], b[2]));
  }
  try {
    const auto volumes = label_volumes(label, options.highest_label);
    int present = 0;
    for (const auto& v : volumes) out.mm3.push_back(v.mm3), present += v.voxels > 0;
    if (present == 0)
      complain("empty", "no voxel is labelled");
    else if (present < options.highest_label)
      complain("one_class", fmt::format("{} of {} labels occur", present, options.highest_label));
  } catch (const Error& e) {
    complain("labels", e.message());
  }
}

CaseFacts examine(const CaseFiles& files, const ReadImage& read, const CurateOptions& options) {
  CaseFacts out;
  out.files = files;
  const auto complain = [&](std::string id, std::string what) {
    out.complaints.push_back({std::move(id), std::move(what)});
  };
  const auto open = [&](const fs::path& path, Image& to) {
    if (!is_nifti(path.filename().string()) || path.filename().string().starts_with(".")) {
      complain("unreadable", fmt::format("{} is not named as a NIfTI file", path.filename().string()));
      return false;
    }
    try {
      to = read(path);
      return true;
    } catch (const Error& e) {
      complain("unreadable", fmt::format("{}: {}", path.filename().string(), e.message()));
      return false;
    }
  };
  Image image, label;
  const bool has_image = !files.image.empty() && open(files.image, image);
  const bool has_label = !files.label.empty() && open(files.label, label);
  if (files.image.empty()) complain("no_image", fmt::format("label {} has no image", files.label.filename().string()));
  if (files.label.empty() && out.complaints.empty())
    complain("no_label", fmt::format("image {} has no label", files.image.filename().string()));
  try {
    out.person = person_of(files.name, options.persons);
  } catch (const Error& e) {
    complain("unreadable", e.message());
  }
  if (!has_image) return out;
  out.size = image.grid();
  out.spacing = image.affine.spacing();
  if (image.data.rank() != 3) {
    complain("dimensions", fmt::format("the image is {}, not 3-D", to_string(image.data.shape())));
    return out;
  }
  for (std::size_t a = 0; a < 3; ++a)
    if (out.size[a] < options.smallest[a] || out.size[a] > options.largest[a]) {
      complain("dimensions", fmt::format("the image has {} voxels; {} to {} a side are crops of a hippocampus",
                                         to_string(image.data.shape()), options.smallest[a], options.largest[a]));
      break;
    }
  const Array values = image.data.cast(DType::f32).contiguous_copy();
  std::vector<double> finite;
  std::int64_t bad = 0;
  for (const float v : values.span<float>()) std::isfinite(v) ? finite.push_back(v) : void(++bad);
  if (bad > 0) complain("nan", fmt::format("{} of {} voxels are NaN or infinite", bad, values.size()));
  if (!finite.empty()) {
    out.lowest = *std::min_element(finite.begin(), finite.end());
    out.highest = *std::max_element(finite.begin(), finite.end());
    out.median = median_of(finite);
    if (out.lowest == out.highest) complain("constant", fmt::format("every voxel is {:.4g}", out.lowest));
  }
  const auto span = values.span<float>();
  out.digest = Sha256().add(span.data(), span.size_bytes()).hex();
  if (has_label) examine_labels(image, label, options, out);
  return out;
}

/// Distance from the median in robust deviations, signed.
struct Robust {
  double centre = 0, deviation = 1;
  explicit Robust(const std::vector<double>& v, double floor) {
    centre = median_of(v);
    std::vector<double> away;
    for (const double x : v) away.push_back(std::abs(x - centre));
    deviation = std::max(1.4826 * median_of(away), floor);
  }
  double of(double x) const { return (x - centre) / deviation; }
};

}  // namespace

std::vector<CaseFiles> find_cases(const fs::path& images, const fs::path& labels) {
  std::map<std::string, CaseFiles> all;
  const auto place = [&](const fs::path& file, bool label) {
    std::string name = stem_of(file.filename().string());
    if (label)
      for (const char* ending : {"_seg", "_label", "_labels", "_mask"})
        if (name.size() > std::string(ending).size() && name.ends_with(ending)) {
          name.resize(name.size() - std::string(ending).size());
          break;
        }
    auto& c = all[name];
    c.name = name;
    auto& at = label ? c.label : c.image;
    if (at.empty())
      at = file;
    else  // x.nii beside x.nii.gz
      all[file.filename().string()] = {file.filename().string(), label ? fs::path() : file, label ? file : fs::path()};
  };
  for (const auto& f : files_of(images)) place(f, false);
  for (const auto& f : files_of(labels)) place(f, true);
  if (all.empty()) throw Error(Errc::file, fmt::format("{} and {} hold no files", images.string(), labels.string()));
  std::vector<CaseFiles> out;
  for (auto& [name, c] : all) out.push_back(std::move(c));
  return out;
}

std::vector<CaseFacts> curate(const std::vector<CaseFiles>& cases, const ReadImage& read, const CurateOptions& options,
                              const Progress& progress, const Cancel* cancel) {
  std::vector<CaseFacts> out(cases.size());
  progress.begin("reading images and labels", cases.size());
  parallel_for(
      cases.size(), 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) out[i] = examine(cases[i], read, options), progress.add(1);
      },
      cancel);
  progress.end();
  std::map<std::string, std::string> seen;  // the first by name stays
  for (auto& f : out) {
    if (f.digest.empty()) continue;
    const auto [it, first] = seen.emplace(f.digest, f.files.name);
    if (!first) f.complaints.push_back({"duplicate", fmt::format("the same image as {}", it->second)});
  }
  std::vector<double> size, share;
  const auto total = [](const CaseFacts& f) {
    double t = 0;
    for (const double v : f.mm3) t += v;
    return t;
  };
  for (const auto& f : out)
    if (f.clean()) size.push_back(std::log(total(f))), share.push_back(f.mm3[0] / total(f));
  if (size.size() < 5) return out;  // too few to say what is usual
  const Robust by_size(size, 0.05), by_share(share, 0.05);
  for (auto& f : out) {
    if (!f.clean()) continue;
    const double a = by_size.of(std::log(total(f))), b = by_share.of(f.mm3[0] / total(f));
    if (std::abs(a) > options.outlier)
      f.complaints.push_back(
          {"size",
           fmt::format("{:.0f} mm3 are {:.1f} robust deviations from the median of {:.0f} mm3: another organ or scale",
                       total(f), a, std::exp(by_size.centre))});
    else if (std::abs(b) > options.ratio)
      f.complaints.push_back(
          {"size", fmt::format("label 1 is {:.0f} % of all, {:.1f} robust deviations from the median of {:.0f} %",
                               100 * f.mm3[0] / total(f), b, 100 * by_share.centre)});
  }
  return out;
}

}  // namespace larmor::seg
