// SPDX-License-Identifier: Apache-2.0
#include "dicom_series.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace larmor::cli {
namespace {

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return s;
}

}  // namespace

Option series_option() {
  return text("--series", "number, UID, or words of the description of one series; default: the only one");
}

void require_outside(const std::string& out, const std::string& from) {
  std::error_code ec;
  const auto inside =
      std::filesystem::weakly_canonical(out, ec).lexically_relative(std::filesystem::weakly_canonical(from, ec));
  if (!inside.empty() && *inside.begin() != "..")
    throw Error(Errc::usage, fmt::format("--out {} lies in {}, which is read", out, from),
                "name a folder outside of it: what is read is not changed");
}

const dicom::Series& chosen_series(const dicom::Found& found, const std::string& wanted) {
  std::vector<const dicom::Series*> all, fit;
  for (const auto& study : found.studies)
    for (const auto& series : study.series)
      if (series.head().has_pixels()) all.push_back(&series);
  for (const auto* s : all)
    if (wanted.empty() || s->uid == wanted || s->head().text("SeriesNumber") == wanted) fit.push_back(s);
  if (fit.empty())
    for (const auto* s : all)
      if (lower(s->description).find(lower(wanted)) != std::string::npos) fit.push_back(s);
  if (fit.size() == 1) return *fit[0];
  std::string list;
  for (const auto* s : fit.empty() ? all : fit)
    list += fmt::format("{}{} {}", list.empty() ? "" : "; ", s->head().text("SeriesNumber"), s->describe());
  if (all.empty()) throw Error(Errc::format, "no images are here", dicom::rejected_text(found.rejected));
  throw Error(Errc::usage,
              wanted.empty() ? fmt::format("{} series of images are here", all.size())
                             : fmt::format("{} series fit '{}'", fit.size(), wanted),
              "choose one with --series: " + list);
}

}  // namespace larmor::cli
