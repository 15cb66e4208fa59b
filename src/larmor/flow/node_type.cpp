// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/flow/node_type.hpp>

namespace larmor::flow {
namespace {

template <class Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

template <class Item>
const Item* find(const std::vector<Item>& items, std::string_view name) {
  const auto it = std::find_if(items.begin(), items.end(), [&](const Item& i) { return i.name == name; });
  return it == items.end() ? nullptr : &*it;
}

}  // namespace

const Port* NodeType::input(std::string_view name) const {
  if (const Port* port = find(inputs, name)) return port;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return nullptr;
  const auto digits = name.substr(dot + 1);
  if (!std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) return nullptr;
  const Port* port = find(inputs, name.substr(0, dot));
  return port && port->limits.repeated ? port : nullptr;
}
const Port* NodeType::output(std::string_view name) const { return find(outputs, name); }
const Setting* NodeType::setting(std::string_view name) const { return find(settings, name); }

Ports::Ports(const NodeType& type, std::map<std::string, Value> inputs, std::map<std::string, Value> settings,
             Services services)
    : type_(&type), inputs_(std::move(inputs)), services_(std::move(services)) {
  for (const auto& [name, value] : settings)
    if (!type.setting(name)) throw unknown_name("setting", name, names_of(type.settings));
  for (const auto& s : type.settings) {
    const auto it = settings.find(s.name);
    settings_.emplace(s.name, it == settings.end() ? s.value : s.checked(it->second));
  }
}

bool Ports::has(std::string_view port) const { return !value(port).none(); }

const Value& Ports::value(std::string_view port) const {
  static const Value none;
  const auto it = inputs_.find(std::string(port));
  return it == inputs_.end() ? none : it->second;
}

std::string_view Ports::required(std::string_view port) const {
  if (!type_->input(port)) throw Error(Errc::internal, fmt::format("'{}' has no in-port '{}'", type_->title, port));
  if (!has(port)) throw Error(Errc::usage, fmt::format("in-port '{}' gets nothing", port), "wire something to it");
  return port;
}

std::vector<Value> Ports::all(std::string_view port) const {
  std::vector<std::pair<int, Value>> found;
  const std::string prefix = std::string(port) + ".";
  for (const auto& [name, value] : inputs_) {
    if (value.none()) continue;
    if (name == port) found.emplace_back(0, value);
    if (name.starts_with(prefix)) found.emplace_back(std::stoi(name.substr(prefix.size())), value);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Value> out;
  for (auto& [number, value] : found) out.push_back(std::move(value));
  return out;
}

Ports::Out Ports::out(std::string_view port) {
  if (!type_->output(port)) throw Error(Errc::internal, fmt::format("'{}' has no out-port '{}'", type_->title, port));
  return Out(outputs_[std::string(port)]);
}

SettingValue Ports::setting(std::string_view name) const {
  const Setting* s = type_->setting(name);
  if (!s) throw Error(Errc::internal, fmt::format("'{}' has no setting '{}'", type_->title, name));
  return {*s, settings_.at(s->name)};
}

void Ports::warn(const std::string& text) const {
  if (services_.warn) services_.warn(text);
}
void Ports::log(const std::string& text) const {
  if (services_.log) services_.log(text);
}

Form::Form(const NodeType& type, std::map<std::string, Value> inputs, std::map<std::string, Value> settings)
    : inputs_(std::move(inputs)), values_(std::move(settings)), all_(type.settings) {
  if (type.adapt) type.adapt(*this);
}

const Value& Form::in(std::string_view port) const {
  static const Value none;
  const auto it = inputs_.find(std::string(port));
  return it == inputs_.end() ? none : it->second;
}

SettingValue Form::setting(std::string_view name) const {
  const Setting* s = find(all_, name);
  if (!s) throw Error(Errc::internal, fmt::format("no setting '{}'", name));
  const auto it = values_.find(s->name);
  return {*s, it == values_.end() ? s->value : it->second};
}

Setting& Form::change(std::string_view name) {
  const Setting* s = find(all_, name);
  if (!s) throw Error(Errc::internal, fmt::format("no setting '{}'", name));
  return const_cast<Setting&>(*s);
}

void Form::hide(std::string_view name) { hidden_.emplace_back(name); }
void Form::warn(std::string text) { warnings_.push_back(std::move(text)); }

void NodeTypes::replace(std::string id, NodeType type) {
  erase(id);
  add(std::move(id), std::move(type));
}

namespace {

const Array* array_in(const Value& value) {
  if (value.kind() == Value::Kind::array) return &value.array();
  if (value.kind() != Value::Kind::record) return nullptr;
  for (const auto& [name, v] : value.fields())
    if (name == "data" && v.kind() == Value::Kind::array) return &v.array();
  return nullptr;
}

void check_range(const Port& port, const Array& array) {
  if (!std::isfinite(port.limits.lower) && !std::isfinite(port.limits.upper)) return;
  if (array.dtype() == DType::c64 || array.dtype() == DType::c128) return;
  const Array a = array.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  for (const double v : a.span<const double>())
    if (std::isfinite(v) && (v < port.limits.lower || v > port.limits.upper))
      throw Error(Errc::range, fmt::format("port '{}' holds {:g}; its values go from {:g} to {:g}", port.name, v,
                                           port.limits.lower, port.limits.upper));
}

}  // namespace

void check(const Port& port, const Value& value, const Types& types) {
  if (const auto refusal = types.refusal(port.type, value.type()); !refusal.empty())
    throw Error(Errc::type, fmt::format("port '{}': {}", port.name, refusal), port.what);
  const Array* array = array_in(value);
  if (!array) {
    if (value.kind() == Value::Kind::number &&
        (value.number() < port.limits.lower || value.number() > port.limits.upper))
      throw Error(Errc::range, fmt::format("port '{}' is {:g}; it goes from {:g} to {:g}", port.name, value.number(),
                                           port.limits.lower, port.limits.upper));
    return;
  }
  const auto& l = port.limits;
  if (!l.dtypes.empty() && std::find(l.dtypes.begin(), l.dtypes.end(), array->dtype()) == l.dtypes.end()) {
    std::string all;
    for (const auto t : l.dtypes) all += (all.empty() ? "" : ", ") + std::string(to_string(t));
    throw Error(Errc::type, fmt::format("port '{}' takes {} and this is {}", port.name, all, to_string(array->dtype())),
                "convert it with array.cast");
  }
  if (array->rank() < l.min_rank || array->rank() > l.max_rank)
    throw Error(Errc::shape,
                l.max_rank == 99 ? fmt::format("port '{}' takes {} axes or more and this is {}", port.name, l.min_rank,
                                               array->describe())
                                 : fmt::format("port '{}' takes {} to {} axes and this is {}", port.name, l.min_rank,
                                               l.max_rank, array->describe()),
                port.what);
  for (const auto& axis : l.axes)
    if (std::find(array->axes().begin(), array->axes().end(), axis) == array->axes().end())
      throw Error(Errc::shape,
                  fmt::format("port '{}' needs an axis '{}' and this is {}", port.name, axis, array->describe()),
                  "name the axes with array.rename_axes");
  check_range(port, *array);
}

std::map<std::string, Value> run_operation(const NodeType& type, const Types& types,
                                           std::map<std::string, Value> inputs, std::map<std::string, Value> settings,
                                           Ports::Services services) {
  for (const auto& [name, value] : inputs) {
    const Port* port = type.input(name);
    if (!port) throw unknown_name("in-port", name, names_of(type.inputs));
    if (!value.none()) check(*port, value, types);
  }
  for (const auto& port : type.inputs) {
    if (!port.limits.required) continue;
    const bool there = std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) {
      return !input.second.none() && type.input(input.first) == &port;
    });
    if (!there)
      throw Error(Errc::usage, fmt::format("in-port '{}' gets nothing", port.name),
                  "wire something to it: " + port.what);
  }
  Ports io(type, std::move(inputs), std::move(settings), std::move(services));
  if (!type.compute) throw Error(Errc::internal, "'" + type.title + "' has nothing to run");
  io.cancel().check();
  type.compute(io);
  io.cancel().check();
  for (const auto& port : type.outputs)
    if (port.limits.required && (!io.outputs().count(port.name) || io.outputs().at(port.name).none()))
      throw Error(Errc::internal, fmt::format("out-port '{}' was not written", port.name));
  return std::move(io.outputs());
}

}  // namespace larmor::flow
