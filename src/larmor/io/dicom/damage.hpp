// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/io/dicom/scan.hpp>

/// Files of a scan that cannot be used, and the series that they belong to: one may be a slice of a volume that looks
/// whole without it.
namespace larmor::dicom {

struct Damaged {
  std::filesystem::path file;
  std::string reason;
  // As far as the file still tells them; series is empty where it does not.
  std::string patient, study, series, description;
  bool is_of(const Study& study) const;
  bool is_of(const Series& series) const;
};

std::vector<Damaged> damaged_files(const Found& found);

/// Errors   Errc::format with the first damaged file of the series
void require_whole(const Series& series, const std::vector<Damaged>& damaged);

}  // namespace larmor::dicom
