# SPDX-License-Identifier: Apache-2.0
"""ASL and DSC data made here, by the equations of the papers in Python and not by the program: right numbers come out,
or a clear error, whatever is odd about the files."""
import json
import math
import re
import shutil

import harness
from harness import read_nifti, write_nifti

SHAPE = (3, 3, 2)
VOXELS = math.prod(SHAPE)
LD, PLD, T1, T1_BLOOD, PARTITION, EFFICIENCY, M0 = 1.8, 1.8, 1.33, 1.65, 0.9, 0.85, 1000.0


def pcasl(f, ATT, t):
  """(control - label) / M0 of blood, t after the start of labelling: Buxton et al. (1998), equations 4 and 6."""
  R = 1 / T1 + f / PARTITION
  if t < ATT:
    return 0.0
  whole = 2 * EFFICIENCY * f / R * math.exp(-ATT / T1_BLOOD)
  if t < ATT + LD:
    return whole * (1 - math.exp(-R * (t - ATT)))
  return whole * math.exp(-R * (t - LD - ATT)) * (1 - math.exp(-R * LD))


def pasl(f, ATT, t, TI1):
  """The same for pulsed labelling: equations 3 and 5."""
  k = 1 / T1_BLOOD - 1 / T1 - f / PARTITION
  if t < ATT:
    return 0.0
  end = min(t, ATT + TI1)
  q = math.exp(k * t) * (math.exp(-k * ATT) - math.exp(-k * end)) / (k * (end - ATT))
  return 2 * EFFICIENCY * f * (end - ATT) * math.exp(-t / T1_BLOOD) * q


DIFFERENCE = M0 / PARTITION * pcasl(0.01, 0.9, LD + PLD)
CONTROL, LABEL = M0, M0 - DIFFERENCE


def consensus(TR=None):
  """Alsop et al. (2015), mL/100g/min; with M0 as it was before saturation recovery of TR."""
  full = M0 if TR is None else M0 / (1 - math.exp(-TR / T1))
  return (6000 * PARTITION * DIFFERENCE * math.exp(PLD / T1_BLOOD) /
          (2 * EFFICIENCY * T1_BLOOD * full * (1 - math.exp(-LD / T1_BLOOD))))


SIDECAR = {"ArterialSpinLabelingType": "PCASL", "MagneticFieldStrength": 3, "EchoTime": 0.012, "LabelingDuration": LD,
           "PostLabelingDelay": PLD, "RepetitionTimePreparation": 5.0, "MRAcquisitionType": "3D",
           "BackgroundSuppression": False, "TotalAcquiredPairs": 2, "LabelingEfficiency": EFFICIENCY,
           "M0Type": "Estimate", "M0Estimate": M0}
FORMULA = "fit: {method: formula}\n"


