// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/labelling.hpp>
#include <larmor/perfusion/asl/model.hpp>
#include <larmor/perfusion/asl/protocol.hpp>
#include <numbers>

namespace larmor::asl {
namespace {

using testing::HasSubstr;

constexpr double shown = 6;  // mL/100g/min a mm3/(g s)

TEST(AslFormula, IsTheModelWhenTissueIsBloodAndAllHasArrived) {
  // With T1' of tissue that of blood, and arrival before the end of the delay, nothing is approximated.
  const double T1_blood = 1.65, CBF = 10, f = 0.01, partition = 0.9, T1 = 1 / (1 / T1_blood - f / partition);
  for (const char* id : {"labelling.pcasl", "labelling.casl", "labelling.pasl_quipss2", "labelling.pasl_q2tips"}) {
    const Labelling& labelling = labellings().get(id);
    const double LD = labelling.PLD_from_end ? 1.8 : 0.7, time = signal_time(labelling, LD, 1.8);
    EXPECT_DOUBLE_EQ(time, labelling.PLD_from_end ? 3.6 : 1.8);
    const double y = signal(models().get(labelling.model),
                            std::vector<Sample>{{.time = time, .LD = LD, .efficiency = 0.8}}, std::vector{CBF, 0.7},
                            {.T1_tissue = T1, .T1_blood = T1_blood, .slice_delay = 0, .partition = partition})[0];
    EXPECT_NEAR(consensus_CBF(labelling, y, LD, time, 0.8, T1_blood), CBF, 1e-11) << id;
  }
  // Velocity-selective label is made where the tissue is: the pulsed model with ATT = 0.
  const Labelling& vs = labellings().get("labelling.vsasl");
  const double time = signal_time(vs, 1.2, 1.3);
  EXPECT_DOUBLE_EQ(time, 2.5);
  const double y = signal(models().get("asl.pasl"), std::vector<Sample>{{.time = time, .LD = 1.2, .efficiency = 0.5}},
                          std::vector{CBF, 0.0}, {.T1_tissue = T1, .T1_blood = T1_blood})[0];
  EXPECT_NEAR(consensus_CBF(vs, y, 1.2, time, 0.5, T1_blood), CBF, 1e-11);
}

// Grey matter of T1 1.33 s and ATT 0.8 s, white matter of 0.83 and 1.2 s: label in tissue decays faster than the
// formula supposes, so it reads low by a known amount.
TEST(AslFormula, OfTissueReadsLowByAKnownAmount) {
  const Labelling& labelling = labellings().get("labelling.pcasl");
  const auto read = [&](double CBF, double ATT, double T1) {
    const double y =
        signal(models().get("asl.pcasl"), std::vector<Sample>{{.time = 3.6, .LD = 1.8, .efficiency = 0.85}},
               std::vector{CBF / shown, ATT}, {.T1_tissue = T1, .T1_blood = 1.65})[0];
    return shown * consensus_CBF(labelling, y, 1.8, 3.6, 0.85, 1.65);
  };
  EXPECT_NEAR(read(60, 0.8, 1.33), 45.8, 0.05);
  EXPECT_NEAR(read(20, 1.2, 0.83), 9.3, 0.05);
}

TEST(AslFormula, RefusesWhatItCannotUse) {
  const Labelling& labelling = labellings().get("labelling.pcasl");
  const auto message = [&](double LD, double eff, double T1) -> std::string {
    try {
      consensus_CBF(labelling, 0.01, LD, 3.6, eff, T1);
    } catch (const Error& e) {
      return e.what();
    }
    return {};
  };
  EXPECT_THAT(message(0, 0.85, 1.65), HasSubstr("a labelling duration of 0 s"));
  EXPECT_THAT(message(1.8, 1.2, 1.65), HasSubstr("a labelling efficiency of 1.2"));
  EXPECT_THAT(message(1.8, 0.85, -1), HasSubstr("a T1 of blood of -1 s"));
}

TEST(AslProtocol, TimesCountFromTheStartOfLabelling) {
  Protocol p;
  p.LD = {1.4}, p.PLD = {0.5, 0.5, 1.0, 1.0};
  const Timings t = timings_of(p, 4);
  EXPECT_DOUBLE_EQ(t.samples[0].time, 1.9);
  EXPECT_DOUBLE_EQ(t.samples[3].time, 2.4);
  EXPECT_EQ(t.group, (std::vector{0, 0, 1, 1}));
  EXPECT_DOUBLE_EQ(t.samples[0].efficiency, 0.85);
  p.suppression_pulses = 2;
  EXPECT_DOUBLE_EQ(efficiency_of(p), 0.85 * 0.95 * 0.95);
  p.labelling = "labelling.pasl_q2tips", p.LD = {0.7}, p.PLD = {1.8};
  EXPECT_DOUBLE_EQ(timings_of(p, 2).samples[0].time, 1.8);
}

TEST(AslProtocol, SubBolusesEndWhereTheNextBegins) {
  Protocol p;
  p.encoding = hadamard_encoding(4), p.LD = {1.0, 0.6, 0.4}, p.PLD = {0.8};
  const Timings t = timings_of(p, 8);
  ASSERT_EQ(t.samples.size(), 3u);
  EXPECT_DOUBLE_EQ(t.samples[0].time, 2.8);
  EXPECT_DOUBLE_EQ(t.samples[1].time, 1.8);
  EXPECT_DOUBLE_EQ(t.samples[2].time, 1.2);
  EXPECT_DOUBLE_EQ(t.samples[1].LD, 0.6);
}

TEST(AslProtocol, LookLockerScalesByTheFlipAngles) {
  Protocol p;
  p.labelling = "labelling.pasl_quipss2", p.LD = {0.6}, p.PLD = {0.8, 1.1, 1.4};
  p.readout_FA = std::numbers::pi / 6, p.readout_interval = 0.3;
  Timings t = timings_of(p, 3);
  EXPECT_NEAR(t.samples[2].readout_rate, -std::log(std::sqrt(3) / 2) / 0.3, 1e-14);
  const double half_pulse = std::sqrt(std::cos(std::numbers::pi / 6));
  EXPECT_DOUBLE_EQ(t.samples[2].readout_start, 0.65);
  EXPECT_DOUBLE_EQ(t.samples[2].efficiency, 0.98 / half_pulse);
  p.M0_FA = std::numbers::pi / 2;
  EXPECT_NEAR(timings_of(p, 3).samples[0].efficiency, 0.98 * 0.5 / half_pulse, 1e-15);
}

// Pulses one by one, each taking cos FA of what is there, against the model's rate: what the readouts see, summed.
TEST(AslProtocol, LookLockerIsRightForLabelThatArrivesBetweenPulses) {
  const double FA = 25 * std::numbers::pi / 180, T1 = 1.33, T1_blood = 1.65, f = 0.01, ATT = 0.65, step = 1e-4;
  Protocol p;
  p.labelling = "labelling.pasl_quipss2", p.LD = {0.7}, p.readout_FA = FA, p.readout_interval = 0.3;
  p.PLD.clear();
  for (int i = 1; i <= 9; ++i) p.PLD.push_back(0.3 * i);
  double label = 0, sum = 0;
  std::size_t next = 0;
  for (int i = 0; next < p.PLD.size(); ++i) {
    const double t = step * i, middle = t + step / 2, R1 = 1 / T1 + f / 0.9;
    if (t > p.PLD[next] - 1e-9) sum += label, label *= std::cos(FA), ++next;
    const bool arrives = middle > ATT && middle < ATT + p.LD[0];
    label = label * std::exp(-step * R1) + (arrives ? 2 * 0.98 * f * std::exp(-middle / T1_blood) * step : 0);
  }
  double model = 0;
  for (const double x : signal(models().get("asl.pasl"), timings_of(p, p.PLD.size()).samples, std::vector{10.0, ATT},
                               {.T1_tissue = T1, .T1_blood = T1_blood}))
    model += x;
  EXPECT_NEAR(model / sum, 1, 0.01);  // 5 % with the rate alone
}

// Many inversion times, or a Look-Locker readout, begin before the bolus is cut off; a model knows what has arrived.
TEST(AslProtocol, SomeImagesMayComeBeforeTheBolusIsCutOff) {
  Protocol p;
  p.labelling = "labelling.pasl_quipss2", p.LD = {0.7}, p.PLD = {0.3, 0.6, 0.9};
  EXPECT_DOUBLE_EQ(timings_of(p, 3).samples[0].time, 0.3);
  p.readout_FA = 0.5, p.readout_interval = 0.3;
  EXPECT_DOUBLE_EQ(timings_of(p, 3).samples[0].readout_start, 0.15);
  p.PLD = {0.3, 0.6, 0.6};
  EXPECT_THROW(timings_of(p, 3), Error);
}

TEST(AslProtocol, T1OfBloodFollowsTheField) {
  EXPECT_DOUBLE_EQ(blood_T1(3), 1.65);
  EXPECT_DOUBLE_EQ(blood_T1(1.5), 1.35);
  EXPECT_DOUBLE_EQ(blood_T1(7), 2.09);
  EXPECT_THROW(blood_T1(0), Error);
}

TEST(AslProtocol, RefusesWhatItCannotUse) {
  const auto message = [](auto change, std::size_t n) -> std::string {
    Protocol p;
    change(p);
    try {
      timings_of(p, n);
      check_slice_times(p, 4);
    } catch (const Error& e) {
      return e.what();
    }
    return {};
  };
  EXPECT_THAT(message(
                  [](Protocol& p) {
                    p.PLD = {1.8, 2.0, 2.2};
                  },
                  4),
              HasSubstr("'PLD' holds 3 values for 4 volumes"));
  EXPECT_THAT(message([](Protocol& p) { p.PLD = {1800}; }, 4), HasSubstr("give seconds, not milliseconds"));
  EXPECT_THAT(message([](Protocol& p) { p.LD = {1800}; }, 4), HasSubstr("give seconds, not milliseconds"));
  EXPECT_THAT(message([](Protocol& p) { p.LD = {-1}; }, 4), HasSubstr("a labelling duration of -1 s"));
  EXPECT_THAT(message([](Protocol& p) { p.labelling = "pcsl"; }, 4), HasSubstr("did you mean labelling.pcasl?"));
  EXPECT_THAT(message([](Protocol& p) { p.labelling = "pasl_quipss2", p.LD = {2.0}; }, 4),
              HasSubstr("before the bolus is cut off at 2 s"));
  EXPECT_THAT(message([](Protocol& p) { p.slice_times = {0, 0.1}; }, 4), HasSubstr("2 slice times for 4 slices"));
  EXPECT_THAT(message([](Protocol& p) { p.slice_times = {0, 45, 90, 135}; }, 4), HasSubstr("not milliseconds"));
  EXPECT_THAT(message([](Protocol& p) { p.label_eff = 85; }, 4), HasSubstr("a labelling efficiency of 85"));
  EXPECT_THAT(message([](Protocol& p) { p.suppression_pulses = -2; }, 4),
              HasSubstr("-2 background-suppression pulses"));
  EXPECT_THAT(message([](Protocol& p) { p.suppression_eff = 0; }, 4), HasSubstr("efficiency of the suppression"));
  EXPECT_THAT(message([](Protocol& p) { p.readout_FA = 2, p.readout_interval = 0.3; }, 4), HasSubstr("flip angle"));
  EXPECT_THAT(message([](Protocol& p) { p.readout_FA = 0.5; }, 4), HasSubstr("an interval above 0"));
  EXPECT_THAT(message(
                  [](Protocol& p) {
                    p.encoding = hadamard_encoding(8), p.PLD = {1, 2};
                  },
                  8),
              HasSubstr("'PLD' holds 2 values for a time-encoded series"));
  EXPECT_THAT(message([](Protocol& p) { p.T1_blood = 0; }, 4), HasSubstr("a T1 of blood of 0 s"));
}

}  // namespace
}  // namespace larmor::asl
