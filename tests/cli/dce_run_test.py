# SPDX-License-Identifier: Apache-2.0
"""larmor dce from files to maps: known truth comes back, the configuration wins, geometry and provenance are kept."""
import hashlib
import json
import math
import re
import shutil
import statistics

import harness
from harness import load_json, read_nifti, write_nifti

GRID = ["--grid", "20,20,10"]


class Cases(harness.CliCase):

  def yaml(self, text):
    (self.dir / "c.yaml").write_text(text, encoding="utf-8")
    return "c.yaml"

  def round_trip(self, model, *more):
    """Object -> maps -> comparison; concentration noise of 1 uM, frames of 2 s."""
    self.ok("dro", "dce", "-o", "in", *GRID, "--model", model, "--frames", "120", "--frame-time", "2", *more)
    self.ok("dce", "in/config.yaml", "in", "-o", "out", "-q")
    done = json.loads(self.ok("validate", "out", "in/truth", "--json").stdout)
    estimated = {m["name"] for m in done["maps"]}
    truth = {p.name.split(".")[0] for p in (self.dir / "in" / "truth").glob("*.nii.gz")}
    self.assertEqual(estimated, truth, "every parameter of the object is estimated")

  def test_tofts(self):
    self.round_trip("tofts", "--concentration", "--noise", "0.001")

  def test_extended_tofts(self):
    self.round_trip("extended_tofts", "--concentration", "--noise", "0.001")

  def test_patlak(self):
    self.round_trip("patlak", "--concentration", "--noise", "0.001")

  def test_2cxm(self):
    self.round_trip("2cxm", "--concentration", "--noise", "0.001")

  def test_2cum(self):
    self.round_trip("2cum", "--concentration", "--noise", "0.001")

  def test_aath(self):
    self.round_trip("aath", "--concentration", "--noise", "0.001")

  def test_one_compartment(self):
    self.round_trip("one_compartment", "--concentration", "--noise", "0.001")

  def test_dual_input(self):
    self.round_trip("dual_input", "--concentration", "--noise", "0.001")

  def test_delay_is_fitted(self):
    self.round_trip("extended_tofts", "--concentration", "--noise", "0.001", "--delay", "4")

  def test_signal_with_flip_angle_series(self):
    self.round_trip("extended_tofts", "--snr", "200")

  def test_same_numbers_from_any_source_of_T1(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--T10", "1.2")
    self.ok("dce", "in/config.yaml", "in", "-o", "series", "-q")
    base = "aif: {arrival: 20}\n"
    self.ok("dce", self.yaml(base + "t1: {source: fixed, fixed: 1200 ms}\n"), "in", "-o", "fixed", "-q")
    shutil.copy(self.dir / "in" / "truth" / "T10.nii.gz", self.dir / "in" / "sub_T1map.nii.gz")
    self.ok("dce", self.yaml(base), "in", "-o", "map", "-q")
    for folder in ("fixed", "map"):
      a, *_ = read_nifti(self.dir / "series" / "Ktrans.nii.gz")
      b, *_ = read_nifti(self.dir / folder / "Ktrans.nii.gz")
      gap = max(abs(x - y) / x for x, y in zip(a, b) if math.isfinite(x) and math.isfinite(y))
      self.assertLess(gap, 2e-3, folder)  # noise-free: T1 of the series is exact to float32
      self.assertEqual(sum(map(math.isfinite, a)), sum(map(math.isfinite, b)))

  def test_configuration_wins_over_the_sidecar_and_says_so(self):
    self.ok("dro", "dce", "-o", "in", *GRID)
    done = self.ok("dce", self.yaml("signal: {TR: 6}\naif: {arrival: 20}\n"), "in", "-o", "out", "--json")
    note = "signal.TR: 6 ms from the configuration; the sidecar of dynamic.nii.gz says 5 ms, which is overruled"
    self.assertIn(note, json.loads(done.stdout)["notes"])
    self.assertIn("overruled", done.stderr)
    self.assertIn("overruled", (self.dir / "out" / "report.html").read_text(encoding="utf-8"))
    self.assertAlmostEqual(load_json(self.dir / "out" / "Ktrans.json")["Provenance"]["settings"]["used.TR_s"], 0.006)

  def test_outputs_keep_geometry_and_tell_where_they_come_from(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "200")
    self.ok("dce", "in/config.yaml", "in", "-o", "out", "-q")
    *_, source, _ = read_nifti(self.dir / "in" / "dynamic.nii.gz")
    names = {p.name for p in (self.dir / "out").iterdir()}
    for name in ("Ktrans", "Ktrans_se", "ve", "ve_se", "vp", "vp_se", "kep", "kep_se", "status", "R2", "AICc", "residual_sd", "T10",
                 "T10_se", "iAUC60", "TTP", "peak"):
      self.assertLessEqual({name + ".nii.gz", name + ".json"}, names)
      _, shape, _, header, extensions = read_nifti(self.dir / "out" / (name + ".nii.gz"))
      self.assertEqual(tuple(shape), (20, 20, 10))
      self.assertEqual(header[280:328], source[280:328], "same sform")
      provenance = [json.loads(text) for code, text in extensions if code == 6]
      self.assertEqual(provenance[0]["command"], "larmor dce")
      self.assertEqual(provenance[0]["settings"]["fit.model"], "dce.extended_tofts")
      source_of = {s["file"]: s for s in provenance[0]["sources"]}
      content = (self.dir / "in" / "dynamic.nii.gz").read_bytes()
      self.assertEqual(source_of["in/dynamic.nii.gz"]["sha256"], hashlib.sha256(content).hexdigest())
      self.assertEqual(source_of["in/dynamic.nii.gz"]["bytes"], len(content))
      sidecar = load_json(self.dir / "out" / (name + ".json"))
      self.assertTrue({"Units", "Description", "Sources", "Model", "Provenance", "GeneratedBy"} <= set(sidecar), name)
    self.assertEqual(load_json(self.dir / "out" / "Ktrans.json")["Units"], "1/min")
    self.assertEqual(len(load_json(self.dir / "out" / "status.json")["Levels"]), 8)
    self.assertEqual(load_json(self.dir / "out" / "dataset_description.json")["DatasetType"], "derivative")
    self.assertLessEqual({"aif.csv", "summary.json", "report.html", "config.yaml"}, names)

  def test_report_stands_alone(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "50")
    self.ok("dce", "in/config.yaml", "in", "-o", "out", "-q")
    html = (self.dir / "out" / "report.html").read_text(encoding="utf-8")
    self.assertFalse(re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', html), "nothing from outside")
    self.assertNotIn("<script", html)
    for section in ("Maps", "Uncertainty", "Arterial input", "Fitted curves", "Quality", "T1 before contrast", "Uptake",
                    "Settings and timing", "References", "Worst R2", "Median Ktrans"):
      self.assertIn(section, html)
    self.assertGreater(html.count("<svg"), 20)
    self.assertLess(len(html), 8e6)

  def test_units_of_the_engine(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--concentration", "--model", "tofts")
    self.ok("dce", "in/config.yaml", "in", "-o", "lexicon", "-q")
    text = (self.dir / "in" / "config.yaml").read_text(encoding="utf-8")
    self.ok("dce", self.yaml(text + "output: {units: engine}\n"), "in", "-o", "engine", "-q")
    a, *_ = read_nifti(self.dir / "lexicon" / "Ktrans.nii.gz")
    b, *_ = read_nifti(self.dir / "engine" / "Ktrans.nii.gz")
    self.assertEqual(load_json(self.dir / "engine" / "Ktrans.json")["Units"], "1/s")
    for x, y in zip(a, b):
      self.assertTrue(math.isnan(x) and math.isnan(y) or abs(x - 60 * y) < 1e-5 * x)
    self.ok("validate", "engine", "in/truth")  # the truth is in 1/min: units are converted

  def test_parameters_may_be_fixed_and_bounded(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--concentration", "--noise", "0.001")
    text = (self.dir / "in" / "config.yaml").read_text(encoding="utf-8")
    self.ok("dce", self.yaml(text + "  params:\n    vp: {fixed: 0.05}\n    ve: {upper: 0.25}\n    Ktrans: {lower: 0.002 1/s}\noutput: {report: false}\n"), "in", "-o", "out", "-q")
    vp, *_ = read_nifti(self.dir / "out" / "vp.nii.gz")
    vp_se, *_ = read_nifti(self.dir / "out" / "vp_se.nii.gz")
    ve, *_ = read_nifti(self.dir / "out" / "ve.nii.gz")
    ktrans, *_ = read_nifti(self.dir / "out" / "Ktrans.nii.gz")
    self.assertTrue(all(abs(x - 0.05) < 1e-7 for x in vp if math.isfinite(x)))
    self.assertTrue(all(map(math.isnan, vp_se)))
    self.assertAlmostEqual(max(x for x in ve if math.isfinite(x)), 0.25, places=6)
    self.assertGreaterEqual(min(x for x in ktrans if math.isfinite(x)), 0.12 * (1 - 1e-6))  # 0.002 1/s in 1/min
    self.assertGreater(load_json(self.dir / "out" / "summary.json")["voxels"]["by_status"]["at_bound"], 0)
    self.assertFalse((self.dir / "out" / "report.html").exists())

  def object_of(self, *more):
    self.ok("dro", "dce", "-o", "in", *GRID, "--concentration", "--noise", "0.001", "--model", "tofts", *more)
    return "input: {kind: concentration}\naif: {arrival: 20}\noutput: {report: false, descriptors: false}\n"

  def test_prior_pulls_and_linear_fit_agrees(self):
    base = self.object_of()
    prior = "fit: {model: tofts, fitter: map, noise_sd: 0.001, params: {ve: {prior_mean: 0.3, prior_sd: 1e-5}}}\n"
    self.ok("dce", self.yaml(base + prior), "in", "-o", "map", "-q")
    ve = [x for x in read_nifti(self.dir / "map" / "ve.nii.gz")[0] if math.isfinite(x)]
    self.assertGreater(len(ve), 500)
    self.assertLess(max(abs(x - 0.3) for x in ve), 0.01)  # a prior of 1e-5 outweighs 60 frames of 1 uM
    self.ok("dce", self.yaml(base + "fit: {model: tofts, fitter: linear}\n"), "in", "-o", "linear", "-q")
    self.ok("validate", "linear", "in/truth")

  def test_frames_may_be_left_out(self):
    base = self.object_of()
    values, shape, spacing, *_ = read_nifti(self.dir / "in" / "dynamic.nii.gz")
    values = list(values)
    for frame in (12, 13):  # an artefact of 5 mM in two frames
      for v in range(4000):
        values[frame * 4000 + v] += 5
    write_nifti(self.dir / "in" / "dynamic.nii.gz", values, shape, spacing=spacing, dt=5)
    self.ok("dce", self.yaml(base + "fit: {model: tofts}\n"), "in", "-o", "with", "-q")
    self.assertEqual(self.run_larmor("validate", "with", "in/truth").returncode, 1)
    self.ok("dce", self.yaml(base + "fit: {model: tofts, skip_frames: [12, 13]}\n"), "in", "-o", "without", "-q")
    self.ok("validate", "without", "in/truth")

  def test_frame_times_from_a_table_or_the_configuration(self):
    base = self.object_of("--frame-time", "4").replace("{kind: concentration}", "{kind: concentration, %s}")
    (self.dir / "in" / "dynamic.json").unlink()
    values, shape, spacing, *_ = read_nifti(self.dir / "in" / "dynamic.nii.gz")
    write_nifti(self.dir / "in" / "dynamic.nii.gz", values, shape, spacing=spacing)  # no time in the header
    (self.dir / "in" / "frames.tsv").write_text("frame\ttime\n" + "".join(f"{i}\t{4 * i}\n" for i in range(60)), encoding="utf-8")
    for i, times in enumerate(("times_file: frames.tsv", "frame_time: 4", f"times: {[4 * i for i in range(60)]}")):
      self.ok("dce", self.yaml(base % times + "fit: {model: tofts}\n"), "in", "-o", f"out{i}", "-q")
      self.ok("validate", f"out{i}", "in/truth")

  def test_B1_map_corrects_flip_angles(self):
    # Made with flip angles 10 % above the nominal ones that the configuration names.
    self.ok("dro", "dce", "-o", "in", *GRID, "--FA", "16.5", "--vfa-FA", "2.2,5.5,11,16.5")
    base = "aif: {arrival: 20}\noutput: {report: false}\nsignal: {FA: 15}\nt1: {FA: [2, 5, 10, 15]%s}\n"
    self.ok("dce", self.yaml(base % ""), "in", "-o", "without", "-q")
    self.assertEqual(self.run_larmor("validate", "without", "in/truth").returncode, 1)
    write_nifti(self.dir / "in" / "sub_B1map.nii.gz", [110.0] * 4000, (20, 20, 10), spacing=(2, 2, 4))
    self.ok("dce", self.yaml(base % ", B1_unit: '%'"), "in", "-o", "with", "-q")
    self.ok("validate", "with", "in/truth", "--tol", "T10=0.001+0.1%")

  def test_model_selection_by_AICc(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--concentration", "--noise", "0.002", "--model", "extended_tofts",
            "--param", "vp=0.05,0.1")
    self.ok("dce", self.yaml("input: {kind: concentration}\naif: {arrival: 20}\nfit: {model: [tofts, extended_tofts]}\n"), "in", "-o", "out", "-q")
    index, *_ = read_nifti(self.dir / "out" / "model_index.nii.gz")
    chosen = [x for x in index if math.isfinite(x)]
    self.assertGreater(statistics.mean(chosen), 0.99)  # vp of 5 % at this noise is unmistakable
    self.assertIn("Selected model", (self.dir / "out" / "report.html").read_text(encoding="utf-8"))

  def test_arterial_input_from_file_mask_and_automatically(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--concentration", "--model", "tofts", "--frame-time", "2", "--frames", "100")
    values, shape, spacing, *_ = read_nifti(self.dir / "in" / "dynamic.nii.gz")
    values, n = list(values), 20 * 20 * 10
    rows = (self.dir / "in" / "aif.csv").read_text(encoding="utf-8").split()[1:]
    artery = [v for v in range(n) if v % 20 in (9, 10) and v // 20 % 20 in (9, 10) and 2 <= v // 400 < 8]
    for t, row in enumerate(rows):  # whole blood in a vessel through the object
      for v in artery:
        values[t * n + v] = 0.58 * float(row.split(",")[1])
    write_nifti(self.dir / "in" / "dynamic.nii.gz", values, shape, spacing=spacing, dt=2)
    write_nifti(self.dir / "in" / "aif_region.nii.gz", [int(v in set(artery)) for v in range(n)], (20, 20, 10), code=2, spacing=spacing)
    base = "input: {kind: concentration}\nfit: {model: tofts}\noutput: {descriptors: false}\n"
    for source in ("aif: {source: file, file: aif.csv, plasma: true}", "aif: {source: mask}", "aif: {source: auto}"):
      with self.subTest(source):
        shutil.rmtree(self.dir / "out", ignore_errors=True)
        self.ok("dce", self.yaml(base + source + "\n"), "in", "-o", "out", "-q")
        # The vessel itself is no tissue: 24 of 1536 voxels may be wrong.
        self.ok("validate", "out", "in/truth", "--need", "95")

  def bids(self, *subjects):
    """Subjects in BIDS layout, one 3-D file a flip angle."""
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "300")
    (self.dir / "bids").mkdir()
    (self.dir / "bids" / "dataset_description.json").write_text('{"Name": "test", "BIDSVersion": "1.9.0"}', encoding="utf-8")
    dynamic = load_json(self.dir / "in" / "dynamic.json")
    times = dynamic.pop("VolumeTiming")
    (self.dir / "bids" / "dce.json").write_text(json.dumps(dynamic), encoding="utf-8")  # inherited by every subject
    vfa, _, spacing, *_ = read_nifti(self.dir / "in" / "vfa.nii.gz")
    angles = load_json(self.dir / "in" / "vfa.json")["FlipAngle"]
    for s in subjects:
      perf, anat = self.dir / "bids" / s / "perf", self.dir / "bids" / s / "anat"
      perf.mkdir(parents=True)
      anat.mkdir()
      shutil.copy(self.dir / "in" / "dynamic.nii.gz", perf / f"{s}_dce.nii.gz")
      (perf / f"{s}_dce.json").write_text(json.dumps({"VolumeTiming": times}), encoding="utf-8")
      shutil.copy(self.dir / "in" / "mask.nii.gz", anat / f"{s}_mask.nii.gz")
      for i, angle in enumerate(angles):
        write_nifti(anat / f"{s}_flip-{i + 1}_VFA.nii.gz", vfa[i * 4000:(i + 1) * 4000], (20, 20, 10), spacing=spacing)
        (anat / f"{s}_flip-{i + 1}_VFA.json").write_text(json.dumps({"FlipAngle": angle, "RepetitionTimeExcitation": 0.005}), encoding="utf-8")

  def test_bids_folder(self):
    self.bids("sub-01")
    self.ok("dce", self.yaml("aif: {arrival: 20}\n"), "bids/sub-01", "-o", "bids/derivatives/larmor/sub-01", "-q")
    self.ok("validate", "bids/derivatives/larmor/sub-01", "in/truth")
    self.ok("dce", "c.yaml", "bids", "-o", "again", "-q")  # derivatives are no input

  def test_bids_folder_of_several_subjects(self):
    self.bids("sub-01", "sub-02")
    done = self.fails(1, ["dce", self.yaml(""), "bids", "-o", "out"], "2 files could be the dynamic series", "sub-01_dce", "sub-02_dce")
    self.assertIn("folder of one subject", done.stderr)

  def test_check_shows_the_plan_and_fits_nothing(self):
    self.ok("dro", "dce", "-o", "in", *GRID)
    done = self.ok("dce", "--check", "in/config.yaml", "in")
    for text in ("in/config.yaml: correct", "in/vfa.nii.gz (by name)", "60 frames, 0 to 295 s", "dce.extended_tofts"):
      self.assertIn(text, done.stdout)
    self.assertEqual({p.name for p in self.dir.iterdir()}, {"in"})

  def test_summary_for_people_and_machines(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "100")
    text = self.ok("dce", "in/config.yaml", "in", "-o", "out").stdout
    self.assertRegex(text, r"Ktrans +1/min +0\.\d+")
    self.assertRegex(text, r"voxels/s")
    summary = json.loads(self.ok("dce", "in/config.yaml", "in", "-o", "out", "--json", "-q").stdout)
    self.assertEqual(summary["voxels"]["mask"], summary["voxels"]["usable"])
    self.assertEqual(set(summary["seconds"]),
                     {"read", "T1", "concentration", "arrival", "input function", "fit", "uptake", "maps", "write"})

  def test_threads_do_not_change_the_numbers(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "100")
    self.ok("dce", "in/config.yaml", "in", "-o", "one", "-q", "--threads", "1")
    self.ok("dce", "in/config.yaml", "in", "-o", "four", "-q", "--threads", "4")
    for name in ("Ktrans", "ve_se", "status"):
      self.assertEqual((self.dir / "one" / f"{name}.nii.gz").read_bytes(), (self.dir / "four" / f"{name}.nii.gz").read_bytes())


if __name__ == "__main__":
  harness.main()
