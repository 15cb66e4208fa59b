// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value.hpp>

#include "http.hpp"
#include "slices.hpp"

namespace larmor::server {

struct Download {
  std::string format;  // "nii.gz", "nii", "npy", "csv", "png", "json", "txt", "html"
  std::string name;    // of the file, without ending
  std::string path = {};
  SliceQuery slice = {};         // png: which plane, and its window
  std::string colours = "grey";  // png
  std::size_t most_bytes = std::size_t{256} << 20;
};
/// A value as a file. Errors   Errc::unknown_name for a format, Errc::type for one that the value does not have,
/// HttpError 413
Response download(const flow::Value& value, const Download& how);

}  // namespace larmor::server
