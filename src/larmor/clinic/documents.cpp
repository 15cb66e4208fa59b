// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <larmor/clinic/derive.hpp>
#include <larmor/clinic/page.hpp>

namespace larmor::clinic {
namespace {

void refer_to_source(dicom::Item& to, std::string_view sequence, const Results& r) {
  for (const auto& side : r.sides) {
    std::size_t last = side.series.instances.size();
    for (const auto& f : side.frames) {
      if (f.instance == last) continue;
      const auto& source = side.series.instances[last = f.instance].data;
      to.add(sequence)
          .set("ReferencedSOPClassUID", source.text("SOPClassUID"))
          .set("ReferencedSOPInstanceUID", source.text("SOPInstanceUID"));
    }
  }
}

}  // namespace

dicom::Dataset make_pdf(const Results& r, int series_number) {
  auto d = begin_object(r, {"1.2.840.10008.5.1.4.1.1.104.1", "DOC", "Hippocampus report (PDF)", series_number});
  auto pdf = report_pdf(r);
  d.set("ConversionType", "WSD").set("BurnedInAnnotation", "YES").set("AcquisitionDateTime", "");
  refer_to_source(d, "SourceInstanceSequence", r);
  d.set("DocumentTitle", "Hippocampal volumetry");
  add_code(d, "ConceptNameCodeSequence", {"126000", "DCM", "Imaging Measurement Report"});
  d.set("MIMETypeOfEncapsulatedDocument", "application/pdf");
  if (pdf.size() % 2) pdf.push_back(std::byte{0});
  d.set_bytes("EncapsulatedDocument", pdf);
  return d;
}

dicom::Dataset make_secondary_capture(const Results& r, int series_number) {
  auto d = begin_object(r, {"1.2.840.10008.5.1.4.1.1.7", "OT", "Hippocampus report", series_number});
  const auto page = report_picture(r);
  d.set("Laterality", r.sides.size() == 1 ? side_letter(r.sides[0]) : std::string());
  d.set("ConversionType", "WSD").set("DateOfSecondaryCapture", r.made_date).set("TimeOfSecondaryCapture", r.made_time);
  d.set("ImageType", "DERIVED\\SECONDARY").set("PatientOrientation", "").set("BurnedInAnnotation", "YES");
  d.set("SamplesPerPixel", 3).set("PhotometricInterpretation", "RGB").set("PlanarConfiguration", 0);
  d.set("Rows", page.height)
      .set("Columns", page.width)
      .set("BitsAllocated", 8)
      .set("BitsStored", 8)
      .set("HighBit", 7)
      .set("PixelRepresentation", 0);
  d.set("LossyImageCompression", "00");
  refer_to_source(d, "SourceImageSequence", r);
  std::vector<std::byte> bytes(page.pixels.size() + page.pixels.size() % 2);
  std::memcpy(bytes.data(), page.pixels.data(), page.pixels.size());
  d.set_bytes("PixelData", bytes);
  return d;
}

}  // namespace larmor::clinic
