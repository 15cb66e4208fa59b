// SPDX-License-Identifier: Apache-2.0
#include "seg_config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <functional>
#include <larmor/core/parallel.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/table.hpp>
#include <larmor/seg/preprocess.hpp>

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

/// A key: where its value goes, and what it means.
struct Entry {
  std::string path, meaning;
  std::function<void(SegConfig&, const YAML::Node&)> set;
  std::function<std::string(const SegConfig&)> show;
};

template <class T>
std::string shown(const T& v) {
  return fmt::format("{}", v);
}
std::string shown(const bool& v) { return v ? "true" : "false"; }
std::string shown(const fs::path& v) { return v.empty() ? "~" : v.string(); }
std::string shown(const std::vector<fs::path>& v) {
  std::string all;
  for (const auto& p : v) all += (all.empty() ? "" : ", ") + p.string();
  return "[" + all + "]";
}
template <class T, std::size_t n>
std::string shown(const std::array<T, n>& v) {
  return fmt::format("[{}]", fmt::join(v, ", "));
}
template <class T>
std::string shown(const std::vector<T>& v) {
  return fmt::format("[{}]", fmt::join(v, ", "));
}
void read(const YAML::Node& node, fs::path& v) { v = node.as<std::string>(); }
void read(const YAML::Node& node, std::vector<fs::path>& v) {
  v.clear();
  if (node.IsScalar()) v.emplace_back(node.as<std::string>());
  for (const auto& one : node) v.emplace_back(one.as<std::string>());
}
template <class T>
void read(const YAML::Node& node, T& v) {
  v = node.as<T>();
}

