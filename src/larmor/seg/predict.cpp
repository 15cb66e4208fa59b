// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <larmor/core/nd/mask.hpp>
#include <larmor/nn/unet.hpp>
#include <larmor/seg/parting.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/preprocess.hpp>
#include <larmor/seg/volumetry.hpp>
#include <mutex>
#include <sstream>

namespace larmor::seg {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> model_places() {
  std::vector<fs::path> places;
  if (const char* set = std::getenv("LARMOR_MODELS")) places.emplace_back(set);
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  if (!program.empty()) {
    places.push_back(program / ".." / "share" / "larmor" / "models");
    places.push_back(program / ".." / ".." / "models");  // build/bin of a checkout
  }
  return places;
}
constexpr const char* shipped_name = "hippocampus.safetensors";

}  // namespace

fs::path shipped_model() {
  std::error_code ignored;
  for (const auto& place : model_places())
    if (fs::is_regular_file(place / shipped_name, ignored)) return (place / shipped_name).lexically_normal();
  return {};
}

struct Segmenter::Model {
  fs::path path;
  std::mutex lock;
  bool ready = false;
  std::vector<nn::UNet> members;  // of an ensemble: the mean of their probabilities
  std::array<bool, 3> mirror{};
  std::vector<std::string> classes;
  std::string name;
  std::array<double, 2> volume_range{0, 1e9};  // of all classes together in training [mm3]
  double uncertainty_limit = 1;
  std::optional<Parting> parting;  // of two labels by one plane, when raters drew them so
};

Segmenter::Segmenter() : Segmenter(shipped_model()) {}
Segmenter::Segmenter(fs::path weights) : model_(std::make_shared<Model>()) { model_->path = std::move(weights); }
const fs::path& Segmenter::path() const { return model_->path; }

namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');) out.push_back(part);
  return out;
}
std::vector<double> numbers(const std::map<std::string, std::string>& meta, const std::string& key, std::size_t n) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  std::vector<double> out;
  for (const auto& part : split(it->second)) out.push_back(std::strtod(part.c_str(), nullptr));
  if (out.size() != n)
    throw Error(Errc::format, fmt::format("'{}' of the weights holds {} numbers, {} are needed", key, out.size(), n),
                "give a file written by larmor seg train or larmor seg ensemble");
  return out;
}

}  // namespace

nn::Weights ensemble(const std::vector<nn::Weights>& members) {
  if (members.empty()) throw Error(Errc::usage, "an ensemble of no networks");
  nn::Weights out;
  out.meta = members[0].meta;
  out.meta.erase("sha256");
  out.meta["members"] = std::to_string(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const char* key : {"net", "classes", "mirror"})
      if (members[i].meta.count(key) != out.meta.count(key) ||
          (out.meta.count(key) && members[i].meta.at(key) != out.meta.at(key)))
        throw Error(Errc::format, fmt::format("network {} of the ensemble has another '{}' than the first", i + 1, key),
                    "train all of them with one configuration");
    if (const auto it = members[i].meta.find("parting");  // what the labels of one fold say and of another not
        it == members[i].meta.end() || !out.meta.count("parting") || it->second != out.meta.at("parting"))
      out.meta.erase("parting");
    for (const auto& [name, t] : members[i].tensors) {
      if (name.starts_with("head") && name[4] != '0') continue;  // of training only
      out.tensors[fmt::format("m{}.{}", i, name)] = t;
    }
  }
  return out;
}

