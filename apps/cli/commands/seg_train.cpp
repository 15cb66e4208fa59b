// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <larmor/io/file.hpp>
#include <larmor/io/table.hpp>
#include <larmor/nn/event_file.hpp>
#include <larmor/nn/trainer.hpp>
#include <larmor/seg/parting.hpp>
#include <larmor/seg/predict.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "command.hpp"
#include "print_json.hpp"
#include "seg_config.hpp"
#include "seg_page.hpp"
#include "seg_teacher.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

io::Table history_table(const std::vector<nn::Epoch>& history, const std::vector<std::string>& classes) {
  io::Table t;
  t.columns = {"epoch", "loss", "rate", "seconds", "samples_per_s", "merged_dice"};
  for (std::size_t c = 1; c < classes.size(); ++c) t.columns.push_back(classes[c] + "_dice");
  for (const auto& e : history) {
    std::vector<std::string> row{std::to_string(e.number),
                                 fmt::format("{:.6g}", e.loss),
                                 fmt::format("{:.6g}", e.rate),
                                 fmt::format("{:.4g}", e.seconds),
                                 fmt::format("{:.4g}", e.samples_per_second),
                                 e.merged < 0 ? "" : fmt::format("{:.5f}", e.merged)};
    for (std::size_t c = 1; c < classes.size(); ++c)
      row.push_back(c - 1 < e.dice.size() ? fmt::format("{:.5f}", e.dice[c - 1]) : "");
    t.rows.push_back(std::move(row));
  }
  return t;
}

/// What prediction needs to know beside the weights: ranges of the training labels, classes, mirrored axes, the
/// plane that parts two labels.
std::map<std::string, std::string> facts(const SegConfig& config, const std::vector<nn::TrainSample>& training,
                                         const std::string& fold) {
  double low = 1e30, high = 0;
  for (const auto& s : training) {
    const auto n = static_cast<double>(std::count_if(s.labels.begin(), s.labels.end(), [](auto l) { return l > 0; }));
    low = std::min(low, n), high = std::max(high, n);
  }
  const auto& m = config.train.augment.mirror;
  std::map<std::string, std::string> out{
      {"name", config.name},
      {"classes", fmt::format("{}", fmt::join(config.classes, ","))},
      {"mirror", fmt::format("{},{},{}", int(m[0]), int(m[1]), int(m[2]))},
      {"volume_range", fmt::format("{:.0f},{:.0f}", 0.8 * low, 1.25 * high)},  // 1 mm3 a voxel
      {"fold", fold},
      {"images", std::to_string(training.size())},
      {"configuration", config.text}};
  if (const auto plane = seg::find_parting(training, static_cast<int>(config.classes.size())))
    out["parting"] = seg::to_string(*plane);
  return out;
}

