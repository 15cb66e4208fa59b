// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {

int need_axis(const Array& array, const std::string& name) {
  const auto& axes = array.axes();
  const auto it = std::find(axes.begin(), axes.end(), name);
  if (it == axes.end()) throw unknown_name("axis", name, axes).at(array.describe());
  return static_cast<int>(it - axes.begin());
}

Gridded Gridded::with(Array other) const {
  Gridded out{std::move(other), geometry};
  if (!out.geometry) return out;
  const auto& axes = out.data.axes();
  if (axes.size() < 3 || axes[0] != "x" || axes[1] != "y" || axes[2] != "z") {
    out.geometry.reset();  // an image is (x, y, z, ...)
    return out;
  }
  for (int a = 0; a < 3; ++a)
    if (out.data.extent(a) != data.extent(a)) {  // the affine is that of another grid
      out.geometry.reset();
      return out;
    }
  const auto t = std::find(axes.begin(), axes.end(), "t");
  const auto frames = t == axes.end() ? 0 : out.data.shape()[static_cast<std::size_t>(t - axes.begin())];
  if (static_cast<std::int64_t>(out.geometry->times.size()) != frames) out.geometry->times.clear();
  return out;
}

Image Gridded::image() const {
  Image out = geometry ? *geometry : Image{};
  out.data = data;
  return out;
}

}  // namespace larmor::nodes

namespace larmor::flow {
namespace {

Value meta_value(const MetaValue& meta) {
  return std::visit(
      [](const auto& v) -> Value {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::vector<double>> || std::is_same_v<T, std::vector<std::string>>)
          return Value::List(v.begin(), v.end());
        else
          return v;
      },
      meta);
}

std::optional<MetaValue> meta_of(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::boolean:
      return v.boolean();
    case Value::Kind::number:
      return v.number();
    case Value::Kind::text:
      return v.text();
    case Value::Kind::list: {
      const auto& items = v.list();
      const auto all = [&](Value::Kind kind) {
        return std::all_of(items.begin(), items.end(), [&](const Value& i) { return i.kind() == kind; });
      };
      if (all(Value::Kind::number)) return ValueTraits<std::vector<double>>::from(v);
      if (!all(Value::Kind::text)) return {};
      std::vector<std::string> texts;
      for (const auto& i : items) texts.push_back(i.text());
      return texts;
    }
    default:
      return {};
  }
}

}  // namespace

Value value_of(const Metadata& meta) {
  Value::Fields fields;
  for (const auto& [name, v] : meta) fields.emplace_back(name, meta_value(v));
  return Value::record("", std::move(fields));
}

Metadata metadata_of(const Value& value) {
  Metadata out;
  if (value.kind() != Value::Kind::record) return out;
  for (const auto& [name, v] : value.fields())
    if (auto m = meta_of(v)) out[name] = std::move(*m);
  return out;
}

Value ValueTraits<Image>::to(const Image& image) {
  std::vector<double> affine;
  for (const auto& row : image.affine.m) affine.insert(affine.end(), row.begin(), row.end());
  return Value::record("image", {{"data", image.data},
                                 {"affine", ValueTraits<std::vector<double>>::to(affine)},  // row-major 4 x 4
                                 {"times", ValueTraits<std::vector<double>>::to(image.times)},
                                 {"meta", value_of(image.meta)},
                                 {"source", image.source}});
}

Image ValueTraits<Image>::from(const Value& value) {
  if (value.type() != "image")
    throw Error(Errc::type, "an image is needed and this is " + value.describe(),
                "give an array its place with image.from_array");
  Image image;
  image.data = value.field("data").array();
  const auto affine = ValueTraits<std::vector<double>>::from(value.field("affine"));
  if (affine.size() != 16)
    throw Error(Errc::shape, "the affine of an image holds " + std::to_string(affine.size()) + " numbers",
                "give 16, row by row");
  for (std::size_t k = 0; k < 16; ++k) image.affine.m[k / 4][k % 4] = affine[k];
  if (const Value times = value.field("times"); !times.none())
    image.times = ValueTraits<std::vector<double>>::from(times);
  image.meta = metadata_of(value.field("meta"));
  if (const Value source = value.field("source"); source.kind() == Value::Kind::text) image.source = source.text();
  return image;
}

Value ValueTraits<nodes::Gridded>::to(const nodes::Gridded& gridded) {
  if (!gridded.geometry) return gridded.data;
  return ValueTraits<Image>::to(gridded.image());
}

nodes::Gridded ValueTraits<nodes::Gridded>::from(const Value& value) {
  if (value.type() != "image") return {ValueTraits<Array>::from(value), {}};
  Image image = ValueTraits<Image>::from(value);
  Array data = std::move(image.data);
  image.data = Array();
  return {std::move(data), std::move(image)};
}

}  // namespace larmor::flow
