// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/image.hpp>
#include <string>

namespace larmor::nodes {

/// JSON of a sidecar: the facts, who made it and, when given, how ("Provenance", a JSON text, becomes an object).
std::string sidecar_json(const Metadata& facts, const std::string& provenance);
/// a.nii.gz -> a.json, as BIDS names them.
std::filesystem::path sidecar_of_image(const std::filesystem::path& image);
/// The field "Provenance" of a JSON text, as JSON; empty when there is none. Errors   Errc::format
std::string provenance_in_json(const std::string& text, const std::string& name);
/// `provenance` added to a JSON object as a field; a value that is no object is put below "Value".
std::string with_provenance(const std::string& json, const std::string& provenance);

/// .nii or .nii.gz with its sidecar: metadata, times, provenance in both. Errors   those of io::write_nifti
void write_image_file(const std::filesystem::path& path, const Image& image, const std::string& description,
                      const std::string& provenance);

}  // namespace larmor::nodes
