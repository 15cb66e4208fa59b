// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/value.hpp>
#include <larmor/flow/value_traits.hpp>
#include <mutex>
#include <variant>

namespace larmor::flow {

struct Record {
  std::string type;
  Value::Fields fields;
};

struct Value::Node {
  std::variant<std::monostate, bool, double, std::string, Array, List, Record> content;
  mutable std::once_flag hashed;
  mutable Hash hash;
};

namespace {

const std::string& kind_name(Value::Kind kind) {
  static const std::string names[] = {"none", "boolean", "number", "text", "array", "list", "record"};
  return names[static_cast<std::size_t>(kind)];
}

// Bytes of an array in pieces that threads can share: the result does not depend on their number.
constexpr std::size_t piece_bytes = std::size_t{4} << 20;

Hash hash_bytes(const Array& a) {
  const auto* data = static_cast<const std::byte*>(a.raw());
  const std::size_t size = a.bytes(), pieces = (size + piece_bytes - 1) / piece_bytes;
  std::vector<Hash> part(pieces);
  parallel_for(pieces, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p)
      part[p] = Hasher().add(data + p * piece_bytes, std::min(piece_bytes, size - p * piece_bytes)).done();
  });
  Hasher all;
  for (const auto& h : part) all.add(h);
  return all.done();
}

Hash hash_array(const Array& given) {
  const Array a = given.to(Device::cpu()).contiguous_copy();
  Hasher h;
  h.add(to_string(a.dtype()));
  h.add(a.shape().data(), a.shape().size() * sizeof(a.shape()[0]));
  for (const auto& name : a.axes()) h.add(name);
  return h.add(hash_bytes(a)).done();
}

}  // namespace

Value::Value(bool v) {
  auto n = std::make_shared<Node>();
  n->content = v;
  node_ = std::move(n);
}
Value::Value(double v) {
  auto n = std::make_shared<Node>();
  n->content = v;
  node_ = std::move(n);
}
Value::Value(std::string v) {
  auto n = std::make_shared<Node>();
  n->content = std::move(v);
  node_ = std::move(n);
}
Value::Value(Array v) {
  auto n = std::make_shared<Node>();
  n->content = std::move(v);
  node_ = std::move(n);
}
Value::Value(List v) {
  auto n = std::make_shared<Node>();
  n->content = std::move(v);
  node_ = std::move(n);
}
Value Value::record(std::string type, Fields fields) {
  auto n = std::make_shared<Node>();
  n->content = Record{std::move(type), std::move(fields)};
  Value v;
  v.node_ = std::move(n);
  return v;
}

Value::Kind Value::kind() const { return node_ ? static_cast<Kind>(node_->content.index()) : Kind::none; }

const std::string& Value::type() const {
  if (kind() == Kind::record)
    if (const auto& type = std::get<Record>(node_->content).type; !type.empty()) return type;
  return kind_name(kind());
}

const Value::Node& Value::need(Kind wanted) const {
  if (kind() != wanted)
    throw Error(Errc::type, "a " + kind_name(wanted) + " is needed and this is " + (none() ? "nothing" : describe()));
  return *node_;
}

bool Value::boolean() const { return std::get<bool>(need(Kind::boolean).content); }
double Value::number() const { return std::get<double>(need(Kind::number).content); }
const std::string& Value::text() const { return std::get<std::string>(need(Kind::text).content); }
const Array& Value::array() const { return std::get<Array>(need(Kind::array).content); }
const Value::List& Value::list() const { return std::get<List>(need(Kind::list).content); }
const Value::Fields& Value::fields() const { return std::get<Record>(need(Kind::record).content).fields; }

Value Value::field(std::string_view name) const {
  for (const auto& [key, value] : fields())
    if (key == name) return value;
  return {};
}

Hash Value::hash() const {
  if (!node_) return Hasher().add("none").done();
  std::call_once(node_->hashed, [&] {
    Hasher h;
    h.add(kind_name(kind()));
    switch (kind()) {
      case Kind::none:
        break;
      case Kind::boolean:
        h.add(boolean() ? "1" : "0");
        break;
      case Kind::number: {
        const double v = number() == 0 ? 0.0 : number();  // -0 and 0 are one setting
        h.add(&v, sizeof v);
        break;
      }
      case Kind::text:
        h.add(text());
        break;
      case Kind::array:
        h.add(hash_array(array()));
        break;
      case Kind::list:
        for (const auto& v : list()) h.add(v.hash());
        break;
      case Kind::record:
        h.add(type());
        for (const auto& [name, v] : fields()) h.add(name).add(v.hash());
    }
    node_->hash = h.done();
  });
  return node_->hash;
}

