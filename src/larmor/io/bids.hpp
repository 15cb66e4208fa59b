// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/image.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::io {

/// Sidecar metadata of an image by the BIDS inheritance principle: every .json from the dataset root (the nearest
/// folder upwards that holds dataset_description.json; else the one that holds the subject's folder sub-...; else only
/// the file's own folder) down to the file's folder whose
/// suffix matches and whose entities are all in the file's name; nearer files win. Empty when there is none. Errors
/// Errc::format (JSON syntax with line and column; two applicable files at one level)
Metadata read_sidecar(const std::filesystem::path& image_path);
Metadata read_json_metadata(const std::filesystem::path& json_path);
/// The same from text; objects inside objects are kept as JSON text, null is left out. `name` is used in errors.
Metadata parse_json_metadata(const std::string& text, const std::string& name);

/// Entities of a BIDS file name: sub-01_ses-2_acq-a_bold.nii.gz -> {sub:01, ses:2, acq:a}, suffix "bold".
struct BidsName {
  std::map<std::string, std::string> entities;
  std::string suffix, extension;
};
BidsName parse_bids_name(const std::filesystem::path& path);

/// Image files (.nii, .nii.gz) below `folder` whose suffix is `suffix`, sorted by name.
std::vector<std::filesystem::path> find_bids(const std::filesystem::path& folder, const std::string& suffix);

/// read_nifti plus its sidecar in image.meta; frame times from FrameTimesStart, VolumeTiming or AcquisitionTime lists
/// [s] win over the header's.
Image read_image(const std::filesystem::path& path);

}  // namespace larmor::io
