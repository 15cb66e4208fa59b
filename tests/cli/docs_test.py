# SPDX-License-Identifier: Apache-2.0
"""What the documentation tells people to type works: `sh` blocks are run, `yaml` blocks pass the check."""
import json
import os
import pathlib
import re
import subprocess

import harness
from harness import LARMOR, SOURCE


def blocks(page, language):
  text = (SOURCE / page).read_text(encoding="utf-8")
  return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


class Cases(harness.CliCase):

  def run_page(self, page, says="larmor dce"):
    script = "set -euo pipefail\n" + "".join(blocks(page, "sh"))
    self.assertIn(says, script)
    env = {**os.environ, "XDG_CACHE_HOME": str(self.dir / "cache"), "PATH": f"{pathlib.Path(LARMOR).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=self.dir, env=env, text=True, capture_output=True, check=False)
    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    return done

  def test_tutorial(self):
    done = self.run_page("docs/tutorial/dce.md")
    self.assertIn("did you mean model?", done.stderr)
    self.assertIn("out of tolerance, as expected", done.stdout)
    for made in ("maps/report.html", "maps-mine/model_index.nii.gz", "maps-with/delay.nii.gz", "t1/T1.nii.gz", "conc.nii.gz", "curve.csv"):
      self.assertTrue((self.dir / made).exists(), made)

  def test_first_graph(self):
    done = self.run_page("docs/tutorial/first-graph.md")
    for told in ("the same graph", "did you mean model?", "exit code 2", "out of tolerance", "the graph of this run"):
      self.assertIn(told, done.stdout + done.stderr)
    for made in ("run1/curve.csv", "run2/curve.csv", "report.json", "maps/comparison.csv", "mine/maps/Ktrans.nii.gz", "mine/report.html"):
      self.assertTrue((self.dir / made).exists(), made)
    curves = [(self.dir / run / "curve.csv").read_text(encoding="utf-8").splitlines() for run in ("run1", "run2")]
    self.assertEqual(curves[0][1], curves[1][1])  # the same columns
    self.assertNotEqual(curves[0][100], curves[1][100])  # of another tissue

  def test_spiral(self):
    self.run_page("docs/tutorial/spiral.md", "larmor recon nufft")
    for made in ("k.npy", "waveforms.svg", "kspace.npy", "image.npy", "blurred.npy", "exact.npy", "image.png"):
      self.assertTrue((self.dir / made).exists(), made)

  def test_simulate(self):
    self.run_page("docs/tutorial/simulate.md", "larmor sim bloch")
    for made in ("profile.csv", "echoes.csv", "echo/echo.csv", "echo/profile.csv", "echo/diagram.csv", "echo/course.csv"):
      self.assertTrue((self.dir / made).exists(), made)

  def test_parallel_imaging(self):
    done = self.run_page("docs/how-to/parallel-imaging.md", "larmor recon sense")
    errors = [float(v) for v in re.findall(r"NRMSE ([0-9.]+)", done.stdout)]
    self.assertEqual(len(errors), 3)
    self.assertLess(max(errors), 0.35)
    for made in ("g.npy", "error.npy", "grappa_error.npy", "error.png"):
      self.assertTrue((self.dir / made).exists(), made)

  def test_ivim(self):
    self.run_page("docs/tutorial/ivim.md", "larmor ivim")
    for made in ("segmented/f.nii.gz", "lm/report.html", "posterior/D_star_se.nii.gz", "network/D.nii.gz", "comparison/regions_f.png"):
      self.assertTrue((self.dir / made).exists(), made)

  def test_ivim_how_to(self):
    done = self.run_page("docs/how-to/ivim.md", "larmor ivim")
    self.assertIn("so it refuses one", done.stdout)
    for made in ("maps/flags.nii.gz", "network/report.html"):
      self.assertTrue((self.dir / made).exists(), made)

  def test_run_graphs(self):
    self.run_page("docs/how-to/run-graphs.md", "larmor run")
    self.assertEqual(json.loads((self.dir / "again.json").read_text())["wires"]["write.image"], "times.out")
    self.assertEqual(json.loads((self.dir / "run.json").read_text())["state"], "done")

  def test_asl(self):
    done = self.run_page("docs/how-to/asl.md", "larmor asl")
    self.assertIn("labelling.pcasl, LD 1.8", done.stdout)
    self.assertTrue((self.dir / "maps" / "report.html").exists())

  def test_readme(self):
    done = self.run_page("README.md")
    # The table of the README is the one that the commands print.
    shown = blocks("README.md", "text")[0].splitlines()
    printed = done.stdout.splitlines()
    self.assertIn(shown[0], printed)
    names = [line.split()[0] for line in shown[1:]]
    self.assertEqual(sum(line.split()[:1] == [n] and line.endswith("ok") for n in names for line in printed), len(names))

  def test_yaml_of_every_page(self):
    checked = 0
    for page in [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]:
      for i, text in enumerate(blocks(page.relative_to(SOURCE), "yaml")):
        (self.dir / "c.yaml").write_text(text, encoding="utf-8")
        with self.subTest(f"{page.name}, block {i + 1}"):
          # A page about a pipeline bears its name.
          self.ok(next((n for n in ("asl", "dsc", "ivim") if page.stem == n), "dce"), "--check", "c.yaml")
        checked += 1
    self.assertGreater(checked, 5)

  def test_links_lead_somewhere(self):
    for page in [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]:
      prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
      for target in re.findall(r"\]\(([^)#]+)\)", prose):
        if not target.startswith("http"):
          self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

  def test_demo(self):
    script = (SOURCE / "tools" / "demo.sh").read_text(encoding="utf-8")
    (self.dir / "tools").mkdir()
    (self.dir / "tools" / "demo.sh").write_text(script.replace("64,64,32", "32,32,16"), encoding="utf-8")
    done = subprocess.run(["bash", "tools/demo.sh"], cwd=self.dir, env={**os.environ, "LARMOR": LARMOR}, text=True, capture_output=True, check=False)
    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    self.assertRegex(done.stdout, r"fit: [\d,]+ voxels at [\d,]+ voxels/s")
    report = re.search(r"report: (.*)", done.stdout)[1]
    self.assertTrue(pathlib.Path(report).exists())


if __name__ == "__main__":
  harness.main()
