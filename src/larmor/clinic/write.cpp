// SPDX-License-Identifier: Apache-2.0
#include <larmor/clinic/page.hpp>
#include <larmor/clinic/seg.hpp>
#include <larmor/clinic/sr.hpp>
#include <larmor/clinic/write.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>

namespace larmor::clinic {

std::vector<std::filesystem::path> write_results(const std::filesystem::path& folder, const Results& r,
                                                 const WriteOptions& o) {
  std::vector<std::filesystem::path> objects;
  int number = o.series_number;
  const auto keep = [&](const dicom::Dataset& d, const std::string& name) {
    d.write(folder / name);
    objects.push_back(folder / name);
  };
  const bool two = r.sides.size() > 1;
  std::vector<dicom::Dataset> segs;
  for (const auto& side : r.sides) {
    const std::string suffix = two ? "_" + side.side : "";
    segs.push_back(make_seg(r, side, ++number, o.fractional));
    keep(segs.back(), "seg" + suffix + ".dcm");
    io::write_nifti(folder / ("labels" + suffix + ".nii.gz"), side.labels,
                    {.description = "0 background, 1 anterior, 2 posterior hippocampus", .provenance = o.provenance});
  }
  keep(make_sr(r, segs, ++number), "sr.dcm");
  if (o.pdf) {
    keep(make_pdf(r, ++number), "report.dcm");
    const auto pdf = report_pdf(r);
    io::write_bytes(folder / "report.pdf", pdf.data(), pdf.size());
  }
  if (o.secondary_capture) keep(make_secondary_capture(r, ++number), "page.dcm");
  write_results_csv(folder / "results.csv", r);
  io::write_text(folder / "results.json", results_json(r, o.provenance));
  return objects;
}

std::vector<std::filesystem::path> stale_results(const std::filesystem::path& folder,
                                                 const std::filesystem::path& fresh) {
  std::vector<std::filesystem::path> out;
  std::error_code ec;
  if (!std::filesystem::exists(folder / "results.json", ec)) return out;
  std::vector<std::string> names{"sr.dcm",      "report.dcm", "page.dcm",  "report.pdf",
                                 "results.csv", "sent.json",  "batch.json"};
  for (const char* suffix : {"", "_left", "_right"}) {
    names.push_back(std::string("seg") + suffix + ".dcm");
    names.push_back(std::string("labels") + suffix + ".nii.gz");
  }
  for (const auto& name : names)
    if (std::filesystem::exists(folder / name, ec) && !std::filesystem::exists(fresh / name, ec))
      out.push_back(folder / name);
  return out;
}

}  // namespace larmor::clinic
