# SPDX-License-Identifier: Apache-2.0
"""larmor ivim from files to maps: known truth comes back by every method, b-values are found, bad input is explained."""
import json
import math
import statistics

import harness
from harness import load_json, read_nifti, write_nifti

B = [0, 10, 20, 60, 150, 300, 500, 1000]


class Cases(harness.CliCase):

  def yaml(self, text):
    (self.dir / "c.yaml").write_text(text, encoding="utf-8")
    return "c.yaml"

  def object(self, *more):
    self.ok("dro", "ivim", "-o", "in", "--grid", "20,10,2", *more)

  def rmse(self, folder, name):
    found, truth = (read_nifti(self.dir / f / f"{name}.nii.gz")[0] for f in (folder, "in/truth"))
    self.assertFalse(any(math.isnan(x) for x in found), name)
    return math.sqrt(statistics.fmean((a - b) ** 2 for a, b in zip(found, truth)))

  def test_the_object_is_fitted_by_its_own_configuration(self):
    self.object("--noise", "0.005")
    self.ok("ivim", "in/config.yaml", "in", "-o", "out", "-q")
    # Half the noise of the classical simulation, whose limits are f 0.0141, D 4.9e-5, D* 0.0077; 400 voxels and 4 %.
    self.assertLess(self.rmse("out", "f"), 0.5 * 0.0141 * 1.2)
    self.assertLess(self.rmse("out", "D"), 0.5 * 4.9e-5 * 1.2)
    self.assertLess(self.rmse("out", "D_star"), 0.5 * 0.0077 * 1.3)
    facts = load_json(self.dir / "out" / "D_star.json")
    self.assertEqual(facts["Units"], "mm2/s")
    self.assertEqual(facts["Provenance"]["settings"]["used.b"], B)
    summary = load_json(self.dir / "out" / "summary.json")
    self.assertEqual(summary["method"], "ivim.posterior")
    self.assertEqual(summary["noise_sd"], 0.005)
    self.assertEqual(summary["voxels"]["usable"], 400)
    page = (self.dir / "out" / "report.html").read_text(encoding="utf-8")
    for text in ("Fitted curves", "Flags", "Neil and Bretthorst", "Perfusion fraction".lower()):
      self.assertIn(text, page)
    self.assertTrue((self.dir / "out" / "f_se.nii.gz").exists())

  def test_every_method(self):
    self.object("--noise", "0.005")
    for method in ("lm", "map", "segmented", "varpro", "posterior"):
      self.ok("ivim", self.yaml(f"fit: {{method: {method}}}\n"), "in", "-o", method, "-q")
      self.assertLess(self.rmse(method, "D"), 5e-5, method)
      self.assertLess(self.rmse(method, "f"), 0.02, method)

  def test_other_models(self):
    self.object("--noise", "0.003")
    for model, name in (("adc", "D"), ("simplified", "f"), ("kurtosis", "K"), ("triexponential", "D")):
      self.ok("ivim", self.yaml(f"fit: {{method: lm, model: {model}}}\n"), "in", "-o", model, "-q")
      self.assertTrue((self.dir / model / f"{name}.nii.gz").exists(), model)
    self.ok("ivim", self.yaml("fit: {method: lm, model: ballistic, c: [0, 0.5, 0.8, 1.2, 2, 3, 4, 5]}\n"), "in", "-o", "ballistic", "-q")

  def test_S0_held_at_b0(self):
    self.object("--noise", "0.001")
    self.ok("ivim", self.yaml("fit: {method: lm, S0: b0}\n"), "in", "-o", "out", "-q")
    b0 = read_nifti(self.dir / "in" / "dwi.nii.gz")[0][:400]
    found = read_nifti(self.dir / "out" / "S0.nii.gz")[0]
    for a, b in zip(found, b0):
      self.assertAlmostEqual(a, b, 6)

  def test_noise_is_estimated_when_not_given(self):
    self.object("--noise", "0.02")
    self.ok("ivim", self.yaml("fit: {method: posterior}\n"), "in", "-o", "out", "-q")
    # 400 medians of variances of 4 degrees of freedom: the sd is known to 2 %.
    self.assertAlmostEqual(load_json(self.dir / "out" / "summary.json")["noise_sd"], 0.02, delta=0.0016)

  def test_where_b_values_come_from(self):
    self.object()
    self.assertIn("from dwi.bval", self.ok("ivim", "--check", self.yaml("fit: {}\n"), "in").stdout)
    (self.dir / "in" / "dwi.bval").unlink()
    self.assertIn("from the sidecar", self.ok("ivim", "--check", "c.yaml", "in").stdout)
    done = self.ok("ivim", "--check", self.yaml("input: {b: [0, 10, 20, 60, 150, 300, 500, 900]}\n"), "in")
    self.assertIn("from the configuration", done.stdout)
    self.assertIn("overruled", done.stderr)
    (self.dir / "in" / "mine.txt").write_text("0 10 20 60\n150 300 500 1000\n", encoding="utf-8")
    self.assertIn("from mine.txt", self.ok("ivim", "--check", self.yaml("input: {bvals: mine.txt}\n"), "in").stdout)
    (self.dir / "in" / "dwi.json").unlink()
    self.fails(2, ["ivim", "--check", self.yaml("fit: {}\n"), "in"], "b-values are not known", "input.b")

  def test_repeats_and_directions(self):
    self.object("--noise", "0.02", "--repeats", "4")
    for how in ("none", "mean", "geometric"):
      self.ok("ivim", self.yaml(f"input: {{average: {how}}}\nfit: {{method: lm}}\n"), "in", "-o", how, "-q")
    a, b, g = (read_nifti(self.dir / how / "D.nii.gz")[0] for how in ("none", "mean", "geometric"))
    # Least squares of repeats is least squares of their means; geometric means differ by the noise squared.
    self.assertLess(max(abs(x - y) for x, y in zip(a, b)), 1e-6)
    self.assertLess(statistics.median(abs(x - y) for x, y in zip(a, g)), 2e-5)
    self.assertGreater(max(abs(x - y) for x, y in zip(a, g)), 0)

  def test_mask_and_voxels_without_signal(self):
    self.object()
    values, shape, spacing, _, _ = read_nifti(self.dir / "in" / "dwi.nii.gz")
    values = list(values)
    for k in range(8):
      values[k * 400 + 5] = 0
    values[3 * 400 + 6] = float("nan")
    write_nifti(self.dir / "in" / "dwi.nii.gz", values, shape, spacing=spacing)
    write_nifti(self.dir / "in" / "mask.nii.gz", [0] * 5 + [1] * 395, shape[:3], code=2, spacing=spacing)
    self.ok("ivim", self.yaml("fit: {noise_sd: 0.01}\n"), "in", "-o", "out", "-q")
    status = read_nifti(self.dir / "out" / "status.nii.gz")[0]
    self.assertEqual(list(status[:7]), [0, 0, 0, 0, 0, 3, 4])
    f = read_nifti(self.dir / "out" / "f.nii.gz")[0]
    self.assertTrue(all(math.isnan(x) for x in f[:7]))
    self.assertFalse(math.isnan(f[7]))

  def test_the_shipped_graph_gives_the_same(self):
    self.object()
    graph = self.ok("ivim", "--graph", "in/config.yaml", "in").stdout
    (self.dir / "g.json").write_text(graph, encoding="utf-8")
    self.ok("ivim", "in/config.yaml", "in", "-o", "out", "-q")
    self.ok("run", "g.json", "--in", "signal=in/dwi.nii.gz", "--in", "mask=in/mask.nii.gz", "--out", "graph", "-q")
    self.assertEqual(read_nifti(self.dir / "graph" / "maps" / "f.nii.gz")[0], read_nifti(self.dir / "out" / "f.nii.gz")[0])
    self.assertTrue((self.dir / "graph" / "report.html").exists())

  def test_three_regions(self):
    self.ok("dro", "ivim", "-o", "in", "--layout", "regions", "--grid", "30,30,1")
    self.assertEqual(len(set(read_nifti(self.dir / "in" / "truth" / "f.nii.gz")[0])), 3)
    self.fails(2, ["dro", "ivim", "-o", "x", "--layout", "regions"], "one square slice")

  def test_defaults_are_a_correct_configuration(self):
    (self.dir / "d.yaml").write_text(self.ok("ivim", "--defaults").stdout, encoding="utf-8")
    self.assertIn("d.yaml: correct", self.ok("ivim", "--check", "d.yaml").stdout)
    page = (harness.SOURCE / "docs" / "reference" / "config-ivim.md").read_text(encoding="utf-8")
    self.assertIn("`larmor ivim --defaults`", page)

  def test_bad_input_is_explained(self):
    self.object()
    for text, *says in (
        ("fit: {methd: lm}\n", "did you mean method", "line 1"),
        ("fit: {method: lmm}\n", "ivim.lm"),
        ("fit: {method: segmented, model: kurtosis}\n", "ivim.segmented estimates ivim.biexponential, not ivim.kurtosis"),
        ("fit: {f: [0.4, 0.1]}\n", "fit.f is not [lower, upper]"),
        ("fit: {f: [0, 2]}\n", "allowed: 0 to 1"),
        ("fit: {model: ballistic, method: lm}\n", "0 flow weightings for 8 volumes"),
        ("input: {b: [0, 10]}\n", "2 b-values from the configuration for 8 volumes"),
        ("input: {b: [0, -10]}\n", "allowed: 0 to"),
        ("input: {average: median}\n", "mean"),
        ("signal: {TR: 5}\n", "no section called 'signal'"),
    ):
      done = self.run_larmor("ivim", self.yaml(text), "in", "-o", "out")
      self.assertNotEqual(done.returncode, 0, text)
      for say in says:
        self.assertIn(say, done.stderr, text)
      self.assertFalse((self.dir / "out").exists())
    self.fails(1, ["ivim", self.yaml("input: {mask: no.nii}\n"), "in", "-o", "out"], "no.nii")
    (self.dir / "in" / "dwi.bval").write_text("0 10 x 60 150 300 500 1000\n", encoding="utf-8")
    self.fails(1, ["ivim", self.yaml("fit: {}\n"), "in", "-o", "out"], "b-value 3 is 'x', not a number", "dwi.bval")
    (self.dir / "empty").mkdir()
    self.fails(1, ["ivim", "c.yaml", "empty", "-o", "out"], "no diffusion series found")
    self.fails(2, ["ivim"], "CONFIG is missing")
    self.fails(2, ["ivim", "c.yaml"], "DATA is missing")
    self.fails(2, ["dro", "ivim", "-o", "x", "--f", "0.4,0.1"], "--f")

  def train(self, name, *more):
    return self.ok("ivim", "train", f"{name}.safetensors", "--samples", "50000", "--epochs", "12", "-q", *more).stdout

  def test_networks_beside_the_limit(self):
    self.assertIn("error over claimed sd", self.train("posterior"))
    self.train("optim", "--kind", "optim")
    self.train("original", "--kind", "original")
    done = json.loads(self.ok("ivim", "evaluate", "posterior.safetensors", "optim.safetensors", "original.safetensors", "--samples", "4000",
                              "-o", "cmp", "--json").stdout)
    rows = {m["method"]: m for m in done["methods"]}
    self.assertEqual(len(rows), 9)
    limit = rows["limit"]["rmse"]
    # The least possible RMSE of the classical simulation, known to the percent that 4,000 signals and two digits give.
    for found, known in zip(limit, (0.0141, 4.9e-5, 0.0077)):
      self.assertAlmostEqual(found, known, delta=0.03 * known)
    for method in ("ivim.lm", "ivim.varpro", "ivim.segmented", "ivim.map"):
      self.assertTrue(all(a > b for a, b in zip(rows[method]["rmse"], limit)), method)
    for a, b in zip(rows["ivim.posterior"]["rmse"], limit):
      self.assertLess(a, 1.04 * b)
    for a, b in zip(rows["network posterior (posterior)"]["rmse"], limit):
      self.assertLess(a, 1.35 * b)  # a fiftieth of the training that comes within 3 %
    for name in ("methods.csv", "report.html", "regions_f.png", "regions_D.png", "regions_D_star.png"):
      self.assertTrue((self.dir / "cmp" / name).exists(), name)

  def test_a_network_for_a_patient(self):
    self.object("--noise", "0.02", "--repeats", "2")
    self.train("w", "--data", "in/dwi.nii.gz", "--mask", "in/mask.nii.gz")
    self.ok("ivim", self.yaml("fit: {method: network, weights: ../w.safetensors}\n"), "in", "-o", "out", "-q")
    self.assertLess(self.rmse("out", "D"), 1.5e-4)
    self.assertTrue((self.dir / "out" / "D_se.nii.gz").exists())
    self.ok("ivim", "infer", "in/dwi.nii.gz", "w.safetensors", "-o", "maps", "-q")
    self.assertEqual(read_nifti(self.dir / "maps" / "D.nii.gz")[0], read_nifti(self.dir / "out" / "D.nii.gz")[0])
    self.assertIn("400 voxels", self.train("own", "--kind", "optim", "--data", "in/dwi.nii.gz"))
    self.train("single")
    self.fails(2, ["ivim", "infer", "in/dwi.nii.gz", "single.safetensors", "-o", "m", "-q"], "the data hold 2 volumes at b = 0")
    self.fails(2, ["ivim", self.yaml("fit: {method: network}\n"), "in", "-o", "x"], "fit.weights is not set")
    self.fails(2, ["ivim", self.yaml("fit: {weights: w.safetensors}\n"), "in", "-o", "x"], "but fit.method is ivim.posterior")
    self.fails(1, ["ivim", self.yaml("fit: {method: network, weights: no.safetensors}\n"), "in", "-o", "x"], "no.safetensors")
    self.fails(2, ["ivim", "train", "x.safetensors", "--noise", "0.1,0.01"], "--noise holds 2 numbers")
    self.fails(2, ["ivim", "train", "x.safetensors", "--mask", "in/mask.nii.gz"], "--mask without --data")
    self.fails(2, ["ivim", "train", "x.safetensors", "--f", "0.4,0.1"], "--f is not a lower")
    self.fails(2, ["ivim", "train", "x.safetensors", "--kind", "opti"], "optim")


if __name__ == "__main__":
  harness.main()
