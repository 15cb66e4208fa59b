// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>

#include "catalogue.hpp"
#include "command.hpp"
#include "config.hpp"
#include "dce_job.hpp"
#include "series_files.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

class Wizard {
 public:
  Wizard(fs::path data, fs::path out) : data_(std::move(data)), out_(std::move(out)) {}

  int run() {
    say("This asks what larmor dce needs and writes a commented configuration. Enter takes the answer in [ ];\n"
        "? explains; Ctrl-C leaves without writing.\n");
    find();
    series();
    if (values_["input.kind"] == "signal") signal();
    artery();
    model();
    return write();
  }

 private:
  static void say(const std::string& text) { fmt::print(stderr, "{}\n", text); }

  static std::string line() {
    std::fflush(stderr);
    std::string answer;
    if (!std::getline(std::cin, answer))
      throw Error(Errc::cancelled, "the wizard's input ended before the last question",
                  "answer all questions, or start from larmor dce --defaults; nothing was written");
    while (!answer.empty() && std::isspace(static_cast<unsigned char>(answer.back()))) answer.pop_back();
    answer.erase(0, answer.find_first_not_of(" \t"));
    return answer;
  }

  // Asks until the configuration table accepts the answer, which is then a value of the file.
  void ask(const std::string& path, const std::string& question, std::string suggested) {
    const Key& key = dce_config().key(path);
    for (;;) {
      fmt::print(stderr, "{}{} [{}]: ", question, key.unit.empty() || key.unit == "1" ? "" : " in " + key.unit,
                 suggested);
      std::string answer = line();
      if (answer == "?") {
        std::string more = key.meaning;
        if (const auto range = key_range(key); !range.empty()) more += "; " + range;
        if (key.choices) more += fmt::format("; one of {}", fmt::join(key.choices(), ", "));
        say("  " + wrapped(more, 2));
        continue;
      }
      if (answer.empty()) answer = suggested;
      if (answer.empty()) {
        say("  an answer is needed here (? explains)");
        continue;
      }
      const auto dot = path.find('.');
      const bool list = (key.kind == KeyKind::numbers || key.kind == KeyKind::texts || key.kind == KeyKind::files) &&
                        answer.find(',') != std::string::npos && !answer.starts_with('[');
      if (list) answer = "[" + answer + "]";
      try {
        const auto config = Config::parse(path.substr(0, dot) + ":\n  " + path.substr(dot + 1) + ": " + answer + "\n",
                                          "answer", dce_config());
        if (!config.has(path)) throw Error(Errc::usage, "no value", "give one");
        if ((key.kind == KeyKind::file || key.kind == KeyKind::files) &&
            !std::any_of(key.words.begin(), key.words.end(), [&](const auto& w) { return config.is_word(path, w); }))
          for (const auto& f : config.texts(path))
            if (const fs::path p = fs::path(f).is_absolute() ? fs::path(f) : data_ / f; !fs::exists(p))
              throw Error(Errc::file, fmt::format("there is no file '{}'", p.string()),
                          "give its name relative to the data folder");
        if (config.texts(path).size() == 1 && key.choices) answer = config.text(path);  // the full name
        values_[path] = answer;
        return;
      } catch (const Error& e) {
        say("  " + e.message() + (e.advice().empty() ? "" : "\n  " + e.advice()));
      }
    }
  }

  bool yes(const std::string& question, bool suggested) {
    for (;;) {
      fmt::print(stderr, "{} [{}]: ", question, suggested ? "yes" : "no");
      const std::string answer = line();
      if (answer.empty()) return suggested;
      if (answer == "y" || answer == "yes" || answer == "true") return true;
      if (answer == "n" || answer == "no" || answer == "false") return false;
      say("  answer yes or no");
    }
  }

  std::string name_of(const fs::path& p) const { return fs::relative(p, data_).string(); }
  std::string first(const std::vector<fs::path>& found) const { return found.empty() ? "" : name_of(found[0]); }