class Cases(harness.CliCase):

  def asl(self, volumes, types, scan=None, at="sub-01/perf/sub-01_asl.json", head="volume_type\n", **change):
    """A subject: one number or VOXELS of them a volume. `scan`: value and sidecar of an M0 scan."""
    folder = self.dir / "in" / "sub-01" / "perf"
    for old in (self.dir / "in").rglob("*"):
      if old.is_file():
        old.unlink()
    values = [x for v in volumes for x in (v if isinstance(v, list) else [v] * VOXELS)]
    write_nifti(folder / "sub-01_asl.nii", values, (*SHAPE, len(volumes)))
    (folder / "sub-01_aslcontext.tsv").write_text(head + "".join(t + "\n" for t in types), encoding="utf-8")
    facts = {k: v for k, v in {**SIDECAR, **change}.items() if v is not None}
    (self.dir / "in" / at).write_text(json.dumps(facts), encoding="utf-8")
    if scan:
      write_nifti(folder / "sub-01_m0scan.nii", [scan[0]] * VOXELS, SHAPE)
      (folder / "sub-01_m0scan.json").write_text(json.dumps(scan[1]), encoding="utf-8")

  def pairs(self, **change):
    self.asl([CONTROL, LABEL] * 2, ["control", "label"] * 2, **change)

  def ran(self, kind="asl", config=FORMULA, name="CBF"):
    (self.dir / "c.yaml").write_text(config, encoding="utf-8")
    shutil.rmtree(self.dir / "out", ignore_errors=True)
    done = self.ok(kind, "c.yaml", "in", "-o", "out")
    return read_nifti(self.dir / "out" / f"{name}.nii.gz")[0], done.stderr

  def flow(self, expected):
    self.assertAlmostEqual(self.ran()[0][7], expected, delta=2e-4 * expected)  # 1e-7 of 1000 is 1e-5 of a difference of 9

  def refused(self, *says, code=1, config=FORMULA, kind="asl"):
    (self.dir / "c.yaml").write_text(config, encoding="utf-8")
    shutil.rmtree(self.dir / "out", ignore_errors=True)
    self.fails(code, [kind, "c.yaml", "in", "-o", "out", "-q"], *says)

  def test_shipped_graphs_have_nothing_wrong(self):
    for name in ("asl", "dsc", "ivim"):
      self.ok("graph", "check", harness.SOURCE / "graphs" / f"{name}.json")

  def test_every_M0Type(self):
    self.pairs()
    self.flow(consensus())
    self.pairs(scan=(M0, {"RepetitionTimePreparation": 10.0}), M0Type="Separate", M0Estimate=None)
    self.flow(consensus(TR=10))
    self.asl([M0] + [CONTROL, LABEL] * 2, ["m0scan"] + ["control", "label"] * 2, M0Type="Included", M0Estimate=None,
             RepetitionTimePreparation=[10.0] + [5.0] * 4)
    self.flow(consensus(TR=10))
    self.pairs(M0Type="Absent", M0Estimate=None)
    self.flow(consensus(TR=5))  # the control images

  def test_report_of_constant_maps(self):
    """Colours of one value, but for rounding, begin at 0, and no standard error is below it."""
    self.pairs()
    rounded = [M0 - DIFFERENCE * (1 + 2e-5 * v / VOXELS) for v in range(VOXELS)]
    for again in (False, True):
      if again:
        self.asl([CONTROL, rounded] * 2, ["control", "label"] * 2)
      self.ran()
      page = (self.dir / "out" / "report.html").read_text(encoding="utf-8")
      bars = re.findall(r">CBF \[mL/min/100g\]</text>(.*?)</svg>", page, re.S)
      self.assertTrue(any(re.findall(r">([^<]*)</text>", b)[:1] == ["0"] for b in bars), bars)
      self.assertNotIn("\u22120.2<", page)

  def test_M0_that_is_not_what_M0Type_says(self):
    self.pairs(M0Type="Included", M0Estimate=None)
    self.refused("M0Type is Included, but no volume is an m0scan")
    self.pairs(M0Estimate=None)
    self.refused("M0Type is Estimate, but the sidecar has no M0Estimate above 0")
    self.pairs(M0Estimate=0)
    self.refused("M0Estimate above 0")
    self.pairs(M0Type="Separate", M0Estimate=None)
    self.refused("M0Type is Separate, but there is no M0 scan")
    self.pairs(M0Type="Seperate", scan=(M0, {}))
    self.refused("no M0Type called 'Seperate'; did you mean Separate?", code=2)
    self.pairs(M0Type="Absent", M0Estimate=None, BackgroundSuppression=True, BackgroundSuppressionNumberPulses=2)
    self.refused("background suppressed")

  def test_sidecars_above_the_file(self):
    for at in ("asl.json", "sub-01/sub-01_asl.json"):
      self.pairs(at=at)
      self.flow(consensus())

  def test_volumes_in_any_order_and_one_alone(self):
    self.asl([LABEL, CONTROL, CONTROL, LABEL, 3.0, CONTROL, LABEL],
             ["label", "control", "control", "label", "n/a", "control", "label"])
    self.flow(consensus())
    self.asl([DIFFERENCE], ["deltam"])  # a series of one volume, whose last axis readers drop
    self.flow(consensus())
    self.asl([LABEL], ["label"])
    self.refused("0 control and 1 label volumes make no pairs")
    self.asl([LABEL, CONTROL] * 2, ["control", "label"] * 2)
    values, said = self.ran()
    self.assertLess(values[0], 0)
    self.assertIn("the label images are brighter than the control images", said)

  def test_volume_types_that_are_wrong(self):
    self.asl([CONTROL, LABEL] * 2, ["control", "label", "control"])
    self.refused("3 volume types for 4 volumes", "aslcontext.tsv")
    self.asl([CONTROL, LABEL] * 2, ["control", "lable"] * 2)
    self.refused("no volume type called 'lable'; did you mean label?", code=2)
    self.asl([CONTROL, LABEL] * 2, ["control", "label"] * 2, head="")
    self.refused("the first line is 'control', a volume type, where the header is expected")

  def test_fields_that_are_missing_or_wrong(self):
    for change, says, code in (({"PostLabelingDelay": 1800}, "a post-labelling delay of 1800 s", 1),
                               ({"LabelingDuration": 1800}, "a labelling duration of 1800 s", 1),
                               ({"PostLabelingDelay": -1.8}, "a post-labelling delay of -1.8 s", 1),
                               ({"PostLabelingDelay": [1.8] * 3}, "'PLD' holds 3 values for 4 volumes", 1),
                               ({"PostLabelingDelay": "1.8"}, "PostLabelingDelay is the text '1.8', not a number", 2),
                               ({"PostLabelingDelay": ["1.8"] * 4}, "PostLabelingDelay holds texts", 2),
                               ({"LabelingEfficiency": 85}, "a labelling efficiency of 85", 1),
                               ({"LabelingDuration": None}, "the sidecar has no LabelingDuration", 2),
                               ({"ArterialSpinLabelingType": None}, "has no ArterialSpinLabelingType", 2)):
      self.pairs(**change)
      self.refused(says, code=code)

  def test_T1_maps_in_another_unit(self):
    self.pairs()
    path = self.dir / "in" / "sub-01" / "perf" / "sub-01_T1map.nii"
    for value, unit, other in ((1330.0, "s", "ms"), (1.33, "ms", "s")):
      write_nifti(path, [value] * VOXELS, SHAPE)
      config = "fit: {T1_map_unit: %s, params: {ATT: {fixed: 0.9}}}\n"
      self.refused(f"its unit is not {unit}: set fit.T1_map_unit: {other}", config=config % unit)
      values, _ = self.ran(config=config % other)
      self.assertAlmostEqual(values[7], 60, delta=0.05)

  def test_fractions_in_per_cent(self):
    self.pairs()
    for tissue in ("GM", "WM"):
      write_nifti(self.dir / "in" / "sub-01" / "perf" / f"sub-01_label-{tissue}_probseg.nii", [50.0] * VOXELS, SHAPE)
    self.refused("fraction holds 50", "fractions from 0 to 1")

  def test_voxels_that_are_no_numbers(self):
    self.asl([[math.nan] + [CONTROL] * (VOXELS - 1), LABEL], ["control", "label"])
    values, _ = self.ran()
    self.assertTrue(math.isnan(values[0]))
    self.assertAlmostEqual(values[1], consensus(), delta=0.01)

  def test_many_delays(self):
    delays = [0.3, 0.7, 1.1, 1.5, 2.0, 2.5]
    order = [3, 0, 5, 1, 4, 2]  # as acquired
    volumes, types, times = [], [], []
    for k in order:
      volumes += [CONTROL, CONTROL - M0 / PARTITION * pcasl(0.01, 0.9, LD + delays[k])]
      types += ["control", "label"]
      times += [delays[k]] * 2
    self.asl(volumes, types, PostLabelingDelay=times)
    values, _ = self.ran(config="fit: {method: kinetic}\n")
    self.assertAlmostEqual(values[0], 60, delta=0.05)
    self.assertAlmostEqual(read_nifti(self.dir / "out" / "ATT.nii.gz")[0][0], 0.9, delta=1e-3)
    self.refused("the series has 6 timings", code=2)

  def test_pulsed_labelling(self):
    facts = {"ArterialSpinLabelingType": "PASL", "LabelingDuration": None, "BolusCutOffFlag": True,
             "BolusCutOffDelayTime": 0.7, "BolusCutOffTechnique": "QUIPSSII"}
    delays = [0.8, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4]
    volumes = [x for t in delays for x in (CONTROL, CONTROL - M0 / PARTITION * pasl(0.008, 0.75, t, 0.7))]
    self.asl(volumes, ["control", "label"] * len(delays), PostLabelingDelay=[t for t in delays for _ in (0, 1)], **facts)
    values, _ = self.ran(config="fit: {method: kinetic}\n")
    self.assertAlmostEqual(values[0], 48, delta=0.05)
    self.assertAlmostEqual(read_nifti(self.dir / "out" / "ATT.nii.gz")[0][0], 0.75, delta=1e-3)
    difference = M0 / PARTITION * pasl(0.008, 0.75, 1.8, 0.7)
    self.asl([CONTROL, CONTROL - difference], ["control", "label"], PostLabelingDelay=1.8, **facts)
    # Alsop et al. (2015), PASL
    expected = 6000 * PARTITION * difference * math.exp(1.8 / T1_BLOOD) / (2 * EFFICIENCY * 0.7 * M0)
    self.flow(expected)

  # DSC: an artery of gamma shape and tissue of flow 0.01/s, MTT 4 s (convolved by the trapezoid rule, 75 ms).
  def dsc(self, frames=60, begin=15.0, step=1.5, header=None, bolus=True, **change):
    fine = 20
    h = step / fine
    aif = [0.0] * (frames * fine)
    for i in range(len(aif)):
      t = i * h - begin
      if bolus and t > 0:
        aif[i] = 6 * (t / 4.5)**3 * math.exp(3 - t / 1.5)
    tissue, sum_ = [], 0.0
    for i, a in enumerate(aif):
      k = math.exp(-h / 4)
      sum_ = sum_ * k + 0.5 * h * ((aif[i - 1] if i else 0.0) * k + a)
      tissue.append(0.01 * sum_)
    values = []
    for t in range(frames):
      volume = [500 * math.exp(-0.03 * 44 * tissue[t * fine])] * VOXELS
      volume[0] = 300 * math.exp(-0.03 * 44 * aif[t * fine])
      if t == frames // 2:
        volume[5] = math.nan
      values += volume
    folder = self.dir / "in"
    write_nifti(folder / "x_dsc.nii", values, (*SHAPE, frames), dt=step if header is None else header)
    (folder / "x_dsc.json").write_text(json.dumps({"EchoTime": 0.03, "RepetitionTime": step, **change}), encoding="utf-8")
    write_nifti(folder / "artery.nii", [1] + [0] * (VOXELS - 1), SHAPE)
    return "aif: {source: mask}\n"

  def test_dsc_of_known_flow_and_few_frames(self):
    factors = (1 - 0.45) / (1 - 0.25) / 1.04
    for frames, begin, delta in ((60, 15.0, 0.05), (22, 6.0, 0.15)):  # the second ends 27 s after the arrival
      values, said = self.ran("dsc", self.dsc(frames, begin))
      self.assertAlmostEqual(values[7], 60 * factors, delta=delta * 60 * factors)
      self.assertAlmostEqual(read_nifti(self.dir / "out" / "CBV.nii.gz")[0][7], 4 * factors, delta=0.02 * 4 * factors)
      self.assertTrue(math.isnan(values[5]))
      self.assertNotIn("the series ends", said)
    _, said = self.ran("dsc", self.dsc(16, 12.0))
    self.assertIn("the series ends while", said)

  def test_dsc_times_that_disagree(self):
    _, said = self.ran("dsc", self.dsc(header=2.0))
    self.assertIn("frames are 2 s apart by the header, RepetitionTime of the sidecar is 1.5 s", said)
    self.refused("frames are 1500 s apart", kind="dsc", config=self.dsc(header=1500.0))
    self.refused("an echo time of 30000 ms", kind="dsc", config=self.dsc(EchoTime=30))

  def test_dsc_without_a_bolus(self):
    self.refused("no bolus arrival", kind="dsc", config=self.dsc(bolus=False))


if __name__ == "__main__":
  harness.main()
