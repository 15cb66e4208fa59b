# SPDX-License-Identifier: Apache-2.0
"""Bad data of DSC and ASL: a clear error, or a status in each bad voxel; never a partial output."""
import gzip
import json
import math
import resource
import signal
import subprocess

import harness
from harness import LARMOR, load_json, read_nifti, write_nifti

SHAPE = (14, 12, 6)
VOXELS = math.prod(SHAPE)


class Kind:
  """What differs between the two: the series, its sidecar, the words that a run says."""

  def __init__(self, name, make, series, role, key, needed):
    self.name, self.make, self.series, self.role, self.key, self.needed = name, make, series, role, key, needed

  @property
  def sidecar(self):
    return self.series.replace(".nii.gz", ".json")


KINDS = (Kind("dsc", ["dro", "dsc", "--snr", "100"], "dsc.nii.gz", "dynamic series", "input.dynamic", "EchoTime"),
         Kind("asl", ["dro", "asl", "--PLD", "0.5,1,1.5", "--repeats", "2"], "sub-01/perf/sub-01_asl.nii.gz", "ASL series",
              "input.series", "PostLabelingDelay"))


class Cases(harness.CliCase):

  def each(self):
    """Every kind in a folder of its own, with an object of it in `in`."""
    home = self.dir
    for kind in KINDS:
      self.dir = home / kind.name
      self.dir.mkdir()
      self.kind = kind
      self.ok(*kind.make, "-o", "in", "--grid", ",".join(map(str, SHAPE)), "-q")
      yield kind

  def refused(self, *says, code=1, config="in/config.yaml", data="in"):
    self.fails(code, [self.kind.name, config, data, "-o", "out", "-q"], *says)
    left = [p.name for p in self.dir.iterdir() if p.name not in ("in", "c.yaml")]
    self.assertFalse(left, "something was left behind")

  def yaml(self, text):
    (self.dir / "c.yaml").write_text(text, encoding="utf-8")
    return "c.yaml"

  def path(self):
    return self.dir / "in" / self.kind.series

  def read(self):
    values, shape, spacing, *_ = read_nifti(self.path())
    return list(values), shape, spacing

  def write(self, values, shape, spacing):
    write_nifti(self.path(), values, shape, spacing=spacing, dt=1.5)

  def facts(self, **change):
    path = self.dir / "in" / self.kind.sidecar
    facts = load_json(path)
    for key, value in change.items():
      if value is None:
        facts.pop(key, None)
      else:
        facts[key] = value
    path.write_text(json.dumps(facts), encoding="utf-8")

  def ran(self):
    self.ok(self.kind.name, "in/config.yaml", "in", "-o", "out", "-q")
    flow, *_ = read_nifti(self.dir / "out" / "CBF.nii.gz")
    status, *_ = read_nifti(self.dir / "out" / "status.nii.gz")
    return flow, status

  def test_mask_of_another_shape_and_place(self):
    for _ in self.each():
      _, _, spacing = self.read()
      write_nifti(self.dir / "in" / "mask.nii.gz", [1] * 60, (5, 4, 3), code=2, spacing=spacing)
      self.refused("5 x 4 x 3", "14 x 12 x 6", "mask")
      write_nifti(self.dir / "in" / "mask.nii.gz", [1] * VOXELS, SHAPE, code=2, spacing=spacing, origin=(40, 0, 0))
      self.refused("mask", "mm")

  def test_empty_mask(self):
    for _ in self.each():
      _, _, spacing = self.read()
      write_nifti(self.dir / "in" / "mask.nii.gz", [0] * VOXELS, SHAPE, code=2, spacing=spacing)
      self.refused("mask")

  def test_series_that_is_no_series(self):
    for kind in self.each():
      values, _, spacing = self.read()
      self.write(values[:VOXELS], SHAPE, spacing)
      if kind.name == "dsc":
        self.refused("VolumeTiming in the sidecar lists 60 times, the image has 1 volumes", "dsc.nii.gz")
        self.facts(VolumeTiming=None)
        self.refused("14 x 12 x 6", "not 4-D", kind.role)
      else:  # may be one difference image, but not this one
        self.refused("volume types for 1 volumes", "aslcontext.tsv")

  def test_voxels_that_are_not_finite(self):
    for _ in self.each():
      values, shape, spacing = self.read()
      nan, inf, good = (k + 14 * 6 + 168 * 2 for k in (7, 8, 9))
      values[3 * VOXELS + nan], values[4 * VOXELS + inf] = float("nan"), float("inf")
      self.write(values, shape, spacing)
      flow, status = self.ran()
      self.assertEqual([status[v] for v in (nan, inf)], [4, 4])
      self.assertIn(status[good], (1, 2))
      self.assertTrue(math.isnan(flow[nan]) and math.isnan(flow[inf]) and flow[good] > 0)
      self.assertEqual(load_json(self.dir / "out" / "summary.json")["voxels"]["by_status"]["bad_data"], 2)

  def test_zero_and_constant_signal(self):
    for _ in self.each():
      values, shape, spacing = self.read()
      zero, constant = (k + 14 * 6 + 168 * 2 for k in (7, 8))
      for t in range(shape[3]):
        values[t * VOXELS + zero], values[t * VOXELS + constant] = 0.0, 500.0
      self.write(values, shape, spacing)
      flow, status = self.ran()
      self.assertEqual([status[zero], status[constant]], [3, 3])
      self.assertTrue(math.isnan(flow[zero]) and math.isnan(flow[constant]))

  def test_nothing_but_zeros(self):
    for kind in self.each():
      _, shape, spacing = self.read()
      self.write([0.0] * math.prod(shape), shape, spacing)
      if kind.name == "dsc":
        self.refused("no bolus arrival")
        continue
      flow, status = self.ran()
      self.assertTrue(all(math.isnan(x) for x in flow))
      self.assertTrue(set(status) <= {0, 3})

  def test_times_that_do_not_increase_or_are_too_few(self):
    for kind in self.each():
      if kind.name == "asl":
        self.facts(PostLabelingDelay=[0.5, 1.0])
        self.refused("'PLD' holds 2 values for 12 volumes", "sidecar")
        self.facts(PostLabelingDelay=-0.5)
        self.refused("a post-labelling delay of -0.5 s", "give PLD >= 0")
        continue
      times = [1.5 * i for i in range(60)]
      times[20] = times[19]
      self.refused("frame times do not increase: 28.5 s at frame 20", "c.yaml", config=self.yaml(f"input: {{times: {times}}}\n"))
      self.refused("2 frame times for 60 frames", config=self.yaml("input: {times: [0, 1.5]}\n"))

  def test_one_time_point(self):
    for kind in self.each():
      values, _, spacing = self.read()
      self.facts(VolumeTiming=None, PostLabelingDelay=0.5 if kind.name == "asl" else None)
      self.write(values[:VOXELS], (*SHAPE, 1), spacing)
      self.refused("not 4-D" if kind.name == "dsc" else "volume types for 1 volumes")
      if kind.name == "dsc":
        self.write(values[:3 * VOXELS], (*SHAPE, 3), spacing)
        self.refused("no bolus arrival", "give the baseline frames")
        continue
      self.write(values[:2 * VOXELS], (*SHAPE, 2), spacing)
      for context in (self.dir / "in").rglob("*aslcontext.tsv"):
        context.write_text("volume_type\nlabel\nlabel\n", encoding="utf-8")
      self.refused("0 control and 2 label volumes", config=self.yaml("fit: {method: formula}\n"))

  def test_protocol_that_means_nothing(self):
    for kind in self.each():
      if kind.name == "dsc":
        self.facts(EchoTime=-0.03)
        self.refused("an echo time of -30 ms", "sidecar")
        self.facts(EchoTime=30)
        self.refused("an echo time of 30000 ms", "in seconds")
      else:
        self.facts(LabelingDuration=-1.8)
        self.refused("a labelling duration of -1.8 s", "sidecar")
        self.facts(LabelingDuration=1.8, LabelingEfficiency=85)
        self.refused("a labelling efficiency of 85", "at most 1")
        self.facts(LabelingEfficiency=0.85, MagneticFieldStrength=3000)
        self.refused("a field of 3000 T", config=self.yaml("differences: {outlier_sd: 0}\n"))
        self.facts(MagneticFieldStrength=3)
        scan = self.dir / "in/sub-01/perf/sub-01_m0scan.json"
        m0 = load_json(scan)
        m0["RepetitionTimePreparation"] = -6
        scan.write_text(json.dumps(m0), encoding="utf-8")
        self.refused("RepetitionTimePreparation is -6", "cannot be negative")

  def test_protocol_that_is_missing(self):
    for kind in self.each():
      self.facts(**{kind.needed: None})
      self.refused(kind.needed if kind.name == "asl" else "signal.TE", code=2)

  def test_missing_things(self):
    for kind in self.each():
      self.refused("nowhere", data="nowhere")
      self.refused("c.yaml", config="c.yaml")
      self.refused("no.nii.gz", "input.mask (c.yaml line 2)", config=self.yaml("input:\n  mask: no.nii.gz\n"))
      self.path().unlink()
      (self.dir / "c.yaml").unlink()
      self.refused(f"no {kind.role} found", kind.key)

  def test_unknown_names(self):
    for kind in self.each():
      if kind.name == "dsc":
        self.refused("no deconvolution method called", "did you mean dsc.osvd", code=2, config=self.yaml("deconvolution: {method: osdv}\n"))
        self.refused("no residue model called", code=2, config=self.yaml("deconvolution: {correction: gaussian}\n"))
      else:
        self.refused("no ASL model called", "did you mean asl.pcasl", code=2, config=self.yaml("fit: {model: pcals}\n"))
        self.refused("did you mean", code=2, config=self.yaml("m0: {method: voxelwize}\n"))
      self.refused("did you mean output?", code=2, config=self.yaml("ouput: {units: lexicon}\n"))

  def test_truncated_and_foreign_files(self):
    for _ in self.each():
      whole = self.path().read_bytes()
      name = self.path().name
      for bad in (whole[:-2000], gzip.compress(gzip.decompress(whole)[:5000]), b"this is no image", b""):
        self.path().write_bytes(bad)
        self.refused(name)
      self.path().write_bytes(whole)
      (self.dir / "in" / self.kind.sidecar).write_text('{"EchoTime": ', encoding="utf-8")
      self.refused(name.replace(".nii.gz", ".json"))

  def test_folder_instead_of_a_file(self):
    for _ in self.each():
      (self.dir / "in" / "folder").mkdir()
      self.refused("folder", config=self.yaml("input: {mask: folder}\n"))
      self.refused("in", config="in")

  def test_output_that_is_a_file(self):
    for kind in self.each():
      (self.dir / "in" / "taken").write_text("mine", encoding="utf-8")
      self.fails(1, [kind.name, "in/config.yaml", "in", "-o", "in/taken", "-q"], "taken")
      self.assertEqual((self.dir / "in" / "taken").read_text(encoding="utf-8"), "mine")

  def test_full_disk(self):
    for kind in self.each():
      keep = self.dir / "keep"
      keep.mkdir()
      (keep / "CBF.nii.gz").write_text("old", encoding="utf-8")
      # A file may not grow beyond 1 kB: the first map larger than that cannot be written.
      limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
      done = self.run_larmor(kind.name, "in/config.yaml", "in", "-o", "keep", "-q", preexec=limit)
      self.assertEqual(done.returncode, 1, done.stderr)
      self.assertRegex(done.stderr, "(?i)large|space|limit")
      self.assertEqual([p.name for p in keep.iterdir()], ["CBF.nii.gz"])
      self.assertEqual((keep / "CBF.nii.gz").read_text(encoding="utf-8"), "old")
      self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["in", "keep"])

  def test_interrupt_leaves_nothing(self):
    slow = {"dsc": (["dro", "dsc", "--frames", "80", "--snr", "50"],
                    "aif: {source: mask}\ntissue: {first_pass: gamma_variate}\ndeconvolution: {method: fit_gamma}\n"),
            "asl": (["dro", "asl", "--PLD", "0.2,0.4,0.6,0.8,1,1.2,1.4", "--repeats", "1", "--snr", "200"],
                    "fit: {model: pcasl_macrovascular}\n")}
    for kind in KINDS:
      with self.subTest(kind.name):
        self.ok(*slow[kind.name][0], "-o", kind.name, "--grid", "128,128,32", "-q")
        run = subprocess.Popen([LARMOR, kind.name, self.yaml(slow[kind.name][1]), kind.name, "-o", "out", "--threads", "1"],
                               cwd=self.dir, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        seen = ""
        for line in run.stderr:
          seen += line
          if line.startswith(("fit", "passes")):
            run.send_signal(signal.SIGINT)
            break
        stdout, stderr = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 1, seen + stderr)
        self.assertIn("cancelled", stderr)
        self.assertEqual(stdout, "")
        self.assertFalse([p.name for p in self.dir.iterdir() if p.name.startswith(("out", ".out"))])

  def test_several_candidates_are_listed(self):
    for kind in self.each():
      values, shape, spacing = self.read()
      other = self.path().parent / f"other_{kind.name}.nii.gz"
      write_nifti(other, values, shape, spacing=spacing, dt=1.5)
      self.refused(f"2 files could be the {kind.role}", f"{kind.key}:", other.name)

  def test_input_where_there_is_no_artery(self):
    for kind in self.each():
      if kind.name == "dsc":
        self.refused("nothing looks like an artery", config=self.yaml("aif: {source: auto}\n"))


if __name__ == "__main__":
  harness.main()
