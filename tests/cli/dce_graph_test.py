# SPDX-License-Identifier: Apache-2.0
"""larmor dce is a graph: printed, run by name, found again in its outputs; examples come with the program."""
import json
import math

import harness
from harness import SOURCE, load_json, read_nifti

GRID = ["--grid", "16,16,8"]


class Cases(harness.CliCase):

  def test_shipped_graph_is_printed(self):
    shipped = (SOURCE / "graphs" / "dce.json").read_text(encoding="utf-8")
    self.assertEqual(self.ok("dce", "--graph").stdout, shipped)
    self.assertIn("nothing is wrong", self.ok("graph", "check", "dce").stdout)

  def test_graph_of_a_configuration_says_what_was_used(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "100")
    (self.dir / "c.yaml").write_text("aif: {arrival: 20, Hct: 0.45}\nsignal: {TR: 5}\nfit: {model: [tofts, extended_tofts], params: {ve: {upper: 0.7}}}\n", encoding="utf-8")
    graph = json.loads(self.ok("dce", "--graph", "c.yaml", "in", "-q").stdout)
    nodes = graph["nodes"]
    self.assertEqual(nodes["t1"]["settings"]["FA"], [2, 5, 10, 15])  # of the sidecar
    self.assertEqual(nodes["signal"]["settings"], {"FA": 15, "TR": 5})
    self.assertEqual(nodes["aif"]["settings"], {"Hct": 0.45, "arrival": 20})
    self.assertEqual(nodes["fit"]["settings"], {"model": "dce.tofts", "compare": "dce.extended_tofts", "params": "ve: upper=0.7"})
    self.assertFalse((self.dir / "out").exists())
    self.fails(2, ["dce", "--graph", "c.yaml"], "DATA is missing")

  def test_map_by_run_is_the_map_of_dce(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "100")
    self.ok("dce", "in/config.yaml", "in", "-o", "out", "-q")
    self.ok("run", "dce", "--in", "dynamic=in/dynamic.nii.gz", "--in", "t1_series=in/vfa.nii.gz", "--in", "mask=in/mask.nii.gz",
            "--set", "aif.arrival=20", "--set", "output.units=engine", "--out", "run", "--no-cache", "-q")
    for name in ("Ktrans", "ve_se", "T10", "status", "iAUC60"):
      a, *_ = read_nifti(self.dir / "out" / f"{name}.nii.gz")
      b, *_ = read_nifti(self.dir / "run" / "maps" / f"{name}.nii.gz")
      self.assertTrue(all(x == y or math.isnan(x) and math.isnan(y) for x, y in zip(a, b)), name)
    self.assertIn("1/s", (self.dir / "run" / "report.html").read_text(encoding="utf-8"))

  def test_graph_is_in_every_output(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--snr", "100")
    self.ok("dce", "in/config.yaml", "in", "-o", "out", "-q")
    self.ok("dce", "--graph", "in/config.yaml", "in", "-q").stdout
    (self.dir / "used.json").write_text(self.ok("dce", "--graph", "in/config.yaml", "in", "-q").stdout, encoding="utf-8")
    for name in ("Ktrans.nii.gz", "Ktrans_se.nii.gz", "status.nii.gz"):
      self.ok("graph", "from", f"out/{name}", "-o", "back.json")
      self.assertEqual((self.dir / "back.json").read_bytes(), (self.dir / "used.json").read_bytes(), name)
    provenance = load_json(self.dir / "out" / "Ktrans.json")["Provenance"]
    self.assertEqual(provenance["command"], "larmor dce")
    self.assertIn("in/dynamic.nii.gz", provenance["files"])

  def test_curve_from_a_table_feeds_the_graph(self):
    self.ok("dro", "dce", "-o", "in", *GRID, "--concentration", "--model", "tofts")
    self.ok("run", "dce", "--in", "dynamic=in/dynamic.nii.gz", "--in", "mask=in/mask.nii.gz", "--in", "aif_curve=in/aif.csv",
            "--set", "t1.source=none", "--set", "signal.method=none", "--set", "aif.source=curve", "--set", "aif.Hct=0",
            "--set", "fit.model=dce.tofts", "--out", "run", "--no-cache", "-q")
    got, *_ = read_nifti(self.dir / "run" / "maps" / "ve.nii.gz")
    want, *_ = read_nifti(self.dir / "in" / "truth" / "ve.nii.gz")
    # The input in steps of 5 s misses its first pass; ve is of the tail.
    self.assertLess(max(abs(x - y) for x, y in zip(got, want) if math.isfinite(x) and math.isfinite(y)), 0.05)

  def test_a_failing_node_is_told_with_its_place(self):
    self.ok("dro", "dce", "-o", "in", *GRID)
    (self.dir / "c.yaml").write_text("aif: {arrival: 20}\nfit: {fitter: linear, fit_delay: true}\n", encoding="utf-8")
    self.fails(2, ["dce", "c.yaml", "in", "-o", "out", "-q"], "at: node 'fit'", "do: ")
    self.assertFalse((self.dir / "out").exists())

  def test_examples_are_listed_and_run(self):
    self.assertIn("dce", self.ok("graph", "example").stdout)
    self.fails(2, ["graph", "example", "dec"], "did you mean dce?")
    self.ok("graph", "example", "dce", "-o", "dce.json")
    self.assertEqual((self.dir / "dce.json").read_bytes(), (SOURCE / "examples" / "graphs" / "dce.json").read_bytes())
    done = self.ok("run", "dce.json", "--set", "object.grid=[32,32,12]", "--no-cache", "-q")
    self.assertIn("good  true", done.stdout)


if __name__ == "__main__":
  harness.main()
