// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

struct WriteOptions {
  bool fractional = false;  // SEG with 8-bit frames
  bool pdf = true, secondary_capture = true;
  int series_number = 9900;     // of the first object; the others follow
  std::string provenance = {};  // JSON
};
/// Everything that is kept of one study, into a folder: labels (NIfTI; one a side), seg.dcm, sr.dcm, report.dcm (PDF in
/// DICOM), page.dcm (Secondary Capture), report.pdf, results.json, results.csv. Returns the DICOM objects.
/// The folder should be an OutputFolder: it holds all of them or none. Errors   Errc::file
std::vector<std::filesystem::path> write_results(const std::filesystem::path& folder, const Results& results,
                                                 const WriteOptions& options = {});

/// What write_results wrote into `folder` before and does not write now, once `fresh` is there: reports and objects of
/// other numbers, or of another person, that must not stand beside the new ones. Only where `folder` holds results.
std::vector<std::filesystem::path> stale_results(const std::filesystem::path& folder,
                                                 const std::filesystem::path& fresh);

}  // namespace larmor::clinic
