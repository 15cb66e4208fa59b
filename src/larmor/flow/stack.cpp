// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <larmor/flow/stack.hpp>
#include <larmor/flow/value_traits.hpp>
#include <mutex>

namespace larmor::flow {
namespace {

int find_axis(const Array& a, const std::string& axis) {
  const auto it = std::find(a.axes().begin(), a.axes().end(), axis);
  return it == a.axes().end() ? -1 : static_cast<int>(it - a.axes().begin());
}

// The array of a value: itself, or the field "data" of a record.
Array array_of(const Value& value) {
  if (value.kind() == Value::Kind::array) return value.array();
  if (value.kind() == Value::Kind::record)
    if (const Value data = value.field("data"); data.kind() == Value::Kind::array) return data.array();
  return {};
}
bool has_array(const Value& value) {
  return value.kind() == Value::Kind::array ||
         (value.kind() == Value::Kind::record && value.field("data").kind() == Value::Kind::array);
}

Value with_data(const Value& record, const Value& data) {
  Value::Fields fields;
  for (const auto& [name, v] : record.fields()) fields.emplace_back(name, name == "data" ? data : v);
  return Value::record(record.type() == "record" ? "" : record.type(), std::move(fields));
}

const Type* type_of(const Types& types, const Value& value) {
  return types.has(value.type()) ? &types.get(value.type()) : nullptr;
}

// Copies into a view, in runs as long as both lie in order.
void copy_into(const Array& to, const Array& from) {
  const std::size_t element = size_of(from.dtype());
  const int rank = from.rank();
  std::int64_t run = 1;
  int whole = 0;
  while (whole < rank && (from.extent(whole) == 1 || (to.strides()[static_cast<std::size_t>(whole)] == run &&
                                                      from.strides()[static_cast<std::size_t>(whole)] == run)))
    run *= from.extent(whole++);
  auto* target = static_cast<std::byte*>(const_cast<void*>(to.raw()));
  const auto* source = static_cast<const std::byte*>(from.raw());
  if (from.size() == 0) return;
  Shape index(static_cast<std::size_t>(rank), 0);
  std::int64_t at = 0, out = 0;
  for (;;) {
    copy_bytes(target + static_cast<std::size_t>(out) * element, to.device(),
               source + static_cast<std::size_t>(at) * element, from.device(), static_cast<std::size_t>(run) * element);
    int axis = whole;
    for (; axis < rank; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      at += from.strides()[a], out += to.strides()[a];
      if (++index[a] < from.extent(axis)) break;
      at -= from.strides()[a] * from.extent(axis), out -= to.strides()[a] * from.extent(axis);
      index[a] = 0;
    }
    if (axis >= rank) return;
  }
}

}  // namespace

std::int64_t elements_along(const Value& value, const std::string& axis) {
  if (value.kind() == Value::Kind::list) return static_cast<std::int64_t>(value.list().size());
  if (axis.empty() || !has_array(value)) return -1;
  const Array a = array_of(value);
  const int i = find_axis(a, axis);
  return i < 0 ? -1 : a.extent(i);
}

Value slice_of(const Value& value, const std::string& axis, std::int64_t index, const Types& types) {
  if (value.kind() == Value::Kind::list) return value.list().at(static_cast<std::size_t>(index));
  if (const Type* type = type_of(types, value); type && type->slice) return type->slice(value, axis, index);
  const Array a = array_of(value);
  const Value part = a.slice(a.axis(axis), index);
  return value.kind() == Value::Kind::record ? with_data(value, part) : part;
}

Axes axes_before(const Value& value, const std::string& axis) {
  if (!has_array(value)) return {};
  const Axes axes = array_of(value).axes();
  return {axes.begin(), std::find(axes.begin(), axes.end(), axis)};
}

struct Stacker::State {
  explicit State(const Types& types_) : types(types_) {}
  const Types& types;
  std::string axis;
  std::int64_t count = 0;
  Axes before;
  Value like;
  bool as_list = false;

  std::mutex mutex;
  bool begun = false, arrays = false;
  Array whole;
  int place = 0;           // of the axis in the whole
  std::int64_t thick = 0;  // extent of a slice along the axis; 0: it has none
  Shape shape;             // of a slice
  Axes axes;
  std::vector<Value> items;  // without arrays, or records without their data