void Segmenter::load() const {
  std::lock_guard hold(model_->lock);
  auto& m = *model_;
  if (m.ready) return;
  if (m.path.empty()) {
    std::string places;
    for (const auto& p : model_places()) places += (places.empty() ? "" : ", ") + p.lexically_normal().string();
    throw Error(Errc::file, fmt::format("no segmentation model: {} is in none of {}", shipped_name, places),
                "train one with `larmor seg train` and give its file, or set LARMOR_MODELS to the folder of the model");
  }
  const nn::Weights weights = nn::read_weights(m.path);
  try {
    const auto count = numbers(weights.meta, "members", 1);
    if (count.empty()) {
      m.members.emplace_back(weights);
    } else {
      for (int i = 0; i < static_cast<int>(count[0]); ++i) {
        nn::Weights one;
        one.meta = weights.meta;
        const std::string prefix = fmt::format("m{}.", i);
        for (const auto& [name, t] : weights.tensors)
          if (name.starts_with(prefix)) one.tensors[name.substr(prefix.size())] = t;
        m.members.emplace_back(one);
      }
    }
    if (m.members.empty()) throw Error(Errc::format, "the weights hold no network");
    if (const auto v = numbers(weights.meta, "mirror", 3); !v.empty())
      for (std::size_t a = 0; a < 3; ++a) m.mirror[a] = v[a] != 0;
    if (const auto v = numbers(weights.meta, "volume_range", 2); !v.empty()) m.volume_range = {v[0], v[1]};
    if (const auto v = numbers(weights.meta, "uncertainty_limit", 1); !v.empty()) m.uncertainty_limit = v[0];
    const auto names = weights.meta.find("classes");
    if (names != weights.meta.end()) m.classes = split(names->second);
    const auto n = static_cast<std::size_t>(m.members[0].spec().classes);
    if (m.classes.size() != n) {
      m.classes = {"background"};
      for (std::size_t c = 1; c < n; ++c) m.classes.push_back("class " + std::to_string(c));
    }
    if (const auto it = weights.meta.find("parting"); it != weights.meta.end())
      m.parting = parse_parting(it->second, static_cast<int>(n));
    const auto title = weights.meta.find("name"), sum = weights.meta.find("sha256");
    m.name = fmt::format("{} {}", title == weights.meta.end() ? m.path.stem().string() : title->second,
                         sum == weights.meta.end() ? nn::sha256_of(weights).substr(0, 12) : sum->second.substr(0, 12));
  } catch (Error& e) {
    m.members.clear();
    e.at(m.path.string());
    throw;
  }
  m.ready = true;
}

namespace {

using Size = std::array<int, 3>;

/// Element of the result nearest to that of the image, centred: edges go on.
std::vector<float> padded(const Prepared& image, const Size& to, const std::array<bool, 3>& flip) {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(to[0]) * static_cast<std::size_t>(to[1]) * static_cast<std::size_t>(to[2]));
  const auto from = [&](int i, std::size_t a) {
    const int at = flip[a] ? to[a] - 1 - i : i;
    return std::clamp(at - (to[a] - image.size[a]) / 2, 0, image.size[a] - 1);
  };
  for (int z = 0; z < to[2]; ++z)
    for (int y = 0; y < to[1]; ++y) {
      const auto row = static_cast<std::size_t>((from(z, 2) * image.size[1] + from(y, 1)) * image.size[0]);
      for (int x = 0; x < to[0]; ++x) out.push_back(image.values[row + static_cast<std::size_t>(from(x, 0))]);
    }
  return out;
}

/// Adds the part of `values` (class, voxel) that the image covers to `sum`.
void add_cut(const std::vector<float>& values, const Prepared& image, const Size& from, const std::array<bool, 3>& flip,
             int classes, std::vector<float>& sum) {
  const auto voxels = static_cast<std::size_t>(from[0] * from[1] * from[2]);
  std::size_t to = 0;
  for (int c = 0; c < classes; ++c)
    for (int z = 0; z < image.size[2]; ++z)
      for (int y = 0; y < image.size[1]; ++y)
        for (int x = 0; x < image.size[0]; ++x, ++to) {
          Size at{x, y, z};
          for (std::size_t a = 0; a < 3; ++a) {
            at[a] += (from[a] - image.size[a]) / 2;
            if (flip[a]) at[a] = from[a] - 1 - at[a];
          }
          sum[to] += values[static_cast<std::size_t>(c) * voxels +
                            static_cast<std::size_t>((at[2] * from[1] + at[1]) * from[0] + at[0])];
        }
}

/// Voxels that are not in the largest connected piece become background. Returns pieces of 10 voxels and more.
int keep_largest(Array& labels, std::int64_t& removed) {
  Array mask = Array::of<bool>(labels.shape(), labels.axes());
  const auto l = labels.span<std::uint8_t>();
  auto* m = mask.data<bool>();
  for (std::size_t i = 0; i < l.size(); ++i) m[i] = l[i] != 0;
  const Array pieces = nd::components(mask, nd::Touch::corners);
  const auto p = pieces.span<std::int32_t>();
  std::map<std::int32_t, std::int64_t> sizes;
  for (std::size_t i = 0; i < l.size(); ++i) {
    if (p[i] > 0) ++sizes[p[i]];
    if (p[i] > 1) l[i] = 0, ++removed;
  }
  return static_cast<int>(std::count_if(sizes.begin(), sizes.end(), [](const auto& s) { return s.second >= 10; }));
}