  void find() {
    if (!fs::is_directory(data_))
      throw Error(Errc::file, fmt::format("'{}' is no folder", data_.string()), "give the folder with the images");
    found_ = find_files(data_);
    const auto tell = [&](const char* what, const std::vector<fs::path>& list) {
      std::vector<std::string> names;
      for (const auto& p : list) names.push_back(name_of(p));
      say(fmt::format("  {:<16} {}", what, names.empty() ? "none found" : fmt::format("{}", fmt::join(names, ", "))));
    };
    say(fmt::format("In {}:", data_.string()));
    tell("dynamic series", found_.dynamic);
    tell("T1 series", found_.series);
    tell("T1 map", found_.t1_map);
    tell("B1 map", found_.b1);
    tell("mask", found_.mask);
    tell("AIF mask", found_.aif_mask);
    say("");
  }

  void file_question(const char* key, const char* question, const std::vector<fs::path>& found, bool optional) {
    ask(key, question, !found.empty() ? first(found) : optional ? "none" : "");
    if (found.size() == 1 && values_[key] == first(found)) values_.erase(key);  // found by name anyway
  }

  void series() {
    ask("input.dynamic", "Dynamic series", first(found_.dynamic));
    dynamic_ = io::read_image(data_ / values_["input.dynamic"]);
    if (dynamic_.data.rank() != 4)
      throw Error(Errc::shape, fmt::format("the dynamic series is {}, not 4-D", to_string(dynamic_.data.shape())),
                  "give a 4-D file (x, y, z, t)")
          .at(values_["input.dynamic"]);
    const auto g = dynamic_.grid();
    say(fmt::format("  {} x {} x {} voxels, {} frames", g[0], g[1], g[2], dynamic_.volumes()));
    ask("input.kind", "Does it hold signal or concentration?", "signal");
    if (static_cast<std::int64_t>(dynamic_.times.size()) == dynamic_.volumes())
      say(fmt::format("  frames from {} to {} s, from its sidecar or header", short_number(dynamic_.times.front()),
                      short_number(dynamic_.times.back())));
    else
      ask("input.frame_time", "Time between frames (not TR)", "");
    file_question("input.mask", "Mask of the voxels to fit, or none", found_.mask, true);
  }

  void protocol(const char* key, const char* question, const std::vector<double>& sidecar, double factor) {
    if (sidecar.empty()) return ask(key, question, "");
    std::vector<std::string> shown;
    for (const double x : sidecar) shown.push_back(short_number(x * factor));
    say(fmt::format("  {}: {} {}, from the sidecar", question, fmt::join(shown, ", "), dce_config().key(key).unit));
  }

  void signal() {
    constexpr double deg = 180 / 3.14159265358979323846;
    protocol("signal.FA", "Flip angle of the dynamic series", in_rad(meta_numbers(dynamic_.meta, "FlipAngle")), deg);
    protocol("signal.TR", "Repetition time between excitations", meta_TR(dynamic_.meta), 1e3);
    ask("signal.r1", "Relaxivity of the contrast agent", "4.5");
    ask("t1.source", "T1 before contrast: from a series of flip angles (series), a map, or one value (fixed)",
        !found_.t1_map.empty()   ? "map"
        : !found_.series.empty() ? "series"
                                 : "fixed");
    const std::string source = values_["t1.source"];
    if (source == "fixed") {
      ask("t1.fixed", "T1 of every voxel", "1.4");
    } else if (source == "map") {
      file_question("t1.map", "T1 map", found_.t1_map, false);
      ask("t1.map_unit", "Its unit", "s");
    } else {
      std::vector<fs::path> paths = found_.series;
      if (paths.empty()) {
        ask("t1.files", "Files of the series, separated by commas", "");
        paths.clear();
        for (const auto& f :
             Config::parse("t1:\n  files: " + values_["t1.files"], "answer", dce_config()).texts("t1.files"))
          paths.push_back(data_ / f);
      }
      const Series s = read_series(paths);
      ask("t1.method", "Method", "t1.vfa_nonlinear");
      if (values_["t1.method"].find("vfa") != std::string::npos) {
        protocol("t1.FA", "Flip angles of the series", s.FA, deg);
        protocol("t1.TR", "Its repetition time", s.TR, 1e3);
      } else {
        protocol("t1.TI", "Inversion times", s.TI, 1e3);
        protocol("t1.TR", "Its repetition time", s.TR, 1e3);
        protocol("t1.FA", "Its flip angle", s.FA, deg);
      }
    }
    if (!found_.b1.empty()) file_question("t1.B1", "B1 map (actual / nominal flip angle), or none", found_.b1, true);
  }

