// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/parallel.hpp>
#include <larmor/io/dicom/scan.hpp>
#include <larmor/io/file.hpp>
#include <map>
#include <optional>
#include <set>

namespace larmor::dicom {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& path, const Cancel* cancel) {
  std::vector<fs::path> files;
  std::error_code ec;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(path, options, ec); !ec && it != fs::recursive_directory_iterator();
       it.increment(ec)) {
    if (cancel) cancel->check();
    if (it->is_regular_file(ec)) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
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
  std::vector<std::string> reasons(files.size());
  progress.begin("reading DICOM headers", files.size());
  parallel_for(
      files.size(), 4,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) try {
            if (!Dataset::is_dicom(files[i]))
              reasons[i] = "no DICOM";
            else
              data[i] = Dataset::read(files[i]);
          } catch (const Error& e) {
            reasons[i] = e.message();
          }
        progress.add(end - begin);
      },
      cancel);
  progress.end();

  std::map<std::pair<std::string, std::string>, std::map<std::string, Series>> studies;
  std::map<std::string, fs::path> instances;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!data[i]) {
      found.rejected.push_back({files[i], reasons[i]});
      continue;
    }
    const Dataset& d = *data[i];
    if (d.text("SOPClassUID") == "1.2.840.10008.1.3.10") continue;  // DICOMDIR: an index, no object
    if (const auto id = d.text("SOPInstanceUID"); !id.empty()) {
      const auto [there, first] = instances.try_emplace(id, files[i]);
      if (!first) {
        found.rejected.push_back({files[i], "the same object as " + there->second.string()});
        continue;
      }
    }
    auto& series = studies[{d.text("PatientID"), d.text("StudyInstanceUID")}][d.text("SeriesInstanceUID")];
    if (series.instances.empty()) {
      series.uid = d.text("SeriesInstanceUID");
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
    if (r.reason == "no DICOM") {
      ++foreign;
      continue;
    }
    ++other;
    if (!first) first = &r;
  }
  std::string text;
  if (foreign) text = fmt::format("{} file{} no DICOM", foreign, foreign == 1 ? " is" : "s are");
  if (other)
    text += fmt::format("{}{} left out ({}: {})", text.empty() ? "" : ", ",
                        other == 1 ? "1 file is" : std::to_string(other) + " files are",
                        first->file.filename().string(), first->reason);
  return text;
}

}  // namespace larmor::dicom
