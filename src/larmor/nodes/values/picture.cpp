// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/picture.hpp>

namespace larmor::flow {

Value ValueTraits<io::Picture>::to(const io::Picture& picture) {
  return Value::record(
      "picture", {{"data", Array::from<std::uint8_t>(picture.pixels, {picture.channels, picture.width, picture.height},
                                                     {"channel", "x", "y"})}});
}

io::Picture ValueTraits<io::Picture>::from(const Value& value) {
  if (value.type() != "picture")
    throw Error(Errc::type, "a picture is needed and this is " + value.describe(), "read one with io.read_png");
  const Array data = value.field("data").array().to(Device::cpu()).contiguous_copy();
  const auto channels = data.extent(0);
  if (data.dtype() != DType::u8 || data.rank() != 3 || (channels != 1 && channels != 3 && channels != 4) ||
      data.extent(1) > 1 << 20 || data.extent(2) > 1 << 20)
    throw Error(Errc::shape, "a picture of " + data.describe(),
                "give u8 (channel, x, y) with 1, 3 or 4 channels and at most a million rows and columns");
  io::Picture out{.width = static_cast<int>(data.extent(1)),
                  .height = static_cast<int>(data.extent(2)),
                  .channels = static_cast<int>(channels),
                  .pixels = {}};
  out.pixels.assign(data.span<std::uint8_t>().begin(), data.span<std::uint8_t>().end());
  return out;
}

}  // namespace larmor::flow
