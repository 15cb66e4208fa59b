// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/asl_ports.hpp>
#include <map>

#include "asl_job.hpp"
#include "series_reader.hpp"

namespace larmor::cli {

/// Reads what `larmor asl` works on: the series with its volume types, how blood was labelled, and the images beside
/// it. Errors   Errc::file, Errc::format, Errc::shape, Errc::usage with the file or the line of the configuration
class AslReader : protected SeriesReader {
 protected:
  AslReader(const Config& config, const std::filesystem::path& data);

  Image series_, m0_;
  std::vector<std::uint8_t> mask_, m0_region_;
  std::vector<float> T1_;
  std::map<std::string, std::vector<float>> fractions_;
  asl::Given given_;
  asl::Protocol protocol_;
  std::vector<asl::Role> roles_;
  std::string m0_from_;  // in words

 private:
  void series();
  void volume_types(const std::filesystem::path& series);
  void acquisition();
  void check_order();
  void other_images();
  void find_M0();
  std::vector<double> own(const char* key, std::initializer_list<const char*> fields);

  AslFiles found_;
  std::filesystem::path context_;
};

}  // namespace larmor::cli
