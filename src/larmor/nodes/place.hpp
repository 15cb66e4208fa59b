// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>

/// Where and when the elements of images lie, for operations on axes.
namespace larmor::nodes {

/// Times [s] at positions between frames: on the line between neighbours, up to half a frame beyond the ends. Empty
/// when one is farther out, or there are none.
std::vector<double> times_at(const std::vector<double>& times, const std::vector<double>& at);

/// Errors   Errc::shape, with what to do, when two images of one grid lie apart
void require_same_place(const Image& a, const Image& b, const std::string& name_a, const std::string& name_b);

}  // namespace larmor::nodes
