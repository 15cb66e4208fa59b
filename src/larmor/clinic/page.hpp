// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>
#include <larmor/io/png.hpp>

namespace larmor::clinic {

/// The report on one A4 page: who, volumes with units, three planes of each side with the segmentation on them, notes,
/// what it was made with. Planes are shown as radiologists look at them, from the feet and the front: the patient's
/// right is on the left; letters at the edges say so.
std::vector<std::byte> report_pdf(const Results& results);
/// The same drawing as RGB pixels.
io::Picture report_picture(const Results& results, double dots_per_inch = 130);

/// Encapsulated PDF (PS3.3 A.45.1) and Secondary Capture (A.8.1) of the page.
dicom::Dataset make_pdf(const Results& results, int series_number);
dicom::Dataset make_secondary_capture(const Results& results, int series_number);

}  // namespace larmor::clinic
