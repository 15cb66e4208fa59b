// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/io/dicom/dcmtk.hpp>

namespace larmor::dicom {

/// The reverse of utf8: text as the item stores it, with a '?' for what its character set does not have. Bytes that are
/// no UTF-8 are stored already.
std::string stored(const std::string& text, DcmItem& item);

}  // namespace larmor::dicom
