// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <larmor/core/parallel.hpp>
#include <larmor/seg/model.hpp>
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

/// The networks of a file: one, or those of an ensemble, each with what the ensemble says of itself.
std::vector<nn::Weights> networks_of(nn::Weights weights) {
  const auto count = numbers(weights.meta, "members", 1);
  if (count.empty()) return {std::move(weights)};
  std::vector<nn::Weights> each(static_cast<std::size_t>(std::clamp(count[0], 0.0, 1000.0)));
  for (std::size_t i = 0; i < each.size(); ++i) {
    each[i].meta = weights.meta;
    const std::string prefix = fmt::format("m{}.", i);
    for (auto& [name, t] : weights.tensors)
      if (name.starts_with(prefix)) each[i].tensors[name.substr(prefix.size())] = std::move(t);
  }
  return each;
}

}  // namespace

nn::Weights ensemble(const std::vector<nn::Weights>& files) {
  std::vector<nn::Weights> members;  // an ensemble among them gives its networks
  for (const auto& file : files)
    for (auto& network : networks_of(file)) members.push_back(std::move(network));
  if (members.empty()) throw Error(Errc::usage, "an ensemble of no networks");
  nn::Weights out;
  out.meta = members[0].meta;
  for (const char* of_one : {"sha256", "seen", "fold"}) out.meta.erase(of_one);
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
  nn::Weights weights = nn::read_weights(m.path);
  const auto meta = weights.meta;
  const auto told = meta.find("sha256");
  const std::string sum = told == meta.end() ? nn::sha256_of(weights) : told->second;
  try {
    const auto each = networks_of(std::move(weights));
    std::vector<std::optional<nn::UNet>> members(each.size());
    parallel_for(each.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (auto i = begin; i < end; ++i) members[i].emplace(each[i]);
    });
    for (auto& member : members) m.members.push_back(std::move(*member));
    if (m.members.empty()) throw Error(Errc::format, "the weights hold no network");
    if (const auto v = numbers(meta, "mirror", 3); !v.empty())
      for (std::size_t a = 0; a < 3; ++a) m.mirror[a] = v[a] != 0;
    if (const auto v = numbers(meta, "volume_range", 2); !v.empty()) m.usual.volume_range = {v[0], v[1]};
    if (const auto v = numbers(meta, "uncertainty_limit", 1); !v.empty()) m.usual.uncertainty = v[0];
    const auto names = meta.find("classes");
    if (names != meta.end()) m.classes = split(names->second);
    const auto n = static_cast<std::size_t>(m.members[0].spec().classes);
    if (m.classes.size() != n) {
      m.classes = {"background"};
      for (std::size_t c = 1; c < n; ++c) m.classes.push_back("class " + std::to_string(c));
    }
    if (const auto it = meta.find("parting"); it != meta.end())
      m.parting = parse_parting(it->second, static_cast<int>(n));
    const auto title = meta.find("name");
    m.name = fmt::format("{} {}", title == meta.end() ? m.path.stem().string() : title->second, sum.substr(0, 12));
  } catch (Error& e) {
    m.members.clear();
    e.at(m.path.string());
    throw;
  }
  m.ready = true;
}

}  // namespace larmor::seg
