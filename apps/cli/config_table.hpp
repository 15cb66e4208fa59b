// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.hpp"

/// Keys that the tables of several pipelines have, or that are of one kind.
namespace larmor::cli {

/// One of the names of a registry. resolve: its full name
Key name_key(std::string path, std::string start, std::string meaning, Choices names,
             std::string (*resolve)(const std::string&) = nullptr, KeyKind kind = KeyKind::text);
/// A file that may be left out with the word none.
Key optional_file_key(std::string path, std::string meaning);
/// input.mask, voxels to `use` ("fit").
Key mask_key(std::string_view use);

}  // namespace larmor::cli
