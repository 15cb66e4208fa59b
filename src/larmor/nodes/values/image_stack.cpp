// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/image_stack.hpp>

namespace larmor::nodes {

using flow::Value;
using flow::ValueTraits;

flow::Value slice_image(const Value& value, const std::string& axis, std::int64_t index) {
  Image image = ValueTraits<Image>::from(value);
  const int a = need_axis(image.data, axis);
  if (axis == "x" || axis == "y" || axis == "z") {
    const auto column = static_cast<std::size_t>(axis[0] - 'x');
    image.data = image.data.range(a, index, index + 1);
    for (auto& row : image.affine.m) row[3] += static_cast<double>(index) * row[column];
    return ValueTraits<Image>::to(image);
  }
  image.data = image.data.slice(a, index);
  if (axis == "t") image.times.clear();
  return ValueTraits<Image>::to(image);
}

flow::Value stack_images(const flow::Stacked& parts) {
  Value::Fields fields;
  for (const auto& [name, v] : parts.slices.at(0).fields()) fields.emplace_back(name, name == "data" ? parts.data : v);
  Image image = ValueTraits<Image>::from(Value::record("image", std::move(fields)));
  if (parts.axis == "t" && parts.like.type() == "image") {
    const Image like = ValueTraits<Image>::from(parts.like);
    if (like.times.size() == parts.slices.size()) image.times = like.times;
  }
  return ValueTraits<Image>::to(image);
}

}  // namespace larmor::nodes