nn::TrainResult train_fold(const Call& call, const SegConfig& config, const std::vector<SegCase>& cases,
                           const std::string& fold) {
  std::vector<SegCase> training, validation;
  std::set<std::string> held_out;
  std::stringstream parts(fold == "none" ? "" : fold);
  for (std::string part; std::getline(parts, part, '+');) held_out.insert(part);
  for (const auto& part : held_out)
    if (std::none_of(cases.begin(), cases.end(), [&](const auto& c) { return std::to_string(c.fold) == part; })) {
      std::set<int> folds;
      for (const auto& c : cases) folds.insert(c.fold);
      throw Error(Errc::usage, fmt::format("no case is in fold {}", part),
                  fmt::format("folds: {}, two of them as in 0+1, all, none", fmt::join(folds, ", ")));
    }
  for (const auto& c : cases) (held_out.count(std::to_string(c.fold)) > 0 ? validation : training).push_back(c);
  if (training.empty()) throw Error(Errc::usage, "every case is held out", "hold out fewer folds");
  auto train_samples = prepared_samples(training, config.train.net.classes);
  const auto validation_samples = prepared_samples(validation, config.train.net.classes);
  auto spec = config.train;
  spec.meta = facts(config, train_samples, fold);
  auto seen = marks_of(train_samples);
  if (spec.teacher_share > 0) {
    const auto taught = teach(config.teacher, train_samples, validation_samples, &Cancel::interrupt());
    seen.insert(taught.begin(), taught.end());
  }
  spec.meta["seen"] = fmt::format("{}", fmt::join(seen, ","));
  const fs::path folder = config.out / ("fold_" + fold);
  auto& trainer = nn::trainer();
  fmt::print(stderr, "fold {}: {} images to train on, {} held out, {}, {:.2f} million weights, {:.1f} GFLOP a patch\n",
             fold, train_samples.size(), validation_samples.size(), trainer.version(),
             1e-6 * static_cast<double>(nn::initial_weights(spec.net, 1).parameters()),
             6e-9 * spec.net.work(spec.patch));
  nn::EventFile events(folder / "events");
  TrainingPage page{folder / "training.html", config.name + ", fold " + fold, config.text,
                    trainer.version() + " on " + spec.device, config.classes};
  std::vector<nn::Epoch> history;
  if (fs::exists(folder / "history.csv")) {  // curves of the runs before; the checkpoint holds the truth
    const auto before = io::read_table(folder / "history.csv");
    if (fs::exists(folder / "checkpoint.safetensors"))
      for (std::size_t r = 0; r < before.rows.size(); ++r) {
        nn::Epoch e;
        e.number = static_cast<int>(before.number(r, "epoch")), e.loss = before.number(r, "loss");
        e.rate = before.number(r, "rate"), e.seconds = before.number(r, "seconds");
        e.samples_per_second = before.number(r, "samples_per_s");
        if (!before.cell(r, "merged_dice").empty()) {
          e.merged = before.number(r, "merged_dice");
          for (std::size_t c = 1; c < config.classes.size(); ++c)
            e.dice.push_back(before.number(r, config.classes[c] + "_dice"));
        }
        history.push_back(e);
      }
  }
  io::Picture picture{0, 0, 3, {}};
  nn::TrainCallbacks callbacks;
  callbacks.epoch = [&](const nn::Epoch& e) {
    history.erase(std::remove_if(history.begin(), history.end(), [&](const auto& h) { return h.number >= e.number; }),
                  history.end());
    history.push_back(e);
    events.scalar("loss", e.number, static_cast<float>(e.loss));
    events.scalar("rate", e.number, static_cast<float>(e.rate));
    events.scalar("samples_per_second", e.number, static_cast<float>(e.samples_per_second));
    if (e.merged >= 0) {
      events.scalar("dice/merged", e.number, static_cast<float>(e.merged));
      for (std::size_t c = 0; c < e.dice.size() && c + 1 < config.classes.size(); ++c)
        events.scalar("dice/" + config.classes[c + 1], e.number, static_cast<float>(e.dice[c]));
    }
    io::write_table(folder / "history.csv", history_table(history, config.classes));
    page.write(history, spec.epochs, picture, validation_samples.empty() ? "" : validation_samples[0].name);
    if (!call.quiet)
      fmt::print(stderr, "epoch {:4}  loss {:.4f}  {}  rate {:.2e}  {:.2f} samples/s{}\n", e.number, e.loss,
                 e.merged < 0 ? std::string("not validated")
                              : fmt::format("Dice {:.4f} ({:.4f})", e.merged, fmt::join(e.dice, ", ")),
                 e.rate, e.samples_per_second, e.best ? "  best" : "");
  };
  callbacks.picture = [&](const nn::Epoch& e, const std::vector<std::uint8_t>& labels) {
    picture = overlay_picture(validation_samples[0], labels);
    events.image("sample", e.number, picture.width, picture.height, io::encode_png(picture));
    page.write(history, spec.epochs, picture, validation_samples[0].name);
  };
  const auto result = trainer.train(spec, train_samples, validation_samples, folder, callbacks, &Cancel::interrupt());
  page.done = true;
  page.write(result.history, spec.epochs, picture, validation_samples.empty() ? "" : validation_samples[0].name);
  io::write_table(folder / "history.csv", history_table(result.history, config.classes));
  return result;
}

/// Patches a second of the ways to do the same training; nothing of it is kept.
int time_variants(const Call& call, const SegConfig& config, const std::vector<SegCase>& cases, double seconds) {
  auto some = cases;
  if (some.size() > 16) some.resize(16);
  const auto samples = prepared_samples(some, config.train.net.classes);
  const fs::path folder = fs::temp_directory_path() / fmt::format("larmor_time_{}", ::getpid());
  auto& trainer = nn::trainer();
  const auto devices = trainer.devices();
  const bool cuda = config.train.device.starts_with("cuda") || (config.train.device == "auto" && devices.size() > 1);
  fmt::print(stderr, "{} on {}, {} s each\n", trainer.version(), cuda ? "cuda" : "cpu", seconds);
  nlohmann::ordered_json ways = nlohmann::ordered_json::array();
  for (const int batch : {config.train.batch, 4 * config.train.batch})
    for (const bool half : {true, false})
      for (const bool channels_last : {false, true}) {
        if (!cuda && channels_last) continue;
        auto spec = config.train;
        spec.batch = batch, spec.half = half, spec.channels_last = channels_last;
        spec.epochs = 100'000, spec.steps = 8, spec.budget = seconds, spec.teacher_share = 0;
        std::error_code ignored;
        fs::remove_all(folder, ignored);
        std::vector<double> speeds;
        nn::TrainCallbacks callbacks;
        callbacks.epoch = [&](const nn::Epoch& e) { speeds.push_back(e.samples_per_second); };
        trainer.train(spec, samples, {}, folder, callbacks, &Cancel::interrupt());
        if (speeds.size() > 1) speeds.erase(speeds.begin());  // libraries wake up in the first
        std::sort(speeds.begin(), speeds.end());
        ways.push_back({{"patches_per_s", speeds[speeds.size() / 2]},
                        {"train.batch", batch},
                        {"train.half", half},
                        {"train.channels_last", channels_last}});
        if (call.json) continue;
        fmt::print("{:8.1f} patches/s  train.batch={} train.half={} train.channels_last={}\n",
                   speeds[speeds.size() / 2], batch, half, channels_last);
        std::fflush(stdout);
      }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (call.json) print_json({{"device", cuda ? "cuda" : "cpu"}, {"seconds_each", seconds}, {"ways", ways}});
  return 0;
}

