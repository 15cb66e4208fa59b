// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/nodes/waveform_picture.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using flow::Setting;
using flow::SettingKind;
using flow::Value;

// Commands and the operations that they run; their options are the operations' settings.
constexpr std::pair<const char*, const char*> kinds[] = {
    {"spiral", "traj.spiral"},       {"radial", "traj.radial"}, {"kooshball", "traj.kooshball"},
    {"propeller", "traj.propeller"}, {"floret", "traj.floret"}, {"distributed", "traj.distributed_spiral"},
    {"cartesian", "traj.cartesian"}, {"epi", "traj.epi"}};

std::string operation_of(const Call& call) {
  for (const auto& [name, op] : kinds)
    if (call.command->name == std::string("traj ") + name) return op;
  throw Error(Errc::internal, "traj: no operation for " + call.command->name);
}

std::string option_name(const Setting& s) {
  std::string name = "--" + s.name;
  std::replace(name.begin(), name.end(), '_', '-');
  // A switch that is on by default is named by what it takes away.
  return s.kind == SettingKind::boolean && s.value.boolean() ? "--no-" + name.substr(2) : name;
}

Option option_of(const Setting& s) {
  Option out{.name = option_name(s), .what = s.what, .lower = s.lower, .upper = s.upper};
  switch (s.kind) {
    case SettingKind::number:
      out.kind = Kind::number;
      break;
    case SettingKind::integer:
      out.kind = Kind::integer;
      break;
    case SettingKind::boolean:
      out.kind = Kind::flag;
      if (s.value.boolean()) out.what = "do not " + s.what;
      return out;
    default:
      out.kind = Kind::text;
      break;
  }
  if (s.kind == SettingKind::choice) out.choices = [all = s.choices] { return all; };
  if (s.value.kind() == Value::Kind::number) out.start = fmt::format("{:.10g}", s.value.number());
  if (s.value.kind() == Value::Kind::text) out.start = s.value.text();
  return out;
}

std::map<std::string, Value> settings_of(const Call& call, const flow::NodeType& type) {
  std::map<std::string, Value> out;
  for (const Setting& s : type.settings) {
    const std::string name = option_name(s);
    if (!call.given(name)) continue;
    if (s.kind == SettingKind::boolean)
      out[s.name] = !s.value.boolean();
    else if (s.kind == SettingKind::number || s.kind == SettingKind::integer)
      out[s.name] = call.number(name);
    else
      out[s.name] = call.text(name);
  }
  return out;
}

/// What goes into a file of this name.
void write_output(const Call& call, const fs::path& path, const std::map<std::string, Value>& made) {
  const auto& types = nodes::operations();
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (ending == ".svg") {
    using Curves = flow::ValueTraits<nodes::Curve>;
    io::write_text(path, nodes::waveform_svg({Curves::from(made.at("gradient")), Curves::from(made.at("slew")),
                                              Curves::from(made.at("kspace"))}));
  } else if (ending == ".seq") {
    const auto sequence =
        flow::run_operation(types.get("traj.sequence"), types.types, {{"waveforms", made.at("waveforms")}},
                            {{"FA", call.number("--flip-angle")}, {"TR", call.number("--TR")}});
    nodes::write_file(path, sequence.at("sequence"));
  } else if (ending == ".csv" || ending == ".tsv") {
    nodes::write_file(path, made.at("gradient"));
  } else {
    nodes::write_file(path, made.at("trajectory"));
  }
}

void check_ending(const std::string& file) {
  static const std::vector<std::string> endings{".npy", ".seq", ".csv", ".tsv", ".svg", ".json"};
  std::string ending = fs::path(file).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (std::find(endings.begin(), endings.end(), ending) == endings.end())
    throw Error(Errc::usage, fmt::format("--out {}: a file that ends in '{}'", file, ending),
                "write .npy or .json (positions), .seq (Pulseq), .csv (gradient) or .svg (picture of the waveforms)");
}

