// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// DICOM Segmentation (PS3.3 A.51) of one side: a segment a structure, frames of the slices in which it occurs.
///
/// fractional   8-bit frames: probabilities when there are some, else 0 and 255. For viewers that scramble binary
/// frames
///              whose number of pixels is no multiple of 8
dicom::Dataset make_seg(const Results& results, const Side& side, int series_number, bool fractional = false);

}  // namespace larmor::clinic