/// Whether a voxel has a neighbour that is outside the image or padding.
bool at_border(const std::array<std::int64_t, 3>& n, const Padding& padding, std::int64_t x, std::int64_t y,
               std::int64_t z) {
  const std::array<std::int64_t, 3> p{x, y, z};
  for (std::size_t a = 0; a < 3; ++a)
    for (const int step : {-1, 1}) {
      auto q = p;
      q[a] += step;
      if (q[a] < 0 || q[a] >= n[a]) return true;
      if (!padding.is.empty() && padding.is[static_cast<std::size_t>((q[2] * n[1] + q[1]) * n[0] + q[0])]) return true;
    }
  return false;
}

/// Crops of training were up to 43 x 59 x 47 mm. What is much larger holds more than its network has learned to tell
/// apart, and moves its norms.
constexpr int widest_crop = 72;

void check_quality(const Image& image, Segmentation& s, const Prepared& ready, int pieces, std::int64_t removed,
                   const std::array<double, 2>& volume_range, double uncertainty_limit) {
  const auto add = [&](std::string id, std::string what, bool serious) {
    s.flags.push_back({std::move(id), std::move(what), serious});
  };
  const auto volumes = label_volumes(s.labels, static_cast<int>(s.classes.size()) - 1);
  double total = 0;
  for (const auto& v : volumes) {
    total += v.mm3;
    if (v.voxels == 0)
      add("missing", fmt::format("no voxel is {}", s.classes[static_cast<std::size_t>(v.label)]), true);
  }
  if (total < volume_range[0] || total > volume_range[1])
    add("size",
        fmt::format("{:.0f} mm3 are outside {:.0f} to {:.0f} mm3, the range of training", total, volume_range[0],
                    volume_range[1]),
        true);
  if (*std::max_element(ready.size.begin(), ready.size.end()) > widest_crop)
    add("field",
        fmt::format("the picture is {} x {} x {} mm, crops of training were about 35 x 50 x 35 mm", ready.size[0],
                    ready.size[1], ready.size[2]),
        true);
  if (pieces > 1)
    add("components", fmt::format("{} separate pieces of 10 voxels or more; {} voxels were removed", pieces, removed),
        removed > 100);
  const auto n = image.grid();
  const auto l = s.labels.data.span<std::uint8_t>();
  const auto u = s.uncertainty.data.span<float>();
  const Array values = image.data.cast(DType::f32).contiguous_copy();
  const auto v = values.span<float>();
  std::int64_t border = 0, inside = 0;
  double unsure = 0, in_sum = 0, out_sum = 0, squares = 0, out_count = 0;
  std::size_t i = 0;
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x, ++i) {
        if (!ready.padding.is.empty() && ready.padding.is[i]) continue;
        if (l[i] == 0) {
          out_sum += v[i], ++out_count, squares += static_cast<double>(v[i]) * v[i];
          continue;
        }
        ++inside;
        unsure += u[i], in_sum += v[i], squares += static_cast<double>(v[i]) * v[i];
        border += at_border(n, ready.padding, x, y, z);
      }
  if (border > 0)
    add("border", fmt::format("{} voxels lie on the border of the image: the crop may cut the hippocampus", border),
        border > 20);
  if (inside == 0) return;
  const double mean_u = s.mean_uncertainty = unsure / static_cast<double>(inside);
  if (mean_u > uncertainty_limit)
    add("uncertain",
        fmt::format("mean uncertainty inside is {:.2f}, in cross-validation it was below {:.2f}", mean_u,
                    uncertainty_limit),
        true);
  const double all = static_cast<double>(inside) + out_count, mean = (in_sum + out_sum) / all;
  const double deviation = std::sqrt(std::max(0.0, squares / all - mean * mean));
  const double contrast =
      std::abs(in_sum / static_cast<double>(inside) - out_sum / std::max(1.0, out_count)) / std::max(deviation, 1e-30);
  if (contrast < 0.02)
    add("contrast", fmt::format("inside and outside differ by {:.3f} of the deviation of the image", contrast), false);
  if (ready.cut_share > 0.02)
    add("intensity",
        fmt::format("{:.1f} % of the voxels have the largest value or nearly so: saturated", 100 * ready.cut_share),
        false);
}

}  // namespace

