# SPDX-License-Identifier: Apache-2.0
"""Bad data for larmor ivim: a clear error, or a status in each bad voxel; never a partial output."""
import gzip
import math
import resource
import signal
import subprocess

import harness
from harness import LARMOR, read_nifti, write_nifti

SHAPE = (10, 9, 6)
N = 540
METHODS = ("lm", "map", "segmented", "varpro", "posterior")


class Cases(harness.CliCase):

  def setUp(self):
    super().setUp()
    self.ok("dro", "ivim", "-o", "in", "--grid", ",".join(map(str, SHAPE)), "--noise", "0.01")
    (self.dir / "in" / "mask.nii.gz").unlink()
    self.config = self.yaml("fit: {method: lm}\n")

  def yaml(self, text):
    (self.dir / "c.yaml").write_text(text, encoding="utf-8")
    return "c.yaml"

  def refused(self, *says, code=1, config=None, data="in"):
    before = set(self.dir.rglob("*"))
    done = self.fails(code, ["ivim", config or self.config, data, "-o", "out", "-q"], *says)
    self.assertEqual(set(self.dir.rglob("*")), before, "something was left behind")
    return done

  def series(self):
    values, shape, spacing, *_ = read_nifti(self.dir / "in" / "dwi.nii.gz")
    return list(values), shape, spacing

  def rewrite(self, values, shape, spacing):
    write_nifti(self.dir / "in" / "dwi.nii.gz", values, shape, spacing=spacing)

  def test_mask_of_another_shape_or_place(self):
    _, _, spacing = self.series()
    write_nifti(self.dir / "in" / "mask.nii.gz", [1] * 60, (5, 4, 3), code=2, spacing=spacing[:3])
    self.refused("5 x 4 x 3", "10 x 9 x 6", "mask")
    write_nifti(self.dir / "in" / "mask.nii.gz", [1] * N, SHAPE, code=2, spacing=spacing[:3], origin=(400, 0, 0))
    self.refused("mask", "mm")

  def test_empty_mask(self):
    _, _, spacing = self.series()
    write_nifti(self.dir / "in" / "mask.nii.gz", [0] * N, SHAPE, code=2, spacing=spacing[:3])
    self.refused("empty mask", "540 voxels")

  def test_series_that_is_no_series(self):
    _, _, spacing = self.series()
    self.rewrite([1.0] * N, SHAPE, spacing[:3])
    self.refused("10 x 9 x 6", "not 4-D")

  def test_one_volume(self):
    values, shape, spacing = self.series()
    self.rewrite(values[:N], SHAPE + (1,), spacing)
    (self.dir / "in" / "dwi.bval").write_text("0\n", encoding="utf-8")
    self.refused("10 x 9 x 6", "not 4-D")  # NIfTI drops the last axis of one
    self.rewrite(values[:2 * N], SHAPE + (2,), spacing)
    (self.dir / "in" / "dwi.bval").write_text("0 10\n", encoding="utf-8")
    for method in METHODS:
      done = self.refused(config=self.yaml(f"fit: {{method: {method}}}\n"))
      self.assertRegex(done.stderr, r"2 (samples|volumes|b-values)|0 different b-values", method)
    (self.dir / "in" / "dwi.bval").write_text("0 10 20\n", encoding="utf-8")
    self.refused("3 b-values from dwi.bval for 2 volumes")

  def test_b_values_that_cannot_be(self):
    for text, says in (("0 10 20 60 150 300 500 -1000\n", "-1000"), ("0 10 20 60 150 300 500 nan\n", "nan")):
      (self.dir / "in" / "dwi.bval").write_text(text, encoding="utf-8")
      self.refused(says)

  def test_b_values_in_other_units(self):
    b = (0, 10, 20, 60, 150, 300, 500, 1000)
    for factor, says in ((1e6, ("1e+09", "1e5 s/mm2", "s/m2")), (1e-3, ("1, below 10 s/mm2", "ms/um2", "1000"))):
      (self.dir / "in" / "dwi.bval").write_text(" ".join(str(x * factor) for x in b), encoding="utf-8")
      for method in METHODS:
        self.refused(*says, config=self.yaml(f"fit: {{method: {method}}}\n"))
      self.refused(*says, config=self.yaml("input: {average: mean}\n"))
      self.fails(1, ["ivim", "train", "w.safetensors", "--data", "in/dwi.nii.gz"], *says)

  def test_volumes_that_repeat_each_other(self):
    (self.dir / "in" / "dwi.bval").write_text("0 0 0 300 300 800 800 800\n", encoding="utf-8")
    for method in ("lm", "varpro", "posterior"):
      self.refused("3 different b-values (8 samples)", "4 free parameters",
                   config=self.yaml(f"fit: {{method: {method}, noise_sd: 0.01}}\n"))
    self.ok("ivim", self.yaml("fit: {method: map, noise_sd: 0.01}\n"), "in", "-o", "map", "-q")  # the prior decides

  def test_a_network_for_four_volumes(self):
    values, shape, spacing = self.series()
    self.rewrite([x for k in (0, 3, 5, 7) for x in values[k * N:(k + 1) * N]], SHAPE + (4,), spacing)
    (self.dir / "in" / "dwi.bval").write_text("0 60 300 1000\n", encoding="utf-8")
    train = ["ivim", "train", "w.safetensors", "--data", "in/dwi.nii.gz", "--samples", "5000", "--epochs", "2"]
    self.fails(1, train, "4 samples and 4 free parameters", "noise")
    self.assertIn(f"{N} voxels of in/dwi.nii.gz", self.ok(*train, "--noise", "0.01").stdout)
    self.ok("ivim", "infer", "in/dwi.nii.gz", "w.safetensors", "--noise", "0.01", "-o", "maps")

  def test_a_direction_that_is_missing(self):
    (self.dir / "in" / "dwi.bval").write_text("0 100 100 100 500 500 500 500\n", encoding="utf-8")
    self.refused("3 volumes at b = 100", "4 at b = 500", "a direction is missing",
                 config=self.yaml("input: {average: geometric}\nfit: {method: lm, model: adc}\n"))
    (self.dir / "in" / "dwi.bval").write_text("0 0 100 100 100 500 500 500\n", encoding="utf-8")
    self.ok("ivim", self.yaml("input: {average: geometric}\nfit: {method: lm, model: adc}\n"), "in", "-o", "adc", "-q")

  def test_sidecars_that_contradict(self):
    (self.dir / "in" / "dwi.json").write_text('{"bValues": [0, 10, 20]}', encoding="utf-8")
    done = self.ok("ivim", self.config, "in", "-o", "both")
    self.assertIn("8 b-values from dwi.bval; 'bValues' of the sidecar says others (3)", done.stderr)
    (self.dir / "in" / "dwi.bval").unlink()
    self.refused("3 b-values from the sidecar (bValues) for 8 volumes")

  def test_bad_voxels_have_a_status(self):
    values, shape, spacing = self.series()
    for k in range(8):
      values[k * N] = 0
      values[k * N + 1] = 1.0
      values[k * N + 2] = -1.0
    values[3 * N + 3] = float("nan")
    values[0 * N + 4] = float("inf")
    self.rewrite(values, shape, spacing)
    for method in METHODS:
      self.ok("ivim", self.yaml(f"fit: {{method: {method}}}\n"), "in", "-o", method, "-q")
      status = read_nifti(self.dir / method / "status.nii.gz")[0]
      f = read_nifti(self.dir / method / "f.nii.gz")[0]
      self.assertEqual(status[0], 3, method)
      self.assertEqual(list(status[3:5]), [4, 4], method)
      for v in range(5):
        self.assertEqual(math.isnan(f[v]), status[v] not in (1, 2), (method, v, status[v], f[v]))
      self.assertGreater(sum(not math.isnan(x) for x in f), 520, method)

  def test_nothing_but_zeros(self):
    values, shape, spacing = self.series()
    self.rewrite([0.0] * len(values), shape, spacing)
    for method in METHODS:
      done = self.run_larmor("ivim", self.yaml(f"fit: {{method: {method}}}\n"), "in", "-o", method, "-q")
      if done.returncode == 0:
        self.assertEqual(set(read_nifti(self.dir / method / "status.nii.gz")[0]), {3}, method)
      else:
        self.assertIn("no voxel could be fitted", done.stderr, method)
        self.assertFalse((self.dir / method).exists())

  def test_files_that_are_none(self):
    self.refused("nowhere", data="nowhere")
    self.refused("no.yaml", config="no.yaml")
    self.refused("no.nii.gz", "input.mask", config=self.yaml("input: {mask: no.nii.gz}\n"))
    (self.dir / "in" / "folder").mkdir()
    self.refused("folder", config=self.yaml("input: {mask: folder}\n"))
    self.refused("in", config="in")
    path = self.dir / "in" / "dwi.nii.gz"
    whole = path.read_bytes()
    for bad in (whole[:-2000], gzip.compress(gzip.decompress(whole)[:5000]), b"this is no image", b""):
      path.write_bytes(bad)
      self.refused("dwi.nii.gz", config=self.yaml("fit: {method: lm}\n"))

  def test_weights_that_are_none(self):
    (self.dir / "in" / "w.safetensors").write_bytes(b"no weights at all")
    self.refused("w.safetensors", config=self.yaml("fit: {method: network, weights: w.safetensors}\n"))
    self.fails(1, ["ivim", "infer", "in/dwi.nii.gz", "in/w.safetensors", "-o", "maps"], "w.safetensors")
    self.fails(1, ["ivim", "evaluate", "in/w.safetensors"], "w.safetensors")
    self.assertFalse((self.dir / "maps").exists())

  def test_full_disk(self):
    (self.dir / "in" / "keep").mkdir()
    (self.dir / "in" / "keep" / "f.nii.gz").write_text("old", encoding="utf-8")
    # A file may not grow beyond 1 kB: the first map cannot be written.
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    done = self.run_larmor("ivim", self.config, "in", "-o", "in/keep", "-q", preexec=limit)
    self.assertEqual(done.returncode, 1, done.stderr)
    self.assertRegex(done.stderr, "(?i)large|space|limit")
    self.assertEqual([p.name for p in (self.dir / "in" / "keep").iterdir()], ["f.nii.gz"])
    self.assertEqual((self.dir / "in" / "keep" / "f.nii.gz").read_text(encoding="utf-8"), "old")
    done = self.run_larmor("ivim", "train", "w.safetensors", "--samples", "2000", "--epochs", "1", "-q", preexec=limit)
    self.assertEqual(done.returncode, 1, done.stderr)
    self.assertFalse([p.name for p in self.dir.iterdir() if "safetensors" in p.name])

  def interrupted(self, start, *args):
    run = subprocess.Popen([LARMOR, *args, "--threads", "1"], cwd=self.dir, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    seen = ""
    for line in run.stderr:
      seen += line
      if start in line:
        run.send_signal(signal.SIGINT)
        break
    stdout, stderr = run.communicate(timeout=60)
    self.assertEqual(run.returncode, 1, seen + stderr)
    self.assertIn("cancelled", stderr)
    self.assertEqual(stdout, "")

  def test_interrupt_leaves_nothing(self):
    self.ok("dro", "ivim", "-o", "big", "--grid", "96,96,40", "-q")
    self.interrupted("fit", "ivim", self.yaml("fit: {method: posterior, noise_sd: 0.01}\n"), "big", "-o", "out")
    self.interrupted("training", "ivim", "train", "w.safetensors", "--epochs", "60")
    left = [p.name for p in self.dir.iterdir() if "out" in p.name or "safetensors" in p.name]
    self.assertFalse(left)

  def test_a_device_that_is_not_there(self):
    done = self.run_larmor("ivim", "train", "w.safetensors", "--kind", "original", "--device", "cuda")
    if done.returncode == 0:
      self.skipTest("there is a device")
    self.assertIn("no device cuda", done.stderr)
    self.assertIn("use device cpu", done.stderr)
    self.fails(2, ["ivim", "train", "w.safetensors", "--restarts", "3"], "--restarts with --kind posterior", "original")
    self.fails(2, ["ivim", "train", "w.safetensors", "--kind", "original", "--dropout", "0.1"], "--dropout", "optim")
    self.fails(2, ["ivim", "train", "w.safetensors", "--kind", "original", "--batch-norm"], "--batch-norm", "optim")
    self.fails(2, ["ivim", "train", "w.safetensors", "--voxel-share", "0.5"], "--voxel-share", "--data")


if __name__ == "__main__":
  harness.main()
