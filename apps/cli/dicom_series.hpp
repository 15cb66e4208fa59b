// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/io/dicom/scan.hpp>
#include <larmor/io/dicom/volume.hpp>

#include "command.hpp"

namespace larmor::cli {

/// The series that --series names (number, UID, or words of the description, upper and lower case alike), or the only
/// one that has pictures. Errors   Errc::usage with the list of series
const dicom::Series& chosen_series(const dicom::Found& found, const std::string& wanted);
Option series_option();

}  // namespace larmor::cli