Segmentation Segmenter::predict(const Image& image, const PredictOptions& options, const Cancel* cancel) const {
  load();
  const Model& model = *model_;
  const Prepared ready = prepare(image, {}, cancel);
  const int classes = model.members[0].spec().classes;
  const auto multiple = model.members[0].spec().multiple();
  Size size{};
  for (std::size_t a = 0; a < 3; ++a) size[a] = (ready.size[a] + multiple[a] - 1) / multiple[a] * multiple[a];
  const auto voxels = ready.values.size();
  std::vector<float> sum(voxels * static_cast<std::size_t>(classes), 0.0f);
  std::vector<std::array<bool, 3>> flips;
  for (int which = 0; which < 8; ++which) {
    const std::array<bool, 3> flip{(which & 1) != 0, (which & 2) != 0, (which & 4) != 0};
    bool wanted = true;
    for (std::size_t a = 0; a < 3; ++a) wanted = wanted && (!flip[a] || (options.mirror && model.mirror[a]));
    if (wanted) flips.push_back(flip);
  }
  // The networks of an ensemble share the mirror images, so that five networks cost five passes and not ten.
  const auto passes = std::max(flips.size(), model.members.size());
  for (std::size_t pass = 0; pass < passes; ++pass) {
    if (cancel) cancel->check();
    const auto& flip = flips[pass % flips.size()];
    auto p = model.members[pass % model.members.size()](padded(ready, size, flip), size, cancel);
    nn::softmax(p, classes);
    add_cut(p, ready, size, flip, classes, sum);
  }
  for (float& p : sum) p /= static_cast<float>(passes);

  const Shape shape{ready.size[0], ready.size[1], ready.size[2], classes};
  Array probabilities =
      back_to(image, ready, Array::from<float>(sum, shape, {"x", "y", "z", "class"}), cancel).contiguous_copy();
  const auto n = static_cast<std::size_t>(image.voxels());
  auto* p = probabilities.data<float>();
  const auto grid = image.grid();
  Array labels = Array::of<std::uint8_t>({grid[0], grid[1], grid[2]}),
        uncertainty = Array::of<float>({grid[0], grid[1], grid[2]});
  auto* l = labels.data<std::uint8_t>();
  auto* u = uncertainty.data<float>();
  for (std::size_t i = 0; i < n; ++i) {
    int best = 0;
    double entropy = 0, total = 0;
    if (!ready.padding.is.empty() && ready.padding.is[i]) {
      for (int c = 0; c < classes; ++c) p[static_cast<std::size_t>(c) * n + i] = c == 0;
      l[i] = 0, u[i] = 0;
      continue;
    }
    for (int c = 0; c < classes; ++c) total += p[static_cast<std::size_t>(c) * n + i];
    for (int c = 0; c < classes; ++c) {
      float& q = p[static_cast<std::size_t>(c) * n + i];
      q = static_cast<float>(q / total);
      if (q > p[static_cast<std::size_t>(best) * n + i]) best = c;
      if (q > 0) entropy -= q * std::log(static_cast<double>(q));
    }
    l[i] = static_cast<std::uint8_t>(best);
    u[i] = static_cast<float>(std::clamp(entropy / std::log(static_cast<double>(classes)), 0.0, 1.0));
  }
  std::int64_t removed = 0;
  const int pieces = options.largest ? keep_largest(labels, removed) : 1;
  if (model.parting && options.plane) part(labels, probabilities, *model.parting, image.affine, ready.affine);
  Segmentation out;
  out.labels = image.like(labels);
  out.probabilities = image.like(probabilities);
  out.uncertainty = image.like(uncertainty);
  out.classes = model.classes;
  out.model = model.name;
  check_quality(image, out, ready, pieces, removed, model.volume_range, model.uncertainty_limit);
  return out;
}

}  // namespace larmor::seg