  void begin(const Value& first) {
    begun = true;
    arrays =
        !as_list && (has_array(first) || first.kind() == Value::Kind::number || first.kind() == Value::Kind::boolean);
    items.resize(static_cast<std::size_t>(count));
    if (!arrays) return;
    const Array a = plain(first);
    shape = a.shape(), axes = a.axes();
    Shape all = shape;
    Axes names = axes;
    place = find_axis(a, axis);
    if (place >= 0) {
      thick = a.extent(place);
      all[static_cast<std::size_t>(place)] *= count;
    } else {
      // None of them is left when an operation goes from one space to another: then what was in front still is.
      place = before.empty() ? 0 : a.rank();
      for (int i = 0; i < a.rank(); ++i)
        if (std::find(before.begin(), before.end(), axes[static_cast<std::size_t>(i)]) != before.end()) place = i + 1;
      all.insert(all.begin() + place, count), names.insert(names.begin() + place, axis);
    }
    whole = Array::uninitialised(a.dtype(), all, names, a.device());
  }

  static Array plain(const Value& value) {
    if (value.kind() == Value::Kind::boolean) {
      Array a = Array::uninitialised(DType::boolean, {}, {});
      *a.data<bool>() = value.boolean();
      return a;
    }
    return has_array(value) ? array_of(value) : ValueTraits<Array>::from(value);
  }
};

Stacker::Stacker(const Types& types, std::string axis, std::int64_t count, Axes before, Value like, bool as_list)
    : state_(std::make_unique<State>(types)) {
  state_->as_list = as_list || axis.empty();
  state_->axis = std::move(axis), state_->count = count;
  state_->before = std::move(before), state_->like = std::move(like);
}
Stacker::~Stacker() = default;

void Stacker::put(std::int64_t index, const Value& value) {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    if (!s.begun) s.begin(value);
    if (!s.arrays) {
      s.items[static_cast<std::size_t>(index)] = value;
      return;
    }
  }
  if (!has_array(value) && value.kind() != Value::Kind::number && value.kind() != Value::Kind::boolean)
    throw Error(Errc::type, fmt::format("slice {} gave {}, and others gave arrays", index, value.describe()));
  const Array a = State::plain(value);
  if (a.shape() != s.shape || a.axes() != s.axes || a.dtype() != s.whole.dtype())
    throw Error(Errc::shape,
                fmt::format("slice {} gave {}, and the first to end gave {} ({}) {}", index, a.describe(),
                            to_string(s.shape), fmt::join(s.axes, ", "), to_string(s.whole.dtype())),
                "slices stack when they have one shape and type");
  const std::int64_t from = s.thick ? index * s.thick : index;
  Array view = s.whole.range(s.place, from, from + (s.thick ? s.thick : 1));
  if (!s.thick) view = view.slice(s.place, 0);
  copy_into(view, a);
  if (value.kind() == Value::Kind::record) {
    const std::lock_guard lock(s.mutex);
    s.items[static_cast<std::size_t>(index)] = with_data(value, Value());
  }
}

std::size_t Stacker::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->whole.bytes();
}

Value Stacker::take() {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  if (!s.arrays) {
    if (s.count == 0 && !s.as_list)
      throw Error(Errc::shape, "mapped over axis '" + s.axis + "', which has no elements");
    if (s.items.empty()) s.items.resize(static_cast<std::size_t>(s.count));
    return Value(std::move(s.items));
  }
  Value data(std::move(s.whole));
  const Value first = s.items.empty() ? Value() : s.items[0];
  if (first.kind() != Value::Kind::record) return data;
  const Type* type = type_of(s.types, first);
  if (type && type->stack) return type->stack({data, s.items, s.axis, s.like});
  return with_data(first, data);
}

Value stack_sweeps(const std::vector<Value>& values, const Axes& axes, const std::vector<int>& counts,
                   const Types& types) {
  std::vector<Value> level = values;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const auto n = static_cast<std::size_t>(counts[k]);
    std::vector<Value> next;
    for (std::size_t begin = 0; begin + n <= level.size(); begin += n) {
      Axes before;  // all: the new axis is the last
      if (has_array(level[begin])) before = array_of(level[begin]).axes();
      Stacker stack(types, axes[k], static_cast<std::int64_t>(n), before, {});
      for (std::size_t i = 0; i < n; ++i) stack.put(static_cast<std::int64_t>(i), level[begin + i]);
      next.push_back(stack.take());
    }
    level = std::move(next);
  }
  return level.at(0);
}

}  // namespace larmor::flow
