// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/types.hpp>

namespace larmor::nodes {

/// One index of an axis of an image, for nodes that are mapped over it. x, y and z stay with one element, at its place
/// in space; other axes go, t with its times. Errors   Errc::unknown_name for an axis that the image does not have
flow::Value slice_image(const flow::Value& image, const std::string& axis, std::int64_t index);
/// The way back: the place is that of the first slice, times along t are those of the image that was sliced.
flow::Value stack_images(const flow::Stacked& parts);

}  // namespace larmor::nodes
