// SPDX-License-Identifier: Apache-2.0
#include "wizard.hpp"

#include <fmt/format.h>

#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "pipeline.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> with_questions() {
  std::vector<std::string> names;
  for (const auto& p : pipelines().all())
    if (p.ask) names.push_back(p.name);
  return names;
}

// The one asked for; else the one whose data lie there; else the person says.
const Pipeline& pipeline_of(const Call& call, const fs::path& data) {
  if (call.given("--for")) return pipelines().get(call.text("--for"));
  std::vector<std::string> fitting;
  for (const auto& p : pipelines().all())
    if (p.ask && p.suits && p.suits(data)) fitting.push_back(p.name);
  if (fitting.size() == 1) return pipelines().get(fitting[0]);
  const auto& words = fitting.empty() ? with_questions() : fitting;
  return pipelines().get(
      Wizard::choose(fitting.empty() ? "No series is found by its name. What shall it be" : "What shall be quantified",
                     words, words[0]));
}

int run(const Call& call) {
  const fs::path data = call.given("DATA") ? call.text("DATA") : ".";
  if (!fs::is_directory(data))
    throw Error(Errc::file, fmt::format("'{}' is no folder", data.string()), "give the folder with the images");
  const Pipeline& pipeline = pipeline_of(call, data);
  const std::string command = "larmor " + pipeline.name;
  const fs::path out = call.given("--out") ? fs::path(call.text("--out")) : data / (pipeline.name + ".yaml");
  const ConfigTable& table = pipeline.config();
  Wizard wizard(table, data);
  Wizard::say(
      fmt::format("This asks what {} needs and writes a commented configuration. Enter takes the answer in [ ];\n"
                  "? explains; Ctrl-C leaves without writing.\n",
                  command));
  pipeline.ask(wizard);
  if (fs::exists(out) && !Wizard::yes(fmt::format("{} exists. Replace it?", out.string()), false)) {
    Wizard::say("nothing was written");
    return 1;
  }
  const std::string yaml = config_yaml(
      table, wizard.values(), true,
      fmt::format("Configuration of {0}, written by larmor wizard.\n{0} --defaults prints every key.", command));
  const Config config = Config::parse(yaml, out.string(), table);
  io::write_text(out, yaml);
  try {  // the answers are right one by one; together with the files they may still not be
    pipeline.prepare(config, data, Device::cpu());
  } catch (const Error& e) {
    Wizard::say(fmt::format("{} is written, but would not run yet:\n{}", out.string(), e.what()));
    return 1;
  }
  if (call.json)
    print_json({{"pipeline", pipeline.name}, {"config", out.string()}});
  else
    fmt::print("{}\n", out.string());
  Wizard::say(fmt::format("Run it with: {} {} {} -o OUT", command, out.string(), data.string()));
  return 0;
}

}  // namespace

void register_wizard(Commands& commands) {
  commands.add(
      {.name = "wizard",
       .does = "Asks what a pipeline needs, with defaults from the files it finds, and writes the configuration",
       .in = {{.name = "DATA", .what = "folder with the images, default .", .kind = Kind::folder, .optional = true}},
       .opt = {file("--out", "configuration to write; default: DATA/dce.yaml, DATA/ivim.yaml, ...").output().as("-o"),
               text("--for", "which pipeline; default: the one whose data lie in the folder").one_of(with_questions)},
       .examples = {"larmor wizard sub-01"},
       .interactive = true,
       .run = run});
}

}  // namespace larmor::cli
