// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/flow/graph_json.hpp>
#include <larmor/flow/node_type_json.hpp>

namespace larmor::flow {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr SettingKind kinds[] = {
    SettingKind::number,    SettingKind::integer,   SettingKind::boolean, SettingKind::choice, SettingKind::text,
    SettingKind::file_open, SettingKind::file_save, SettingKind::folder,  SettingKind::colour, SettingKind::numbers};
constexpr DType dtypes[] = {DType::boolean, DType::u8,  DType::i16, DType::i32,
                            DType::f32,     DType::f64, DType::c64, DType::c128};

Ordered bound(double v) { return std::isfinite(v) ? Ordered(v) : Ordered(nullptr); }

Ordered json_of(const Port& port) {
  const Limits& l = port.limits;
  Ordered types = Ordered::array();
  for (const auto t : l.dtypes) types.push_back(to_string(t));
  return {{"name", port.name},      {"what", port.what},       {"type", port.type},      {"required", l.required},
          {"repeated", l.repeated}, {"dtypes", types},         {"min_rank", l.min_rank}, {"max_rank", l.max_rank},
          {"axes", l.axes},         {"lower", bound(l.lower)}, {"upper", bound(l.upper)}};
}

Ordered json_of(const Setting& s) {
  return {{"name", s.name},
          {"what", s.what},
          {"kind", to_string(s.kind)},
          {"default", Ordered::parse(setting_json(s.value).dump(-1, ' ', false, Json::error_handler_t::replace))},
          {"lower", bound(s.lower)},
          {"upper", bound(s.upper)},
          {"step", s.step},
          {"unit", s.unit},
          {"choices", s.choices},
          {"optional", s.optional},
          {"multiline", s.multiline}};
}

/// Members of an object by name and type; a member that is none of these is an error with the nearest.
class Members {
 public:
  Members(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) throw wrong(place_, "an object", json);
  }
  static Error wrong(const std::string& place, const std::string& needed, const Json& there) {
    Error error(Errc::format, fmt::format("{} is needed and this is {}", needed,
                                          there.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60)));
    return error.at(place.empty() ? "the description" : place);
  }
  const Json* find(const char* name) {
    known_.emplace_back(name);
    const auto it = json_.find(name);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  std::string place(const std::string& name) const { return place_.empty() ? name : place_ + "." + name; }
  void read(const char* name, std::string& out) {
    if (const Json* j = find(name)) {
      if (!j->is_string()) throw wrong(place(name), "a text", *j);
      out = j->get<std::string>();
    }
  }
  void read(const char* name, bool& out) {
    if (const Json* j = find(name)) {
      if (!j->is_boolean()) throw wrong(place(name), "true or false", *j);
      out = j->get<bool>();
    }
  }
  void read(const char* name, double& out) {
    if (const Json* j = find(name)) {
      if (!j->is_number()) throw wrong(place(name), "a number", *j);
      out = j->get<double>();
    }
  }
  void read(const char* name, int& out) {
    double v = out;
    read(name, v);
    if (!(v >= 0 && v <= 1e6 && v == std::floor(v)))
      throw wrong(place(name), "a whole number of 0 or more", *find(name));
    out = static_cast<int>(v);
  }
  void read(const char* name, std::vector<std::string>& out) {
    const Json* j = find(name);
    if (!j) return;
    if (!j->is_array()) throw wrong(place(name), "a list of texts", *j);
    for (const auto& item : *j) {
      if (!item.is_string()) throw wrong(place(name), "a list of texts", *j);
      out.push_back(item.get<std::string>());
    }
  }
  template <class F>
  void each(const char* name, F&& f) {
    const Json* j = find(name);
    if (!j) return;
    if (!j->is_array()) throw wrong(place(name), "a list", *j);
    for (std::size_t i = 0; i < j->size(); ++i) f((*j)[i], fmt::format("{}.{}", place(name), i));
  }
  void no_others() const {
    for (const auto& [name, value] : json_.items())
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
        const Error error = unknown_name("key", name, known_);
        throw Error(Errc::format, error.message(), error.advice()).at(place_.empty() ? "the description" : place_);
      }
  }

 private:
  const Json& json_;
  std::string place_;
  std::vector<std::string> known_;
};