  void artery() {
    ask("aif.source", "Arterial input: model (population), file, mask, or auto",
        !found_.aif_mask.empty() ? "mask" : "model");
    const std::string source = values_["aif.source"];
    if (source == "model") {
      say("  " + wrapped(fmt::format("{}", fmt::join(aif_ids(), ", ")), 2));
      ask("aif.model", "Population curve", "aif.parker");
      ask("aif.arrival", "Arrival of the bolus, or auto", "auto");
    } else if (source == "file") {
      ask("aif.file", "CSV or TSV with times and concentrations", first(found_.aif_table));
      ask("aif.time_unit", "Unit of its times", "s");
      values_["aif.plasma"] = yes("Is it plasma already (no: whole blood)?", false) ? "true" : "false";
    } else if (source == "mask") {
      file_question("aif.mask", "Mask of the artery", found_.aif_mask, false);
    }
    ask("aif.Hct", "Haematocrit", "0.42");
  }

  void model() {
    std::vector<std::vector<std::string>> rows{{"model", "", "parameters"}};
    for (const auto& [id, m] : dce::models()) {
      std::string params;
      for (const auto& p : m.params) params += (params.empty() ? "" : ", ") + p.name;
      rows.push_back({id, m.title, params});
    }
    say(text_table(rows, 2));
    ask("fit.model", "Model; several, separated by commas, are compared in each voxel", "dce.extended_tofts");
    values_["fit.fit_delay"] = yes("Fit the delay of the tissue after the artery?", false) ? "true" : "false";
    ask("output.units", "Units of the maps: lexicon (1/min, mL/min/100mL) or engine (1/s)", "lexicon");
  }

  int write() {
    if (fs::exists(out_) && !yes(fmt::format("{} exists. Replace it?", out_.string()), false)) {
      say("nothing was written");
      return 1;
    }
    if (found_.dynamic.size() == 1 && values_["input.dynamic"] == first(found_.dynamic)) values_.erase("input.dynamic");
    const std::string yaml =
        config_yaml(dce_config(), values_, true,
                    "Configuration of larmor dce, written by larmor wizard.\nlarmor dce --defaults prints every key.");
    const Config config = Config::parse(yaml, out_.string(), dce_config());
    io::write_text(out_, yaml);
    try {  // the answers are right one by one; together with the files they may still not be
      prepare_dce(config, data_, Device::cpu());
    } catch (const Error& e) {
      say(fmt::format("{} is written, but would not run yet:\n{}", out_.string(), e.what()));
      return 1;
    }
    fmt::print("{}\n", out_.string());
    say(fmt::format("Run it with: larmor dce {} {} -o OUT", out_.string(), data_.string()));
    return 0;
  }

  fs::path data_, out_;
  FoundFiles found_;
  Image dynamic_;
  std::map<std::string, std::string> values_;
};

int run(const Call& call) {
  const fs::path data = call.given("DATA") ? call.text("DATA") : ".";
  const fs::path out = call.given("--out") ? fs::path(call.text("--out")) : data / "dce.yaml";
  return Wizard(data, out).run();
}

}  // namespace

void register_wizard(Commands& commands) {
  commands.add(
      {.name = "wizard",
       .does = "Asks what larmor dce needs, with defaults from the files it finds, and writes the configuration",
       .in = {{.name = "DATA", .what = "folder with the images, default .", .kind = Kind::folder, .optional = true}},
       .opt = {file("--out", "configuration to write; default: DATA/dce.yaml").as("-o")},
       .examples = {"larmor wizard sub-01"},
       .interactive = true,
       .run = run});
}

}  // namespace larmor::cli