int run(const Call& call) {
  const auto& types = nodes::operations();
  const std::string id = operation_of(call);
  const auto& type = types.get(id);
  const auto files = call.given("--out") ? call.texts("--out") : std::vector<std::string>{};
  bool played = false;
  for (const auto& file : files) {
    check_ending(file);
    played = played || file.ends_with(".seq") || file.ends_with(".SEQ");
  }
  for (const char* option : {"--flip-angle", "--TR"})
    if (call.given(option) && !played)
      throw Error(Errc::usage, fmt::format("larmor {}: {} does nothing without a .seq", call.command->name, option),
                  "leave it out, or write one: -o scan.seq");
  std::map<std::string, Value> inputs;
  if (type.input("protocol") && call.given("--protocol"))
    inputs["protocol"] = nodes::read_file(call.text("--protocol"));
  flow::Ports::Services services;
  services.cancel = Cancel::interrupt();
  services.warn = [](const std::string& text) { log::warning(text); };
  std::map<std::string, Value> made;
  try {
    made = flow::run_operation(type, types.types, inputs, settings_of(call, type), services);
  } catch (Error& e) {
    e.at("larmor " + call.command->name);
    throw;
  }
  const auto traj = flow::ValueTraits<Trajectory>::from(made.at("trajectory"));
  for (const auto& file : files) write_output(call, file, made);
  if (call.json) {
    Value::Fields facts{{"shape", Value::List(traj.k.shape().begin(), traj.k.shape().end())},
                        {"axes", Value::List(traj.k.axes().begin(), traj.k.axes().end())},
                        {"matrix", Value::List(traj.matrix.begin(), traj.matrix.end())},
                        {"fov_mm", Value::List(traj.fov.begin(), traj.fov.end())},
                        {"source", traj.source}};
    if (made.contains("points")) facts.emplace_back("points", made.at("points"));
    auto told = nlohmann::ordered_json::parse(flow::to_json(Value::record("", std::move(facts))));
    if (!files.empty()) told["files"] = files;
    print_json(told);
    return 0;
  }
  std::string axes;
  for (std::size_t i = 0; i < traj.sample_axes().size(); ++i)
    axes += fmt::format("{}{} {}s", i > 0 ? " x " : "", traj.sample_shape()[i], traj.sample_axes()[i]);
  fmt::print("{}: {}, matrix {}\n", traj.source, axes, to_string(Shape(traj.matrix.begin(), traj.matrix.end())));
  if (made.contains("points")) {
    const auto at = [&](const char* name) { return static_cast<long long>(made.at("points").field(name).number()); };
    fmt::print("rasters: readout {} to {}, ramp to {}, rewinder to {}\n", at("readout_begin"), at("readout_end"),
               at("ramp_end"), at("rewind_end"));
  }
  for (const auto& file : files) fmt::print("-> {}\n", file);
  return 0;
}

}  // namespace

void register_traj(Commands& commands) {
  for (const auto& [name, id] : kinds) {
    const auto& type = nodes::operations().get(id);
    Command command{.name = std::string("traj ") + name, .does = type.does, .run = run};
    command.opt.push_back(
        file("--out", "positions (.npy, .json), Pulseq (.seq), gradient (.csv) or picture of the waveforms (.svg)")
            .output()
            .many()
            .as("-o"));
    if (type.input("protocol"))
      command.opt.push_back(file("--protocol", "JSON of a scan's protocol: fov_m, arms, dwell_ms, ..."));
    for (const auto& s : type.settings) command.opt.push_back(option_of(s));
    command.opt.push_back(number("--flip-angle", "of a block pulse before each arm in a .seq [deg]", 0, 0, 180));
    command.opt.push_back(number("--TR", "from arm to arm in a .seq; 0: as short as can be [ms]", 0, 0, 1e5));
    if (!type.from.empty()) command.refs = {type.from};
    command.examples = {fmt::format("larmor traj {} -o positions.npy -o waveforms.svg", name)};
    if (std::string(name) == "spiral")
      command.examples.push_back("larmor traj spiral --protocol spiral_T1.json -o positions.npy -o spiral.seq");
    commands.add(std::move(command));
  }
}

}  // namespace larmor::cli
