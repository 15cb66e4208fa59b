// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// Enhanced Structured Report by TID 1500 "Measurement Report" (PS3.16): the images; for every side and structure its
/// volume and percentile with the segment that it is of (TID 1411); what is derived of several of them, that is totals,
/// their percentile and change, asymmetry (TID 1420); notes for a person to read.
///
/// segs   the segmentation object of each side, in their order
dicom::Dataset make_sr(const Results& results, const std::vector<dicom::Dataset>& segs, int series_number);

}  // namespace larmor::clinic