std::size_t Value::bytes() const {
  switch (kind()) {
    case Kind::text:
      return text().size();
    case Kind::array:
      return array().bytes();
    case Kind::list: {
      std::size_t sum = 0;
      for (const auto& v : list()) sum += v.bytes();
      return sum;
    }
    case Kind::record: {
      std::size_t sum = 0;
      for (const auto& [name, v] : fields()) sum += v.bytes();
      return sum;
    }
    default:
      return sizeof(double);
  }
}

namespace {
// The first array of a record.
const Array* array_of(const Value& v) {
  if (v.kind() != Value::Kind::record) return nullptr;
  for (const auto& [name, field] : v.fields())
    if (field.kind() == Value::Kind::array) return &field.array();
  return nullptr;
}
}  // namespace

std::string Value::describe() const {
  switch (kind()) {
    case Kind::none:
      return "nothing";
    case Kind::boolean:
      return boolean() ? "true" : "false";
    case Kind::number:
      return fmt::format("{:g}", number());
    case Kind::text: {
      const auto& t = text();
      return t.size() <= 60 ? "'" + t + "'" : "'" + t.substr(0, 57) + "...'";
    }
    case Kind::array:
      return array().describe();
    case Kind::list: {
      const auto& items = list();
      if (items.empty()) return "empty list";
      const bool same =
          std::all_of(items.begin(), items.end(), [&](const Value& v) { return v.type() == items[0].type(); });
      return fmt::format("list of {} {}", items.size(), same ? items[0].type() : "values");
    }
    case Kind::record: {
      for (const auto& [name, v] : fields()) {
        if (v.kind() == Kind::array) return type() + " " + v.array().describe();
        // Several arrays of one size, such as the maps of a fit: how many, and what the first is like.
        if (v.kind() != Kind::list || v.list().empty()) continue;
        std::vector<const Array*> held;
        for (const auto& item : v.list())
          if (const Array* a = array_of(item)) held.push_back(a);
        if (held.size() == v.list().size() &&
            std::all_of(held.begin(), held.end(), [&](const Array* a) { return a->shape() == held[0]->shape(); }))
          return fmt::format("{} of {} {}", type(), held.size(), held[0]->describe());
      }
      return fmt::format("{} of {} fields", type(), fields().size());
    }
  }
  return {};
}

double ValueTraits<double>::from(const Value& v) {
  if (v.kind() == Value::Kind::boolean) return v.boolean() ? 1 : 0;
  if (v.kind() == Value::Kind::array && v.array().size() == 1) {
    const Array a = v.array().to(Device::cpu()).cast(DType::f64).contiguous_copy();
    return a.data<double>()[0];
  }
  return v.number();
}

Array ValueTraits<Array>::from(const Value& v) {
  if (v.kind() == Value::Kind::number) {
    const double number = v.number();
    return Array::from(std::span<const double>(&number, 1), {});
  }
  if (v.kind() == Value::Kind::record)
    if (const Value data = v.field("data"); data.kind() == Value::Kind::array) return data.array();
  if (v.kind() == Value::Kind::list) {
    const auto numbers = ValueTraits<std::vector<double>>::from(v);
    return Array::from(std::span<const double>(numbers), {static_cast<std::int64_t>(numbers.size())}, {"x"});
  }
  return v.array();
}

Value ValueTraits<std::vector<double>>::to(const std::vector<double>& v) { return Value::List(v.begin(), v.end()); }

std::vector<double> ValueTraits<std::vector<double>>::from(const Value& v) {
  if (v.kind() == Value::Kind::number) return {v.number()};
  if (v.kind() == Value::Kind::array) {
    if (v.array().rank() > 1)
      throw Error(Errc::type, "a list of numbers is needed and this is " + v.describe(), "give an array of one axis");
    const Array a = v.array().to(Device::cpu()).cast(DType::f64).contiguous_copy();
    return {a.data<double>(), a.data<double>() + a.size()};
  }
  std::vector<double> out;
  for (const auto& item : v.list()) out.push_back(item.number());
  return out;
}

Value::List ValueTraits<Value::List>::from(const Value& v) {
  if (v.kind() == Value::Kind::list) return v.list();
  return {v};
}

}  // namespace larmor::flow