int run(const Call& call) {
  if (call.given("--defaults")) {
    if (call.json)
      print_json({{"config_yaml", default_seg_config()}});
    else
      fmt::print("{}", default_seg_config());
    return 0;
  }
  if (!call.given("CONFIG"))
    throw Error(Errc::usage, "larmor seg train: no configuration",
                "give one; `larmor seg train --defaults` writes one");
  auto config = read_seg_config(call.text("CONFIG"), call.texts("--set"));
  if (call.given("--fold")) config.fold = call.text("--fold");
  if (call.given("--out")) config.out = call.text("--out");
  if (call.given("--list")) config.list = call.text("--list");
  if (config.list.empty())
    throw Error(Errc::usage, "the configuration names no data", "data: clean.csv, made by `larmor seg curate`");
  const auto cases = read_seg_list(config.list);
  if (call.given("--time")) return time_variants(call, config, cases, call.number("--time"));
  std::vector<std::string> folds{config.fold};
  if (config.fold == "all") {
    std::set<int> numbers;
    for (const auto& c : cases) numbers.insert(c.fold);
    folds.clear();
    for (const int f : numbers) folds.push_back(std::to_string(f));
  }
  io::require_writable_folder(config.out);
  std::vector<nn::Weights> members;
  nlohmann::ordered_json trained = nlohmann::ordered_json::array();
  for (const auto& fold : folds) {
    const auto result = train_fold(call, config, cases, fold);
    const fs::path folder = config.out / ("fold_" + fold);
    const bool held_out = fs::exists(folder / "best.safetensors");
    const fs::path weights = folder / (held_out ? "best.safetensors" : "last.safetensors");
    members.push_back(nn::read_weights(weights));
    trained.push_back({{"fold", fold}, {"weights", weights.string()}, {"epochs", result.history.size()}});
    trained.back()["stopped_early"] = result.stopped_early;
    if (held_out) trained.back().update({{"merged_dice", result.best}, {"best_epoch", result.best_epoch}});
    if (call.json) continue;
    fmt::print("{}  {}{}\n", weights.string(),
               held_out ? fmt::format("merged Dice {:.4f} in epoch {}", result.best, result.best_epoch)
                        : fmt::format("{} epochs", result.history.size()),
               result.stopped_early ? ", stopped early" : "");
  }
  const std::string all = members.size() > 1 ? (config.out / "ensemble.safetensors").string() : "";
  if (!all.empty()) nn::write_weights(all, seg::ensemble(members));
  if (call.json) {
    nlohmann::ordered_json told{{"networks", trained}};
    if (!all.empty()) told["ensemble"] = all;
    print_json(told);
  } else if (!all.empty()) {
    fmt::print("{}  {} networks\n", all, members.size());
  }
  return 0;
}

}  // namespace

void register_seg_train(Commands& commands) {
  commands.add(
      {.name = "seg train",
       .does = "Trains a network that segments, from a list of images with labels",
       .in = {{.name = "CONFIG", .what = "YAML; see --defaults", .optional = true}},
       .opt = {flag("--defaults", "prints a configuration with every key, its default and meaning"),
               text("--fold", "instead of the configuration's: a number, two as in 0+1, all or none"),
               folder("--out", "instead of the configuration's folder").output(),
               file("--list", "instead of the configuration's list of cases"),
               number("--time", "trains nothing, but tells how fast each way to do it is, so long each [s]", 4, 0.1,
                      600),
               text("--set", "KEY=VALUE instead of what the configuration says: train.rate=0.001").many()},
       .refs = {"Isensee et al., Nat. Methods 18:203 (2021)"},
       .examples = {"larmor seg train hippocampus.yaml --fold 0"},
       .more = "The folder gets training.html (curves and a sample, renewed after every epoch), events/ for "
               "TensorBoard, history.csv, "
               "checkpoint.safetensors, best.safetensors and last.safetensors for each fold. A run that was cut off "
               "goes on from the last whole epoch when it is started again.",
       .run = run});
}

}  // namespace larmor::cli
