// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/io/dicom/dataset.hpp>

namespace larmor::dicom {

struct Instance {
  std::filesystem::path file;
  Dataset data;  // attributes; pixels stay in the file
};

struct Series {
  std::string uid, description, modality;
  std::vector<Instance> instances;  // by InstanceNumber, then by name
  const Dataset& head() const { return instances.front().data; }
  /// Description, modality, number of objects, UID: one line to tell it from others.
  std::string describe() const;
};

struct Study {
  std::string patient_id, patient_name, uid;
  std::vector<Series> series;  // by SeriesNumber, then by UID
  const Dataset& head() const { return series.front().head(); }
};

struct Rejected {
  enum class Kind {
    foreign,  // no DICOM
    index,    // a DICOMDIR, which names files and holds none
    copy,     // of an object that is there
    damaged   // or one that cannot be told from another
  };
  std::filesystem::path file;
  std::string reason;
  Kind kind = Kind::damaged;
};

struct Found {
  std::vector<Study> studies;  // by patient and study; told apart by content, never by folder names
  std::vector<Rejected> rejected;
  std::size_t files = 0;  // looked at
};

/// All DICOM objects of a folder and those below it, or of one file. Links are followed, each folder is read once.
/// Two patients who share a study UID are two studies. Errors   Errc::file (missing, empty folder)
Found scan(const std::filesystem::path& path, const Progress& progress = {}, const Cancel* cancel = nullptr);
/// The same of given files.
Found scan(std::vector<std::filesystem::path> files, const Progress& progress = {}, const Cancel* cancel = nullptr);

/// "14 files are no DICOM, 1 is damaged (a/b.dcm: ...)"; empty when none was rejected.
std::string rejected_text(const std::vector<Rejected>& rejected);

}  // namespace larmor::dicom
