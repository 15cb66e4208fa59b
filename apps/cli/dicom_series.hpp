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

/// Results do not lie among what they are made from: it would be changed, and read as more of it the next time.
/// Errors   Errc::usage when `out` is `from` or lies in it
void require_outside(const std::string& out, const std::string& from);

}  // namespace larmor::cli
