// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <larmor/core/parallel.hpp>
#include <larmor/io/dicom/scan.hpp>
#include <larmor/io/file.hpp>
#include <map>
#include <optional>
#include <set>

namespace larmor::dicom {
namespace {

namespace fs = std::filesystem;

// Links are followed, but no folder is read twice: a link that leads back up would never end.
std::vector<fs::path> files_below(const fs::path& path, const Cancel* cancel) {
  std::vector<fs::path> files, folders{path};
  std::set<fs::path> seen;
  std::error_code ec;
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    if (auto real = fs::canonical(folder, ec); ec || !seen.insert(std::move(real)).second) continue;
    for (auto it = fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, ec);
         !ec && it != fs::directory_iterator(); it.increment(ec)) {
      if (cancel) cancel->check();
      std::error_code gone;
      const auto kind = it->status(gone).type();
      if (kind == fs::file_type::directory)
        folders.push_back(it->path());
      else if (kind == fs::file_type::regular)
        files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What tells two objects apart even when their identifier does not.
std::string place_of(const Dataset& d) {
  return fmt::format("InstanceNumber {}, ImagePositionPatient {}", d.text("InstanceNumber"),
                     d.text("ImagePositionPatient"));
}

double order_of(const Item& item, std::string_view name) { return item.number(name).value_or(0); }

}  // namespace

std::string Series::describe() const {
  return fmt::format("'{}' ({}, {} object{}, {})", description, modality, instances.size(),
                     instances.size() == 1 ? "" : "s", uid);
}

Found scan(const fs::path& path, const Progress& progress, const Cancel* cancel) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw io::missing_file(path);
  if (!fs::is_directory(path, ec)) return scan(std::vector{path}, progress, cancel);
  auto files = files_below(path, cancel);
  if (files.empty())
    throw Error(Errc::file, fmt::format("no file is in folder {}", path.string()), "name the folder of a DICOM study");
  return scan(std::move(files), progress, cancel);
}

Found scan(std::vector<fs::path> files, const Progress& progress, const Cancel* cancel) {
  Found found;
  found.files = files.size();
  std::vector<std::optional<Dataset>> data(files.size());
  std::vector<Rejected> bad(files.size());
  progress.begin("reading DICOM headers", files.size());
  parallel_for(
      files.size(), 4,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) try {
            if (!Dataset::is_dicom(files[i])) {
              bad[i] = {files[i], "no DICOM", Rejected::Kind::foreign};
            } else {
              data[i] = Dataset::read(files[i]);
              if (!data[i]->is_directory()) continue;
              data[i].reset();
              bad[i] = {files[i], "the index of a disk; its objects are the files beside it", Rejected::Kind::index};
            }
          } catch (const Error& e) {
            bad[i] = {files[i], e.message(), Rejected::Kind::damaged};
          }
        progress.add(end - begin);
      },
      cancel);
  progress.end();

  std::map<std::pair<std::string, std::string>, std::map<std::string, Series>> studies;
  // By patient and study too: copies for another patient may have kept the identifiers of the objects.
  std::map<std::array<std::string, 4>, std::size_t> instances;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!data[i]) {
      found.rejected.push_back(std::move(bad[i]));
      continue;
    }
    const Dataset& d = *data[i];
    const auto patient = d.text("PatientID"), study = d.text("StudyInstanceUID"), uid = d.text("SeriesInstanceUID");
    if (const auto id = d.text("SOPInstanceUID"); !id.empty()) {
      const auto [there, first] = instances.try_emplace({patient, study, uid, id}, i);
      if (!first) {
        const auto& other = files[there->second];
        const auto here = place_of(d), where = place_of(*data[there->second]);
        if (here == where)
          found.rejected.push_back({files[i], "the same object as " + other.string(), Rejected::Kind::copy});
        else
          found.rejected.push_back({files[i],
                                    fmt::format("{} and {} have one SOPInstanceUID and are two objects ({}; {})",
                                                files[i].string(), other.string(), here, where),
                                    Rejected::Kind::damaged});
        continue;
      }
    }
    auto& series = studies[{patient, study}][uid];
    if (series.instances.empty()) {
      series.uid = uid;
      series.description = d.text("SeriesDescription");
      series.modality = d.text("Modality");
    }
    series.instances.push_back({files[i], d});
  }
  for (auto& [key, all] : studies) {
    Study study{.patient_id = key.first, .patient_name = {}, .uid = key.second, .series = {}};
    for (auto& [uid, series] : all) {
      std::stable_sort(series.instances.begin(), series.instances.end(), [](const Instance& a, const Instance& b) {
        return order_of(a.data, "InstanceNumber") < order_of(b.data, "InstanceNumber");
      });
      if (study.patient_name.empty()) study.patient_name = series.head().text("PatientName");
      study.series.push_back(std::move(series));
    }
    std::stable_sort(study.series.begin(), study.series.end(), [](const Series& a, const Series& b) {
      return order_of(a.head(), "SeriesNumber") < order_of(b.head(), "SeriesNumber");
    });
    found.studies.push_back(std::move(study));
  }
  return found;
}

std::string rejected_text(const std::vector<Rejected>& rejected) {
  std::size_t foreign = 0, other = 0;
  const Rejected* first = nullptr;
  for (const auto& r : rejected) {
    if (r.kind == Rejected::Kind::index) continue;  // what it names is found without it
    if (r.kind == Rejected::Kind::foreign) {
      ++foreign;
      continue;
    }
    ++other;
    if (!first) first = &r;
  }
  std::string text;
  if (!foreign && !other && !rejected.empty())
    return fmt::format("{} is {}", rejected[0].file.filename().string(), rejected[0].reason);
  if (foreign) text = fmt::format("{} file{} no DICOM", foreign, foreign == 1 ? " is" : "s are");
  if (other)
    text += fmt::format("{}{} left out ({}: {})", text.empty() ? "" : ", ",
                        other == 1 ? "1 file is" : std::to_string(other) + " files are",
                        first->file.filename().string(), first->reason);
  return text;
}

}  // namespace larmor::dicom
