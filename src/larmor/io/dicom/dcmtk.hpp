// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <larmor/io/dicom/dataset.hpp>
#include <string>

/// What the sources of this folder share of DCMTK. No header outside of them includes it.
namespace larmor::dicom {

/// Decoders, and silence: what DCMTK has to say goes into our errors. Before anything else of it is used.
void set_up();

inline DcmTagKey key(Tag t) { return {t.group, t.element}; }
inline DcmItem& item_of(void* p) { return *static_cast<DcmItem*>(p); }
inline DcmFileFormat& file_of(const std::shared_ptr<void>& p) { return *static_cast<DcmFileFormat*>(p.get()); }

/// A value in UTF-8 by the character set of its item or of what holds the item; Latin-1 where that cannot be, so that
/// no byte is lost.
std::string utf8(const std::string& value, DcmItem& item);

}  // namespace larmor::dicom