void read_name(Members& m, std::string& name) {
  m.read("name", name);
  const bool good = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
                    std::all_of(name.begin(), name.end(),
                                [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  if (!good)
    throw Error(Errc::format, "'" + name + "' cannot be a name", "use letters, digits and _, a letter first")
        .at(m.place("name"));
}

template <class Items>
void require_new(const Items& items, const std::string& name, const std::string& place) {
  for (const auto& item : items)
    if (item.name == name) throw Error(Errc::format, "'" + name + "' is there twice", "rename one").at(place);
}

Port read_port(const Json& json, const std::string& place) {
  Members m(json, place);
  Port port{.name = {}, .what = {}, .type = "array"};
  Limits& l = port.limits;
  read_name(m, port.name);
  m.read("what", port.what);
  m.read("type", port.type);
  m.read("required", l.required);
  m.read("repeated", l.repeated);
  std::vector<std::string> types;
  m.read("dtypes", types);
  for (const auto& name : types) {
    const auto it = std::find_if(std::begin(dtypes), std::end(dtypes), [&](DType t) { return to_string(t) == name; });
    if (it == std::end(dtypes)) {
      std::vector<std::string> all;
      for (const auto t : dtypes) all.emplace_back(to_string(t));
      const Error error = unknown_name("element type", name, all);
      throw Error(Errc::format, error.message(), error.advice()).at(m.place("dtypes"));
    }
    l.dtypes.push_back(*it);
  }
  m.read("min_rank", l.min_rank);
  m.read("max_rank", l.max_rank);
  m.read("axes", l.axes);
  m.read("lower", l.lower);
  m.read("upper", l.upper);
  m.no_others();
  return port;
}

SettingKind kind_of(Members& m, const Setting& s, const Json* value) {
  std::string kind;
  m.read("kind", kind);
  if (kind.empty()) {
    if (!s.choices.empty()) return SettingKind::choice;
    if (!value)
      throw Error(Errc::format, "neither 'kind' nor 'default' says what it is", "give one").at(m.place("kind"));
    if (value->is_boolean()) return SettingKind::boolean;
    if (value->is_number_integer()) return SettingKind::integer;
    if (value->is_number()) return SettingKind::number;
    return value->is_array() ? SettingKind::numbers : SettingKind::text;
  }
  std::vector<std::string> all;
  for (const auto k : kinds) {
    if (to_string(k) == kind) return k;
    all.emplace_back(to_string(k));
  }
  const Error error = unknown_name("kind of setting", kind, all);
  throw Error(Errc::format, error.message(), error.advice()).at(m.place("kind"));
}

Setting read_setting(const Json& json, const std::string& place) {
  Members m(json, place);
  Setting s;
  read_name(m, s.name);
  m.read("what", s.what);
  m.read("choices", s.choices);
  const Json* value = m.find("default");
  s.kind = kind_of(m, s, value);
  m.read("lower", s.lower);
  m.read("upper", s.upper);
  if (s.kind == SettingKind::integer) s.step = 1;
  m.read("step", s.step);
  m.read("unit", s.unit);
  m.read("optional", s.optional);
  m.read("multiline", s.multiline);
  m.no_others();
  const bool file =
      s.kind == SettingKind::file_open || s.kind == SettingKind::file_save || s.kind == SettingKind::folder;
  if (value)
    s.value = from_json(value->dump());
  else if (file || s.kind == SettingKind::text)
    s.value = "";
  try {
    if (!s.value.none()) s.value = s.checked(s.value);
    if (s.value.none() && !s.optional)
      throw Error(Errc::format, "'" + s.name + "' has no default", "give one, or say \"optional\": true");
  } catch (Error& e) {
    throw e.at(m.place("default"));
  }
  return s;
}

}  // namespace

std::string to_json(const std::string& id, const NodeType& type) {
  Ordered in = Ordered::array(), out = Ordered::array(), settings = Ordered::array(), examples = Ordered::array();
  for (const auto& port : type.inputs) in.push_back(json_of(port));
  for (const auto& port : type.outputs) out.push_back(json_of(port));
  for (const auto& s : type.settings) settings.push_back(json_of(s));
  for (const auto& e : type.examples) examples.push_back({{"title", e.title}, {"graph", e.graph}});
  const Ordered all{{"id", id},
                    {"title", type.title},
                    {"does", type.does},
                    {"from", type.from},
                    {"help", type.help},
                    {"version", type.version},
                    {"effect", type.effect},
                    {"impure", type.impure},
                    {"user", type.user},
                    {"tags", type.tags},
                    {"category", id.substr(0, id.find('.'))},
                    {"inputs", in},
                    {"outputs", out},
                    {"settings", settings},
                    {"examples", examples}};
  return all.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

std::pair<std::string, NodeType> parse_node_type(std::string_view json) {
  const Json document = parse_document(json);
  Members m(document, "");
  std::pair<std::string, NodeType> out;
  NodeType& t = out.second;
  bool user = false;  // who runs it says that, not the description
  std::string category;
  m.read("id", out.first);
  m.read("title", t.title);
  m.read("does", t.does);
  m.read("from", t.from);
  m.read("help", t.help);
  m.read("version", t.version);
  m.read("effect", t.effect);
  m.read("impure", t.impure);
  m.read("user", user);
  m.read("category", category);
  m.read("tags", t.tags);
  m.each("inputs", [&](const Json& j, const std::string& place) {
    Port port = read_port(j, place);
    require_new(t.inputs, port.name, place);
    t.inputs.push_back(std::move(port));
  });
  m.each("outputs", [&](const Json& j, const std::string& place) {
    Port port = read_port(j, place);
    require_new(t.outputs, port.name, place);
    t.outputs.push_back(std::move(port));
  });
  m.each("settings", [&](const Json& j, const std::string& place) {
    Setting setting = read_setting(j, place);
    require_new(t.settings, setting.name, place);
    t.settings.push_back(std::move(setting));
  });
  m.each("examples", [&](const Json& j, const std::string& place) {
    Members e(j, place);
    Example example;
    e.read("title", example.title);
    e.read("graph", example.graph);
    e.no_others();
    t.examples.push_back(std::move(example));
  });
  m.no_others();
  return out;
}

}  // namespace larmor::flow
