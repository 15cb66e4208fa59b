// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <ismrmrd/version.h>
#include <ismrmrd/xml.h>

#include <larmor/core/units.hpp>
#include <larmor/io/mrd_header.hpp>
#include <sstream>

namespace larmor::io {
namespace {

template <class T>
std::vector<double> numbers(const std::vector<T>& v) {
  return {v.begin(), v.end()};
}
std::vector<double> in_s(const std::vector<float>& ms) {
  std::vector<double> out;
  for (const float v : ms) out.push_back(static_cast<double>(v) * units::millisecond);
  return out;
}
void put(Metadata& meta, const char* key, const std::vector<double>& v) {
  if (v.size() == 1)
    meta[key] = v[0];
  else if (!v.empty())
    meta[key] = v;
}
void put(Metadata& meta, const char* key, const ISMRMRD::Optional<std::string>& text) {
  if (text.is_present() && !text->empty()) meta[key] = *text;
}

const char* name_of(ISMRMRD::TrajectoryType type) {
  switch (type) {
    case ISMRMRD::TrajectoryType::CARTESIAN:
      return "cartesian";
    case ISMRMRD::TrajectoryType::EPI:
      return "epi";
    case ISMRMRD::TrajectoryType::RADIAL:
      return "radial";
    case ISMRMRD::TrajectoryType::GOLDENANGLE:
      return "goldenangle";
    case ISMRMRD::TrajectoryType::SPIRAL:
      return "spiral";
    default:
      return "other";
  }
}

std::vector<double> meta_list(const Metadata& meta, const std::string& key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  if (const auto* v = std::get_if<std::vector<double>>(&it->second)) return *v;
  if (const auto* x = std::get_if<double>(&it->second)) return std::vector<double>(1, *x);
  return {};
}
std::optional<std::string> meta_text(const Metadata& meta, const std::string& key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  const auto* text = std::get_if<std::string>(&it->second);
  return text ? std::optional(*text) : std::nullopt;
}
std::vector<float> in_ms(const std::vector<double>& s) {
  std::vector<float> out;
  for (const double v : s) out.push_back(static_cast<float>(v / units::millisecond));
  return out;
}

}  // namespace

MrdHeader parse_mrd_header(const std::string& xml) {
  MrdHeader out;
  ISMRMRD::IsmrmrdHeader h;
  try {
    ISMRMRD::deserialize(xml.c_str(), h);
  } catch (const std::exception& e) {
    throw Error(Errc::format, fmt::format("the XML header is not valid: {}", e.what()), "is the file damaged?");
  }
  Metadata& meta = out.protocol;
  if (!h.encoding.empty()) {
    const auto& e = h.encoding[0];
    const auto &m = e.encodedSpace.matrixSize, &r = e.reconSpace.matrixSize;
    out.encoded = {m.x, m.y, m.z}, out.matrix = {r.x, r.y, r.z};
    const auto &f = e.encodedSpace.fieldOfView_mm, &g = e.reconSpace.fieldOfView_mm;
    out.encoded_fov = {f.x, f.y, f.z}, out.fov = {g.x, g.y, g.z};
    if (e.encodingLimits.kspace_encoding_step_1.is_present())
      out.centre_1 = e.encodingLimits.kspace_encoding_step_1->center;
    if (e.encodingLimits.kspace_encoding_step_2.is_present())
      out.centre_2 = e.encodingLimits.kspace_encoding_step_2->center;
    out.cartesian = e.trajectory == ISMRMRD::TrajectoryType::CARTESIAN || e.trajectory == ISMRMRD::TrajectoryType::EPI;
    meta["Trajectory"] = std::string(name_of(e.trajectory));
    put(meta, "EncodedMatrixSize", numbers(std::vector<std::int64_t>(out.encoded.begin(), out.encoded.end())));
    put(meta, "MatrixSize", numbers(std::vector<std::int64_t>(out.matrix.begin(), out.matrix.end())));
    put(meta, "EncodedFieldOfView", std::vector<double>(out.encoded_fov.begin(), out.encoded_fov.end()));
    put(meta, "FieldOfView", std::vector<double>(out.fov.begin(), out.fov.end()));
    if (e.parallelImaging.is_present())
      put(meta, "ParallelReductionFactorInPlane",
          std::vector<double>{static_cast<double>(e.parallelImaging->accelerationFactor.kspace_encoding_step_1)});
  }
  if (h.sequenceParameters.is_present()) {
    const auto& s = *h.sequenceParameters;
    if (s.TR.is_present()) put(meta, "RepetitionTime", in_s(*s.TR));
    if (s.TE.is_present()) put(meta, "EchoTime", in_s(*s.TE));
    if (s.TI.is_present()) put(meta, "InversionTime", in_s(*s.TI));
    if (s.flipAngle_deg.is_present()) put(meta, "FlipAngle", numbers(*s.flipAngle_deg));
    put(meta, "ScanningSequence", s.sequence_type);
  }
  if (h.experimentalConditions.H1resonanceFrequency_Hz > 0)
    meta["ImagingFrequency"] = static_cast<double>(h.experimentalConditions.H1resonanceFrequency_Hz) * 1e-6;
  if (h.acquisitionSystemInformation.is_present()) {
    const auto& s = *h.acquisitionSystemInformation;
    if (s.systemFieldStrength_T.is_present())
      meta["MagneticFieldStrength"] = static_cast<double>(*s.systemFieldStrength_T);
    put(meta, "Manufacturer", s.systemVendor);
    put(meta, "ManufacturersModelName", s.systemModel);
    put(meta, "InstitutionName", s.institutionName);
  }
  if (h.measurementInformation.is_present()) {
    put(meta, "ProtocolName", h.measurementInformation->protocolName);
    put(meta, "SeriesDescription", h.measurementInformation->seriesDescription);
  }
  return out;
}

std::string make_mrd_header(const Metadata& protocol, const MrdHeader& sizes, const std::array<std::int64_t, 8>& limits,
                            std::int64_t coils) {
  ISMRMRD::IsmrmrdHeader h;
  h.version = ISMRMRD_XMLHDR_VERSION;
  const auto MHz = meta_list(protocol, "ImagingFrequency");
  h.experimentalConditions.H1resonanceFrequency_Hz = MHz.empty() ? 0 : std::lround(MHz[0] * 1e6);
  ISMRMRD::AcquisitionSystemInformation system;
  system.receiverChannels = static_cast<unsigned short>(coils);
  if (const auto T = meta_list(protocol, "MagneticFieldStrength"); !T.empty())
    system.systemFieldStrength_T = static_cast<float>(T[0]);
  if (const auto text = meta_text(protocol, "Manufacturer")) system.systemVendor = *text;
  if (const auto text = meta_text(protocol, "ManufacturersModelName")) system.systemModel = *text;
  if (const auto text = meta_text(protocol, "InstitutionName")) system.institutionName = *text;
  h.acquisitionSystemInformation = system;
  if (meta_text(protocol, "ProtocolName") || meta_text(protocol, "SeriesDescription")) {
    ISMRMRD::MeasurementInformation m;
    m.patientPosition = "HFS";
    if (const auto text = meta_text(protocol, "ProtocolName")) m.protocolName = *text;
    if (const auto text = meta_text(protocol, "SeriesDescription")) m.seriesDescription = *text;
    h.measurementInformation = m;
  }
  ISMRMRD::SequenceParameters sequence;
  if (const auto v = meta_list(protocol, "RepetitionTime"); !v.empty()) sequence.TR = in_ms(v);
  if (const auto v = meta_list(protocol, "EchoTime"); !v.empty()) sequence.TE = in_ms(v);
  if (const auto v = meta_list(protocol, "InversionTime"); !v.empty()) sequence.TI = in_ms(v);
  if (const auto v = meta_list(protocol, "FlipAngle"); !v.empty())
    sequence.flipAngle_deg = std::vector<float>(v.begin(), v.end());
  if (const auto text = meta_text(protocol, "ScanningSequence")) sequence.sequence_type = *text;
  h.sequenceParameters = sequence;
  ISMRMRD::Encoding e;
  const auto space = [](const std::array<std::int64_t, 3>& n, const std::array<double, 3>& fov) {
    ISMRMRD::EncodingSpace s;
    s.matrixSize = ISMRMRD::MatrixSize(static_cast<unsigned short>(n[0]), static_cast<unsigned short>(n[1]),
                                       static_cast<unsigned short>(n[2]));
    s.fieldOfView_mm = {static_cast<float>(fov[0]), static_cast<float>(fov[1]), static_cast<float>(fov[2])};
    return s;
  };
  e.encodedSpace = space(sizes.encoded, sizes.encoded_fov);
  e.reconSpace = space(sizes.matrix, sizes.fov);
  const auto trajectory = meta_text(protocol, "Trajectory");
  e.trajectory = sizes.cartesian               ? ISMRMRD::TrajectoryType::CARTESIAN
                 : trajectory == "radial"      ? ISMRMRD::TrajectoryType::RADIAL
                 : trajectory == "spiral"      ? ISMRMRD::TrajectoryType::SPIRAL
                 : trajectory == "goldenangle" ? ISMRMRD::TrajectoryType::GOLDENANGLE
                                               : ISMRMRD::TrajectoryType::OTHER;
  const auto limit = [&](std::size_t counter) {
    const auto last = static_cast<unsigned short>(std::max<std::int64_t>(limits[counter], 1) - 1);
    return ISMRMRD::Limit(0, last, sizes.cartesian && counter < 2 ? static_cast<unsigned short>((last + 1) / 2) : 0);
  };
  auto& l = e.encodingLimits;
  l.kspace_encoding_step_0 = ISMRMRD::Limit(0, static_cast<unsigned short>(sizes.encoded[0] - 1),
                                            static_cast<unsigned short>(sizes.encoded[0] / 2));
  l.kspace_encoding_step_1 = limit(0), l.kspace_encoding_step_2 = limit(1), l.average = limit(2);
  l.slice = limit(3), l.contrast = limit(4), l.phase = limit(5), l.repetition = limit(6), l.set = limit(7);
  h.encoding.push_back(e);
  std::ostringstream out;
  ISMRMRD::serialize(h, out);
  return out.str();
}

}  // namespace larmor::io
