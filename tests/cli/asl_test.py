# SPDX-License-Identifier: Apache-2.0
"""larmor asl from a BIDS subject to maps: known flow comes back for every labelling, sidecars are read, inherited and
overruled, bad input is explained."""
import json
import math
import shutil

import harness
from harness import load_json, read_nifti, write_nifti

PERF = "in/sub-01/perf/sub-01_"


class Cases(harness.CliCase):

  def yaml(self, text):
    (self.dir / "c.yaml").write_text(text, encoding="utf-8")
    return "c.yaml"

  def object(self, *more):
    self.ok("dro", "asl", "-o", "in", "--grid", "20,16,6", *more)

  def sidecar(self, change, name="asl"):
    path = self.dir / f"{PERF}{name}.json"
    facts = load_json(path)
    change(facts)
    path.write_text(json.dumps(facts), encoding="utf-8")

  def worst(self, name, folder="out"):
    """Largest relative error over the voxels that have a truth."""
    found, truth = (read_nifti(self.dir / f / f"{name}.nii.gz")[0] for f in (folder, "in/truth"))
    pairs = [(a, b) for a, b in zip(found, truth) if not math.isnan(b)]
    self.assertGreater(len(pairs), 300)
    self.assertFalse(any(math.isnan(a) for a, _ in pairs), name)
    return max(abs(a / b - 1) for a, b in pairs)

  def test_every_labelling_gives_the_flow_of_the_object(self):
    for words in (("pcasl", "--PLD", "0.3,0.7,1.1,1.5,2"), ("casl", "--PLD", "0.3,0.7,1.1,1.5,2"),
                  ("pasl_quipss2", "--PLD", "0.8,1.2,1.6,2,2.5"), ("pasl_q2tips", "--PLD", "0.8,1.2,1.6,2,2.5"),
                  ("vsasl", "--LD", "1.2", "--PLD", "1.3"), ("pcasl", "--encoding", "8")):
      shutil.rmtree(self.dir / "in", ignore_errors=True)
      shutil.rmtree(self.dir / "out", ignore_errors=True)
      self.object("--labelling", *words, "--repeats", "2", "--slice-interval", "0.05", "--suppression", "2")
      self.ok("asl", "in/config.yaml", "in", "-o", "out", "-q")
      self.assertLess(self.worst("CBF"), 0.02, words)  # float32 series whose differences are 1e-3 of them
    summary = load_json(self.dir / "out" / "summary.json")
    self.assertEqual(summary["labelling"], "labelling.pcasl")
    self.assertAlmostEqual(summary["efficiency"], 0.85 * 0.95**2)
    facts = load_json(self.dir / "out" / "CBF.json")
    self.assertEqual(facts["Units"], "mL/min/100g")
    self.assertIn("used.PLD_s", facts["Provenance"]["settings"])
    page = (self.dir / "out" / "report.html").read_text(encoding="utf-8")
    for text in ("Quality of the map", "Fitted curves", "Buxton et al., MRM 40:383 (1998)", "Signal times"):
      self.assertIn(text, page)
    for name in ("CBF_se.nii.gz", "ATT.nii.gz", "M0_blood.nii.gz", "quality.tsv", "differences.tsv"):
      self.assertTrue((self.dir / "out" / name).exists(), name)

  def test_formula_and_model_of_one_delay(self):
    self.object("--CBF", "60", "--ATT", "0.8", "--repeats", "2")
    self.ok("asl", self.yaml("fit: {method: formula}\n"), "in", "-o", "out", "-q")
    inside = [v for v in read_nifti(self.dir / "out" / "CBF.nii.gz")[0] if not math.isnan(v)]
    # Label in grey matter decays faster than the formula supposes: 60 reads 45.8.
    self.assertLess(max(abs(v - 45.8) for v in inside), 0.2)
    self.ok("asl", self.yaml("fit: {params: {ATT: {fixed: 0.8}}}\n"), "in", "-o", "model", "-q")
    self.assertLess(self.worst("CBF", "model"), 0.005)
    self.fails(2, ["asl", self.yaml("fit: {method: kinetic}\n"), "in", "-o", "x"], "1 timing for 2 free parameters", "fix ATT")

  def test_partial_volumes(self):
    self.object("--tissues", "--PLD", "0.5,1,1.5,2", "--repeats", "2")
    self.ok("asl", "in/config.yaml", "in", "-o", "out", "-q")
    for name in ("CBF_GM", "CBF_WM"):
      self.assertLess(self.worst(name), 0.02, name)
    done = self.run_larmor("validate", "out", "in/truth")  # CBF of mixtures is fitted as one tissue: out of tolerance
    self.assertRegex(done.stdout, r"CBF_GM .* ok\n")
    self.assertRegex(done.stdout, r"CBF_WM .* ok\n")
    quality = load_json(self.dir / "out" / "summary.json")["quality"]
    self.assertAlmostEqual(quality["mean_GM"], 50, delta=6)
    self.assertGreater(quality["QEI"], 0.5)
    (self.dir / "in/sub-01/perf/sub-01_label-WM_probseg.nii.gz").unlink()
    self.fails(2, ["asl", "in/config.yaml", "in", "-o", "x"], "needs fractions of grey and white matter")

  def test_sidecars_are_inherited(self):
    self.object("--PLD", "0.5,1,1.5", "--repeats", "2")
    path = self.dir / f"{PERF}asl.json"
    facts = load_json(path)
    common = {k: facts.pop(k) for k in ("ArterialSpinLabelingType", "LabelingDuration", "MagneticFieldStrength")}
    path.write_text(json.dumps(facts), encoding="utf-8")
    self.fails(2, ["asl", "--check", self.yaml("{}\n"), "in"], "no ArterialSpinLabelingType")
    (self.dir / "in" / "asl.json").write_text(json.dumps(common), encoding="utf-8")
    self.ok("asl", self.yaml("differences: {outlier_sd: 0}\n"), "in", "-o", "out", "-q")
    self.assertLess(self.worst("CBF"), 0.02)

  def test_the_configuration_wins_and_says_so(self):
    self.object()
    done = self.ok("asl", "--check", self.yaml("acquisition: {LD: 1500 ms, labelling: casl}\nfit: {method: formula}\n"), "in")
    self.assertIn("LD 1.5 s, signal at 3.3 s", done.stdout)
    self.assertIn("1.8 s, which is overruled", done.stderr)
    self.assertIn("the sidecar says PCASL, which is overruled", done.stderr)
    self.sidecar(lambda f: f.pop("EchoTime"))
    self.assertIn("BIDS requires: EchoTime", self.ok("asl", "--check", "c.yaml", "in").stderr)

  def test_M0_from_every_place(self):
    self.object("--m0-included", "--CBF", "60", "--ATT", "0.8", "--repeats", "2")
    config = "fit: {params: {ATT: {fixed: 0.8}}}\n"
    check = self.ok("asl", "--check", self.yaml(config), "in").stdout
    self.assertIn("M0 volumes of the series", check)
    self.ok("asl", "c.yaml", "in", "-o", "out", "-q")
    self.assertLess(self.worst("CBF"), 0.005)
    shape = read_nifti(self.dir / f"{PERF}asl.nii.gz")[1]
    spacing = read_nifti(self.dir / f"{PERF}asl.nii.gz")[2]
    n = shape[0] * shape[1] * shape[2]
    write_nifti(self.dir / "csf.nii.gz", [1] * n, shape[:3], code=2, spacing=spacing)
    for text, says in (("m0: {source: estimate, estimate: 1000}", "the number 1000"), ("m0: {source: control}", "the mean of the control images"),
                       ("m0: {method: single}", "M0 volumes"), (f"m0: {{method: csf, region: {self.dir}/csf.nii.gz}}", "M0 volumes")):
      self.assertIn(says, self.ok("asl", "--check", self.yaml(f"{config}{text}\n"), "in").stdout)
      self.ok("asl", "c.yaml", "in", "-o", "out2", "-q")
      shutil.rmtree(self.dir / "out2")
    self.fails(2, ["asl", self.yaml(config + "m0: {method: csf}\n"), "in", "-o", "x"], "m0.csf needs a mask of CSF", "m0.region")
    self.fails(1, ["asl", self.yaml(config + "m0: {source: scan}\n"), "in", "-o", "x"], "there is no M0 scan")

  def test_outliers_are_left_out(self):
    self.object("--repeats", "10", "--CBF", "60", "--ATT", "0.8", "--snr", "2000")
    values, shape, spacing, _, _ = read_nifti(self.dir / f"{PERF}asl.nii.gz")
    n = shape[0] * shape[1] * shape[2]
    values = list(values)
    for v in range(n):
      values[7 * n + v] *= 1.05  # one control of twenty volumes
    write_nifti(self.dir / f"{PERF}asl.nii.gz", values, shape, spacing=spacing)
    self.ok("asl", self.yaml("fit: {method: formula}\nm0: {T1: 1.33}\n"), "in", "-o", "out", "-q")
    self.assertEqual(load_json(self.dir / "out" / "summary.json")["outliers"], 1)
    rows = (self.dir / "out" / "differences.tsv").read_text(encoding="utf-8").splitlines()
    self.assertEqual([r.split("\t")[-1] for r in rows[1:]].index("no"), 3)
    found = [v for v in read_nifti(self.dir / "out" / "CBF.nii.gz")[0] if not math.isnan(v)]
    self.assertAlmostEqual(sum(found) / len(found), 45.8, delta=0.5)

  def test_failed_voxels_and_mask(self):
    self.object("--PLD", "0.5,1,1.5", "--repeats", "1")
    values, shape, spacing, _, _ = read_nifti(self.dir / f"{PERF}asl.nii.gz")
    n = shape[0] * shape[1] * shape[2]
    values = list(values)
    at = 8 + 20 * (8 + 16 * 3)
    values[2 * n + at] = math.nan
    write_nifti(self.dir / f"{PERF}asl.nii.gz", values, shape, spacing=spacing)
    self.ok("asl", self.yaml("differences: {outlier_sd: 0}\n"), "in", "-o", "out", "-q")
    status = read_nifti(self.dir / "out" / "status.nii.gz")[0]
    self.assertEqual((status[at], status[0]), (4, 0))  # bad data; outside
    self.assertTrue(math.isnan(read_nifti(self.dir / "out" / "CBF.nii.gz")[0][at]))

  def test_the_shipped_graph_gives_the_same(self):
    self.object("--PLD", "0.5,1,1.5", "--repeats", "2")
    graph = self.ok("asl", "--graph", "in/config.yaml", "in").stdout
    (self.dir / "g.json").write_text(graph, encoding="utf-8")
    self.ok("asl", "in/config.yaml", "in", "-o", "out", "-q")
    self.ok("run", "g.json", "--in", f"series={PERF}asl.nii.gz", "--in", f"m0={PERF}m0scan.nii.gz", "--in", "mask=in/mask.nii.gz", "--out", "graph", "-q")
    a, b = (read_nifti(self.dir / f / "ATT.nii.gz")[0] for f in ("graph/maps", "out"))
    self.assertTrue(all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b)))
    self.assertTrue((self.dir / "graph" / "report.html").exists())

  def test_bad_input_is_explained(self):
    self.object("--PLD", "0.5,1,1.5", "--repeats", "2")
    fails = lambda code, config, *says: self.fails(code, ["asl", self.yaml(config), "in", "-o", "x"], *says)
    fails(2, "fit: {method: formula}\n", "the series has 3 timings", "fit.method: kinetic")
    fails(2, "fit: {model: pasl}\n", "asl.pasl", "asl.pcasl")
    fails(2, "fit: {params: {aBV: {fixed: 0}}}\n", "asl.pcasl has no such parameter", "CBF, ATT")
    fails(2, "acquisition: {PLD: [0.5, 1]}\n", "'PLD' holds 2 values for 12 volumes")
    fails(2, "acquisition: {PLD: 1800}\n", "1800", "20")
    fails(2, "acquisition: {slice_times: [0, 0.1]}\n", "2 slice times for 6 slices")
    fails(2, "acquisition: {encoding: 6}\n", "a time encoding of 6 steps")
    fails(2, "acquisition: {labelling: pcsl}\n", "did you mean")
    fails(2, "input: {context: [control, lable]}\n", "did you mean label?", "c.yaml line 1")
    fails(2, "input: {context: [control, label, m0scan, label, control]}\n", "5 volume types do not fill 12 volumes")
    fails(2, "fit: {T1_mpa: none}\n", "T1_map")
    context = self.dir / f"{PERF}aslcontext.tsv"
    kept = context.read_text(encoding="utf-8")
    context.write_text("volume_type\nlabel\ncontrol\n", encoding="utf-8")
    fails(1, "{}\n", "2 volume types for 12 volumes", "aslcontext.tsv")
    context.write_text(kept.replace("control", "contrl", 1), encoding="utf-8")
    fails(2, "{}\n", "did you mean control?", "volume 2")
    context.write_text("volume_type\n" + 12 * "control\n", encoding="utf-8")
    fails(1, "{}\n", "4 control and 0 label volumes")
    context.write_text(kept, encoding="utf-8")
    self.sidecar(lambda f: f.update(PostLabelingDelay=[1000 * x for x in f["PostLabelingDelay"]]))
    fails(1, "{}\n", "give seconds, not milliseconds", "sidecar of")
    self.sidecar(lambda f: f.update(PostLabelingDelay="soon"))
    fails(2, "{}\n", "PostLabelingDelay is the text")
    (self.dir / f"{PERF}asl.nii.gz").unlink()
    fails(1, "{}\n", "no ASL series found")
    self.assertFalse((self.dir / "x").exists())

  def test_defaults_are_a_configuration(self):
    (self.dir / "d.yaml").write_text(self.ok("asl", "--defaults").stdout, encoding="utf-8")
    self.assertIn("correct", self.ok("asl", "--check", "d.yaml").stdout)

  def test_lists_name_the_registries(self):
    for kind, word in (("asl-models", "asl.pcasl_macrovascular"), ("labellings", "labelling.pasl_q2tips"),
                       ("differences", "difference.sinc"), ("m0-methods", "m0.white_matter")):
      self.assertIn(word, self.ok("list", kind).stdout)
      for item in json.loads(self.ok("list", kind, "--json").stdout):
        self.assertTrue(item["title"] and item["source"], item["id"])

  def test_object_options(self):
    self.fails(2, ["dro", "asl", "-o", "x", "--grid", "20,16"], "--grid holds 2 numbers")
    self.fails(2, ["dro", "asl", "-o", "x", "--labelling", "pcsl"], "did you mean labelling.pcasl?")
    self.fails(2, ["dro", "asl", "-o", "x", "--LD", "1,2", "--PLD", "1,2,3"], "2 labelling durations for 3 delays")


if __name__ == "__main__":
  harness.main()
