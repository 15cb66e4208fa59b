// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <larmor/io/table.hpp>
#include <larmor/perfusion/asl/model.hpp>

namespace {

std::filesystem::path kinetics_file() {
  const char* root = std::getenv("LARMOR_TEST_DATA");
  return std::filesystem::path(root && *root ? root : LARMOR_SOURCE_DIR "/../shared/data") / "asl" /
         "asldro_gkm_validation.csv";
}

/// Time courses of the general kinetic model computed by the asldro project (MIT), written with 16 digits.
TEST(GoldenAsl, KineticModelIsThatOfAsldro) {
  if (!std::filesystem::exists(kinetics_file())) GTEST_SKIP() << "no " << kinetics_file() << " (set LARMOR_TEST_DATA)";
  const auto table = larmor::io::read_table(kinetics_file());
  ASSERT_GT(table.rows.size(), 40u);
  double largest = 0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto value = [&](const char* name) { return table.number(i, name); };
    const double partition = value("lambda_blood_brain");
    const auto& model = larmor::asl::models().get(table.cell(i, "label_type") == "PASL" ? "asl.pasl" : "asl.pcasl");
    const std::vector<larmor::asl::Sample> samples{
        {.time = value("signal_time_s"), .LD = value("label_duration_s"), .efficiency = value("label_efficiency")}};
    const std::vector<double> params{value("perfusion_rate_ml_100g_min") / 6, value("transit_time_s")};
    const double found = value("m0") / partition *
                         larmor::asl::signal(model, samples, params,
                                             {.T1_tissue = value("t1_tissue_s"),
                                              .T1_blood = value("t1_arterial_blood_s"),
                                              .slice_delay = 0,
                                              .partition = partition})[0];
    largest = std::max(largest, std::abs(found - value("delta_m")));
    EXPECT_NEAR(found, value("delta_m"), 1e-9) << "row " << i;
  }
  std::printf("asldro kinetics: %zu samples, largest difference %.1e\n", table.rows.size(), largest);
}

}  // namespace
