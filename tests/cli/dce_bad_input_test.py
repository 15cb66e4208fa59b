# SPDX-License-Identifier: Apache-2.0
"""Bad data: a clear error, or a status in each bad voxel; never a partial output."""
import gzip
import json
import math
import resource
import signal
import struct
import subprocess

import harness
from harness import LARMOR, load_json, read_nifti, write_nifti

SHAPE = (10, 9, 6)


class Cases(harness.CliCase):

  def setUp(self):
    super().setUp()
    self.ok("dro", "dce", "-o", "in", "--grid", ",".join(map(str, SHAPE)), "--frames", "40", "--concentration", "--model",
            "tofts", "--noise", "0.001")
    self.config = "in/config.yaml"
    self.before = set(self.dir.rglob("*"))

  def refused(self, *says, code=1, config=None, data="in"):
    done = self.fails(code, ["dce", config or self.config, data, "-o", "out", "-q"], *says)
    made = {p.name for p in set(self.dir.rglob("*")) - self.before if "in" not in p.relative_to(self.dir).parts[:1]}
    self.assertFalse([n for n in made if n not in ("c.yaml", "other.nii.gz")], "something was left behind")
    return done

  def yaml(self, text):
    (self.dir / "c.yaml").write_text(text, encoding="utf-8")
    return "c.yaml"

  def series(self):
    values, shape, spacing, *_ = read_nifti(self.dir / "in" / "dynamic.nii.gz")
    return list(values), shape, spacing

  def rewrite(self, values, shape, spacing, dt=5.0):
    write_nifti(self.dir / "in" / "dynamic.nii.gz", values, shape, spacing=spacing, dt=dt)

  def status_of(self, voxel):
    values, *_ = read_nifti(self.dir / "out" / "status.nii.gz")
    return values[voxel]

  def test_mask_of_another_shape(self):
    write_nifti(self.dir / "in" / "mask.nii.gz", [1] * 60, (5, 4, 3), code=2, spacing=(2, 2, 4))
    self.refused("5 x 4 x 3", "10 x 9 x 6", "mask")

  def test_mask_elsewhere_in_space(self):
    write_nifti(self.dir / "in" / "mask.nii.gz", [1] * 540, SHAPE, code=2, spacing=(2, 2, 4), origin=(40, 0, 0))
    self.refused("mask", "mm")

  def test_series_that_is_no_series(self):
    (self.dir / "in" / "dynamic.json").unlink()
    write_nifti(self.dir / "in" / "dynamic.nii.gz", [1.0] * 540, SHAPE, spacing=(2, 2, 4))
    self.refused("10 x 9 x 6", "not 4-D")

  def test_voxels_that_are_not_finite(self):
    values, shape, spacing = self.series()
    n = math.prod(SHAPE)
    nan, inf, good = (3 + 10 * 4 + 90 * 2), (4 + 10 * 4 + 90 * 2), (5 + 10 * 4 + 90 * 2)
    values[7 * n + nan] = float("nan")
    values[9 * n + inf] = float("inf")
    self.rewrite(values, shape, spacing)
    self.ok("dce", self.config, "in", "-o", "out", "-q")
    self.assertEqual([self.status_of(v) for v in (nan, inf, good)], [4, 4, 1])
    ktrans, *_ = read_nifti(self.dir / "out" / "Ktrans.nii.gz")
    self.assertTrue(math.isnan(ktrans[nan]) and math.isnan(ktrans[inf]) and ktrans[good] > 0)
    self.assertEqual(load_json(self.dir / "out" / "summary.json")["voxels"]["by_status"]["bad_data"], 2)

  def test_constant_and_zero_signal(self):
    values, shape, spacing = self.series()
    n = math.prod(SHAPE)
    zero, constant = (3 + 10 * 4 + 90 * 2), (4 + 10 * 4 + 90 * 2)
    for t in range(40):
      values[t * n + zero], values[t * n + constant] = 0.0, 0.3
    self.rewrite(values, shape, spacing)
    self.ok("dce", self.config, "in", "-o", "out", "-q")
    self.assertEqual([self.status_of(zero), self.status_of(constant)], [3, 3])

  def test_nothing_but_zeros(self):
    _, shape, spacing = self.series()
    self.rewrite([0.0] * math.prod(shape), shape, spacing)
    done = self.run_larmor("dce", self.config, "in", "-o", "out", "-q")
    self.assertIn(done.returncode, (0, 1), done.stderr)
    if done.returncode == 0:  # every voxel has its status; no map has a number
      ktrans, *_ = read_nifti(self.dir / "out" / "Ktrans.nii.gz")
      self.assertTrue(all(math.isnan(x) for x in ktrans))
      self.assertEqual(load_json(self.dir / "out" / "summary.json")["voxels"]["usable"], 0)

  def test_empty_mask(self):
    write_nifti(self.dir / "in" / "mask.nii.gz", [0] * 540, SHAPE, code=2, spacing=(2, 2, 4))
    self.refused("mask")

  def test_times_that_do_not_increase(self):
    times = [5.0 * i for i in range(40)]
    times[20] = times[19]
    self.refused("frame times do not increase: 95 s at frame 20", "c.yaml line 2",
                 config=self.yaml(f"input: {{kind: concentration,\n  times: {times}}}\nfit: {{model: tofts}}\n"))
    times = [5.0 * i for i in range(39)]
    self.refused("39 frame times for 40 frames", config=self.yaml(f"input: {{kind: concentration, times: {times}}}\n"))

  def test_times_that_are_not_known(self):
    values, shape, spacing = self.series()
    self.rewrite(values, shape, spacing, dt=0.0)
    (self.dir / "in" / "dynamic.json").unlink()
    self.refused("times of the frames are not known", "input.frame_time")

  def test_one_time_point(self):
    values, shape, spacing = self.series()
    (self.dir / "in" / "dynamic.json").unlink()
    self.rewrite(values[:540 * 2], (*SHAPE, 2), spacing)
    self.refused("2 time points; at least 3")
    self.rewrite(values[:540], (*SHAPE, 1), spacing)
    self.refused("not 4-D")

  def test_fewer_frames_than_parameters(self):
    values, shape, spacing = self.series()
    (self.dir / "in" / "dynamic.json").unlink()
    self.rewrite(values[:540 * 4], (*SHAPE, 4), spacing)
    self.refused("4", config=self.yaml("input: {kind: concentration}\naif: {arrival: 1}\nfit: {model: 2cxm}\n"))

  def test_negative_TR_in_the_sidecar(self):
    self.ok("dro", "dce", "-o", "in2", "--grid", "8,8,4", "--frames", "20", "-q")
    sidecar = load_json(self.dir / "in2" / "dynamic.json")
    for key in list(sidecar):
      if key.startswith("RepetitionTime"):
        sidecar[key] = -0.005
    (self.dir / "in2" / "dynamic.json").write_text(json.dumps(sidecar), encoding="utf-8")
    self.fails(1, ["dce", "in2/config.yaml", "in2", "-o", "out", "-q"], "TR", "-0.005", "sidecar")

  def test_missing_things(self):
    self.refused("nowhere", data="nowhere")
    self.refused("c.yaml", config="c.yaml")
    self.refused("no.nii.gz", "input.mask (c.yaml line 2)", config=self.yaml("input: {kind: concentration,\n  mask: no.nii.gz}\n"))
    (self.dir / "in" / "dynamic.nii.gz").unlink()
    self.refused("no dynamic series found", "input.dynamic")

  def test_truncated_gzip(self):
    path = self.dir / "in" / "dynamic.nii.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    self.refused("dynamic.nii.gz")

  def test_truncated_and_foreign_files(self):
    path = self.dir / "in" / "dynamic.nii.gz"
    whole = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(whole[:5000]))
    self.refused("dynamic.nii.gz")
    path.write_bytes(b"this is no image")
    self.refused("dynamic.nii.gz")
    path.write_bytes(b"")
    self.refused("dynamic.nii.gz")

  def test_folder_instead_of_a_file(self):
    (self.dir / "in" / "folder").mkdir()
    self.refused("folder", config=self.yaml("input: {kind: concentration, mask: folder}\n"))
    self.refused("in", config="in")

  def test_output_that_is_a_file(self):
    (self.dir / "in" / "taken").write_text("mine", encoding="utf-8")
    self.fails(1, ["dce", self.config, "in", "-o", "in/taken", "-q"], "taken")
    self.assertEqual((self.dir / "in" / "taken").read_text(encoding="utf-8"), "mine")

  def test_full_disk(self):
    (self.dir / "in" / "keep").mkdir()
    (self.dir / "in" / "keep" / "Ktrans.nii.gz").write_text("old", encoding="utf-8")
    # A file may not grow beyond 4 kB: the first map larger than that cannot be written.
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    done = self.run_larmor("dce", self.config, "in", "-o", "in/keep", "-q", preexec=limit)
    self.assertEqual(done.returncode, 1, done.stderr)
    self.assertRegex(done.stderr, "(?i)large|space|limit")
    self.assertEqual([p.name for p in (self.dir / "in" / "keep").iterdir()], ["Ktrans.nii.gz"])
    self.assertEqual((self.dir / "in" / "keep" / "Ktrans.nii.gz").read_text(encoding="utf-8"), "old")
    self.assertFalse([p for p in (self.dir / "in").iterdir() if ".tmp" in p.name or "keep" in p.name and p.name != "keep"])

  def test_interrupt_leaves_nothing(self):
    self.ok("dro", "dce", "-o", "big", "--grid", "96,96,24", "--frames", "60", "--concentration", "--model", "2cxm",
            "--noise", "0.01", "-q")
    # Iterations without end, on one thread: the interrupt comes while voxels are being fitted.
    slow = self.yaml("input: {kind: concentration}\naif: {arrival: 20}\n"
                     "fit: {model: aath, fit_delay: true, max_iterations: 255, tolerance: 1e-12}\n")
    run = subprocess.Popen([LARMOR, "dce", slow, "big", "-o", "out", "--threads", "1"], cwd=self.dir, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = ""
    for line in run.stderr:
      seen += line
      if line.startswith("fit"):
        run.send_signal(signal.SIGINT)
        break
    stdout, stderr = run.communicate(timeout=60)
    self.assertEqual(run.returncode, 1, seen + stderr)
    self.assertIn("cancelled", stderr)
    self.assertEqual(stdout, "")
    self.assertFalse([p.name for p in self.dir.iterdir() if p.name.startswith("out") or p.name.startswith(".out")])

  def test_several_candidates_are_listed(self):
    values, shape, spacing = self.series()
    write_nifti(self.dir / "in" / "other_dce.nii.gz", values, shape, spacing=spacing, dt=5)
    done = self.refused("2 files could be the dynamic series", "input.dynamic:")
    self.assertIn("other_dce.nii.gz", done.stderr)
    self.assertIn("dynamic.nii.gz", done.stderr)

  def test_automatic_input_where_there_is_no_artery(self):
    done = self.refused("nothing looks like an artery", "give a mask of the artery",
                        config=self.yaml("input: {kind: concentration}\naif: {source: auto}\nfit: {model: tofts}\n"))
    self.assertRegex(done.stderr, r"peaks at [0-9.]+ mM, only [0-9.]+ times")

  def test_settings_that_contradict(self):
    base = "input: {kind: concentration}\n"
    self.refused("aif.file is set, but aif.source is 'model'", code=2, config=self.yaml(base + "aif: {file: in/aif.csv}\n"))
    self.refused("fit.delay is set, but fit.fit_delay is true", code=2, config=self.yaml(base + "fit: {delay: 2, fit_delay: true}\n"))
    self.refused("dce.tofts has no such parameter", "Ktrans, ve", code=2, config=self.yaml(base + "fit: {model: tofts, params: {vp: {fixed: 0}}}\n"))
    self.refused("takes two inputs", code=2, config=self.yaml(base + "fit: {model: dual_input}\n"))
    self.refused("fit.skip_frames names frame 40 of 40", code=2, config=self.yaml(base + "fit: {skip_frames: [1, 40]}\n"))
    self.refused("T10 is not known", code=2, config=self.yaml("signal: {FA: 15, TR: 5}\n"))
    self.refused("signal.FA is not known", code=2, config=self.yaml("t1: {fixed: 1.4}\n"))


if __name__ == "__main__":
  harness.main()