template <class Get>
Entry entry(std::string path, std::string meaning, Get get) {
  return {std::move(path), std::move(meaning), [get](SegConfig& c, const YAML::Node& node) { read(node, get(c)); },
          [get](const SegConfig& c) { return shown(get(const_cast<SegConfig&>(c))); }};
}
#define LARMOR_KEY(path, member, meaning) \
  entry(                                  \
      path, meaning, [](SegConfig & c) -> auto& { return c.member; })

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      LARMOR_KEY("data", list, "list of cases, clean.csv of `larmor seg curate`"),
      LARMOR_KEY("out", out, "folder for weights, checkpoints, curves; a run that was cut off goes on"),
      LARMOR_KEY("name", name, "what the model is called in reports"),
      LARMOR_KEY("fold", fold, "held out for validation: a number, 0+1: both; all: every fold in turn; none: nobody"),
      LARMOR_KEY("classes", classes, "names of the labels 0, 1, ..."),
      LARMOR_KEY("net.dims", train.net.dims, "3, or 2 for the planes across x (sagittal)"),
      LARMOR_KEY("net.filters", train.net.filters, "channels of each level"),
      LARMOR_KEY("net.residual", train.net.residual, "blocks add their input"),
      LARMOR_KEY("net.supervised", train.net.supervised, "levels below the first with a loss of their own"),
      LARMOR_KEY("train.patch", train.patch, "size of what the network sees [voxels]"),
      LARMOR_KEY("train.batch", train.batch, "patches of a step"),
      LARMOR_KEY("train.epochs", train.epochs, "passes over the images at most"),
      LARMOR_KEY("train.steps", train.steps, "steps of an epoch; 0: every image once"),
      LARMOR_KEY("train.optimizer", train.optimizer, "adam (decoupled weight decay) or sgd (Nesterov)"),
      LARMOR_KEY("train.rate", train.rate, "learning rate"),
      LARMOR_KEY("train.weight_decay", train.weight_decay, "of convolutions"),
      LARMOR_KEY("train.momentum", train.momentum, "of sgd"),
      LARMOR_KEY("train.schedule", train.schedule, "of the rate: cosine, poly or constant"),
      LARMOR_KEY("train.warm_up", train.warm_up, "linear rise of the rate [epochs]"),
      LARMOR_KEY("train.clip", train.clip, "largest norm of the gradient; 0: none"),
      LARMOR_KEY("train.ema", train.ema, "decay of the mean of the weights that is kept; 0: none"),
      LARMOR_KEY("train.half", train.half, "bfloat16 convolutions on CUDA and on CPUs with matrix tiles (AMX)"),
      LARMOR_KEY("train.channels_last", train.channels_last,
                 "memory order of convolutions on CUDA; changes nothing but the time (--time tells)"),
      LARMOR_KEY("train.dice_weight", train.dice_weight, "of the Dice loss"),
      LARMOR_KEY("train.cross_entropy_weight", train.cross_entropy_weight, "of the cross-entropy"),
      LARMOR_KEY("train.label_smoothing", train.label_smoothing, "share of the labels taken as wrong"),
      LARMOR_KEY("train.robust", train.robust,
                 "q of the cross-entropy (1 - p^q) / q, which forgives wrong labels; 0: the usual one; 0 to 1"),
      LARMOR_KEY("train.label_sd", train.label_sd, "Gaussian that smooths borders of labels, deviation [voxels]"),
      LARMOR_KEY("train.teacher", teacher,
                 "weights of networks that did not see the held-out people; each image by those that did not see it, "
                 "where there are any"),
      LARMOR_KEY("train.teacher_share", train.teacher_share, "of their probabilities in what is learned; 0 to 1"),
      LARMOR_KEY("train.seed", train.seed, "of everything that is random"),
      LARMOR_KEY("train.validate_every", train.validate_every, "[epochs]"),
      LARMOR_KEY("train.keep", train.keep, "best: the epoch that validates best; last: the end of training"),
      LARMOR_KEY("train.patience", train.patience, "validations without a better one until training stops; 0: never"),
      LARMOR_KEY("train.budget", train.budget, "time at most, over all starts; the schedule ends with it; 0: none [s]"),
      LARMOR_KEY("train.device", train.device, "cpu, cuda, cuda:1 ...; auto: cuda when libtorch has it"),
      LARMOR_KEY("augment.rotate", train.augment.rotate, "largest angle about each axis [deg]"),
      LARMOR_KEY("augment.scale", train.augment.scale, "largest relative change of size"),
      LARMOR_KEY("augment.shift", train.augment.shift, "largest shift along each axis [voxels]"),
      LARMOR_KEY("augment.elastic", train.augment.elastic, "deviation of control points [voxels]"),
      LARMOR_KEY("augment.elastic_points", train.augment.elastic_points, "control points along each axis"),
      LARMOR_KEY("augment.spatial_probability", train.augment.spatial_probability, "of rotation, scale and elastic"),
      LARMOR_KEY("augment.mirror", train.augment.mirror, "axes that are mirrored, in training and in prediction"),
      LARMOR_KEY("augment.brightness", train.augment.brightness, "largest offset [deviations]"),
      LARMOR_KEY("augment.contrast", train.augment.contrast, "largest relative change"),
      LARMOR_KEY("augment.gamma", train.augment.gamma, "exponent up to 1 + gamma, down to its inverse"),
      LARMOR_KEY("augment.noise", train.augment.noise, "largest deviation of noise [deviations]"),
      LARMOR_KEY("augment.blur", train.augment.blur, "largest deviation of the Gaussian [voxels]"),
      LARMOR_KEY("augment.intensity_probability", train.augment.intensity_probability, "of each of these four")};
  return all;
}
#undef LARMOR_KEY

void set_key(SegConfig& config, const std::string& key, const YAML::Node& value, const std::string& place) {
  const Entry* found = nullptr;
  std::vector<std::string> names;
  for (const auto& e : entries()) {
    names.push_back(e.path);
    if (e.path == key) found = &e;
  }
  if (!found) throw unknown_name("key", key, names, "all: larmor seg train --defaults").at(place);
  if (value.IsNull()) return;
  try {
    found->set(config, value);
  } catch (const YAML::Exception&) {
    throw Error(Errc::usage, fmt::format("'{}' cannot be {}", key, YAML::Dump(value)),
                fmt::format("{}, as in {}: {}", found->meaning, key, found->show(SegConfig())))
        .at(place);
  }
}

void read_map(SegConfig& config, const YAML::Node& node, const std::string& stem, const std::string& source) {
  for (const auto& item : node) {
    const auto key = stem + item.first.as<std::string>();
    const auto place = fmt::format("{} line {}", source, item.first.Mark().line + 1);
    if (item.second.IsMap())
      read_map(config, item.second, key + ".", source);
    else
      set_key(config, key, item.second, place);
  }
}

}  // namespace

SegConfig read_seg_config(const fs::path& path, const std::vector<std::string>& changes) {
  SegConfig config;
  config.text = io::read_text(path);
  YAML::Node root;
  try {
    root = YAML::Load(config.text);
  } catch (const YAML::Exception& e) {
    throw Error(Errc::usage, fmt::format("{} is no YAML: {}", path.string(), e.what()),
                "compare larmor seg train --defaults");
  }
  if (!root.IsMap()) throw Error(Errc::usage, path.string() + " holds no keys", "compare larmor seg train --defaults");
  read_map(config, root, "", path.string());
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!config.list.empty() && config.list.is_relative()) config.list = folder / config.list;
  if (config.out.is_relative()) config.out = folder / config.out;
  for (auto& file : config.teacher)
    if (file.is_relative()) file = folder / file;
  for (const auto& change : changes) {  // names of files in them are relative to where the command runs
    const auto sign = change.find('=');
    if (sign == std::string::npos)
      throw Error(Errc::usage, fmt::format("--set {} sets nothing", change), "as in --set train.rate=0.001");
    try {
      set_key(config, change.substr(0, sign), YAML::Load(change.substr(sign + 1)), "--set " + change);
    } catch (const YAML::ParserException&) {
      throw Error(Errc::usage, fmt::format("--set {}: the value is no YAML", change),
                  "as in --set 'net.filters=[8, 16]'");
    }
    config.text += "# --set " + change + "\n";
  }
  if (config.train.teacher_share > 0 && config.teacher.empty())
    throw Error(Errc::usage, fmt::format("train.teacher_share is {} without a teacher", config.train.teacher_share),
                "give train.teacher files of weights, or leave the share out")
        .at(path.string());
  config.train.net.classes = static_cast<int>(config.classes.size());
  try {
    config.train.check();
  } catch (Error& e) {
    throw Error(Errc::usage, e.message(), e.advice()).at(path.string());
  }
  return config;
}

std::string default_seg_config() {
  std::string out = "# Configuration of larmor seg train; every key may be left out.\n", section;
  for (const auto& e : entries()) {
    const auto dot = e.path.find('.');
    std::string key = e.path;
    if (dot != std::string::npos) {
      if (e.path.substr(0, dot) != section) out += (section = e.path.substr(0, dot)) + ":\n";
      key = "  " + e.path.substr(dot + 1);
    }
    out += fmt::format("{:<35} # {}\n", key + ": " + e.show(SegConfig()), e.meaning);
  }
  return out;
}

std::vector<SegCase> read_seg_list(const fs::path& path) {
  const auto table = io::read_table(path);
  std::vector<SegCase> out;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    SegCase c{table.cell(r, "name"), table.cell(r, "person"), table.cell(r, "image"), table.cell(r, "label"),
              static_cast<int>(table.number(r, "fold"))};
    if (c.image.is_relative()) c.image = folder / c.image;
    if (c.label.is_relative()) c.label = folder / c.label;
    out.push_back(std::move(c));
  }
  if (out.empty()) throw Error(Errc::format, path.string() + " lists no cases", "make it with larmor seg curate");
  return out;
}

std::vector<nn::TrainSample> prepared_samples(const std::vector<SegCase>& cases, int classes) {
  std::vector<nn::TrainSample> out(cases.size());
  parallel_for(cases.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (auto i = begin; i < end; ++i) {
      const auto image = io::read_nifti(cases[i].image), labels = io::read_nifti(cases[i].label);
      require_same_space(image, labels, "image", "label");
      auto ready = seg::prepare(image);
      out[i].labels = seg::prepare_labels(labels, ready, classes - 1);
      out[i].name = cases[i].name, out[i].size = ready.size, out[i].image = std::move(ready.values);
    }
  });
  return out;
}

}  // namespace larmor::cli
