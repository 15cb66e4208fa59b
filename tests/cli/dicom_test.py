# SPDX-License-Identifier: Apache-2.0
"""larmor dicom and larmor hippocampus, driven as a user does, on series made here (a small explicit little endian writer)."""
import csv
import json
import math
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time

import harness
from harness import SOURCE, load_json, read_nifti, write_nifti

NX, NY, NZ = 33, 41, 30
DATA = pathlib.Path(os.environ.get("LARMOR_TEST_DATA", SOURCE.parent / "shared" / "data"))
LONG = {"OB", "OW", "SQ", "UN", "UT"}


def element(group, number, vr, value):
  if vr == "US":
    raw = struct.pack("<H", value)
  elif isinstance(value, bytes):
    raw = value
  else:
    raw = str(value).encode("utf-8")
  if len(raw) % 2:
    raw += b"\0" if vr in ("UI", "OB") else b" "
  head = struct.pack("<HH2s", group, number, vr.encode())
  return head + (struct.pack("<HI", 0, len(raw)) if vr in LONG else struct.pack("<H", len(raw))) + raw


def dicom(path, elements):
  """A DICOM file of {(group, element): (vr, value)}."""
  body = b"".join(element(g, e, vr, v) for (g, e), (vr, v) in sorted(elements.items()))
  meta = element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", elements[(8, 0x16)][1]) + element(2, 3, "UI", elements[(8, 0x18)][1]) + element(2, 0x10, "UI", "1.2.840.10008.1.2.1")
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_bytes(b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta + body)


def inside(i, j, k):
  return (i - 16) ** 2 + (j - 20) ** 2 + (k - 15) ** 2 < 81


def series(folder, patient="P1", study="2.25.11", uid="2.25.12", description="HippoCrop", modality="MR", name="Doe^Jane", date="20200102", slices=range(NZ), numbers=None, side=None, zero=False,
           flip=False, number=3, change=None):
  for k in slices:
    values = [0 if zero else 100 + 3 * i + 2 * j + k - (40 if inside(i, j, k) else 0) for j in range(NY) for i in (range(NX - 1, -1, -1) if flip else range(NX))]
    x, row = (NX - 1 - 5, -1) if flip else (-5, 1)
    e = {(8, 8): ("CS", "ORIGINAL\\PRIMARY\\M"), (8, 0x16): ("UI", "1.2.840.10008.5.1.4.1.1.4"), (8, 0x18): ("UI", f"{uid}.{k + 1}"), (8, 0x20): ("DA", date), (8, 0x30): ("TM", "030405"),
         (8, 0x50): ("SH", "ACC1"), (8, 0x60): ("CS", modality), (8, 0x70): ("LO", "Maker"), (8, 0x90): ("PN", "Dr^Who"), (8, 0x1030): ("LO", "Head"), (8, 0x103e): ("LO", description),
         (0x10, 0x10): ("PN", name), (0x10, 0x20): ("LO", patient), (0x10, 0x30): ("DA", "19480101"), (0x10, 0x40): ("CS", "F"), (0x18, 0x50): ("DS", "1"), (0x20, 0xd): ("UI", study), (0x20, 0xe): ("UI", uid),
         (0x20, 0x10): ("SH", "S1"), (0x20, 0x11): ("IS", number), (0x20, 0x13): ("IS", (numbers or list(range(NZ)))[k] + 1), (0x20, 0x32): ("DS", f"{x}\\-4\\{k - 3}"),
         (0x20, 0x37): ("DS", f"{row}\\0\\0\\0\\1\\0"), (0x20, 0x52): ("UI", f"{study}.9"), (0x28, 2): ("US", 1), (0x28, 4): ("CS", "MONOCHROME2"), (0x28, 0x10): ("US", NY), (0x28, 0x11): ("US", NX),
         (0x28, 0x30): ("DS", "1\\1"), (0x28, 0x100): ("US", 16), (0x28, 0x101): ("US", 16), (0x28, 0x102): ("US", 15), (0x28, 0x103): ("US", 1),
         (0x7fe0, 0x10): ("OW", struct.pack(f"<{NX * NY}h", *values))}
    if side:
      e[(0x20, 0x60)] = ("CS", side)
    if change:
      change(e, k)
    dicom(pathlib.Path(folder) / f"{(numbers or list(range(NZ)))[k]}.dcm", e)


def labels(path, flip=False):
  """A ball, its front half anterior, in RAS on a grid of its own."""
  # World of voxel (i, j, k) of the series: R = 5 - i, A = 4 - j, S = k - 3.
  values = [0] * (NX * NY * NZ)
  for k in range(NZ):
    for j in range(NY):
      for i in range(NX):
        if inside(i, j, k):
          values[(k * NY + (NY - 1 - j)) * NX + (NX - 1 - i)] = 1 if j < 20 else 2
  write_nifti(path, values, (NX, NY, NZ), code=2, origin=(5 - (NX - 1), 4 - (NY - 1), -3))


def installed(program):
  return shutil.which(program) is not None


def data_names(folder):
  return sorted(p.name for p in pathlib.Path(folder).iterdir())


def slowness():
  """How many times slower this processor is than the one that limits are meant for (50 ms for this loop), at least 1."""
  times = []
  for _ in range(5):
    begin = time.process_time()
    x = 0
    for i in range(1000000):
      x += i * i % 7
    times.append(time.process_time() - begin)
  return max(1, min(times) / 0.05)


class Cases(harness.CliCase):

  def measure(self, study, out, *more):
    return json.loads(self.ok("hippocampus", study, "-o", out, "--labels", "labels.nii.gz", "-q", "--json", *more).stdout)

  def volumes(self, results):
    return {v["structure"]: v["mm3"] for v in results["sides"][0]["volumes"]}

  def test_info_and_to_nifti(self):
    series(self.dir / "in" / "a")
    (self.dir / "in" / "notes.txt").write_text("no image, but longer than sixteen bytes")
    text = self.ok("dicom", "info", "in").stdout
    self.assertIn("HippoCrop", text)
    self.assertIn("33 x 41 x 30", text)
    info = json.loads(self.ok("dicom", "info", "in", "--json").stdout)
    self.assertEqual(info["studies"][0]["series"][0]["orientation"], "LPS")
    self.ok("dicom", "to-nifti", "in", "-o", "out.nii.gz")
    values, shape, spacing, head, _ = read_nifti(self.dir / "out.nii.gz")
    self.assertEqual((shape, spacing), ((NX, NY, NZ), (1.0, 1.0, 1.0)))
    self.assertEqual(values[1], 103)
    self.assertEqual(struct.unpack_from("<12f", head, 280), (-1, 0, 0, 5, 0, -1, 0, 4, 0, 0, 1, -3))
    self.assertNotIn("Doe", (self.dir / "out.json").read_text())
    self.ok("dicom", "to-nifti", "in", "-o", "all")
    self.assertIn("3_HippoCrop.nii.gz", data_names(self.dir / "all"))

  def test_names_of_any_bytes(self):
    folder = self.dir / os.fsdecode(b"caf\xe9")  # Latin-1: no UTF-8
    series(folder / "in")
    told = json.loads(self.ok("dicom", "to-nifti", folder / "in", "-o", folder / "a.nii.gz", "-q", "--json").stdout)
    self.assertEqual(told["failed"], 0)
    self.assertTrue((folder / "a.nii.gz").exists())

  def test_info_on_what_is_no_dicom(self):
    (self.dir / "empty").mkdir()
    self.fails(1, ["dicom", "info", "empty"], "no file is in folder")
    (self.dir / "junk").mkdir()
    (self.dir / "junk" / "a.dcm").write_bytes(b"\xff" * 500)
    self.fails(1, ["dicom", "info", "junk"], "no DICOM object is in junk")
    self.fails(1, ["dicom", "to-nifti", "junk", "-o", "x"], "no images are in junk")

  def test_anonymize(self):

    def private(e, k):
      e[(9, 0x10)] = ("LO", "MAKER")
      e[(9, 0x1001)] = ("LO", "Doe Jane secret")
      e[(0x10, 0x4000)] = ("LT", "Jane Doe lives here")
      e[(8, 0x80)] = ("LO", "Mercy Hospital")

    series(self.dir / "in", change=private, slices=range(3))
    self.ok("dicom", "anonymize", "in", "-o", "a", "--key", "k1", "--keep", "SeriesDescription", "--keep", "characteristics")
    raw = b"".join(p.read_bytes() for p in (self.dir / "a").rglob("*.dcm"))
    for secret in (b"Doe", b"Jane", b"P1 ", b"secret", b"Mercy", b"20200102", b"2.25.12", b"ACC1", b"Dr^Who", b"MAKER"):
      self.assertNotIn(secret, raw)
    self.assertIn(b"HippoCrop", raw)
    self.assertIn(b"113108", raw)
    info = json.loads(self.ok("dicom", "info", "a", "--json").stdout)
    self.assertEqual([len(s["series"]) for s in info["studies"]], [1])
    self.assertEqual(info["studies"][0]["series"][0]["objects"], 3)
    self.ok("dicom", "anonymize", "in", "-o", "b", "--key", "k1")
    self.ok("dicom", "anonymize", "in", "-o", "c", "--key", "k2")
    study = lambda folder: json.loads(self.ok("dicom", "info", folder, "--json").stdout)["studies"][0]["uid"]
    self.assertEqual(study("a"), study("b"))
    self.assertNotEqual(study("a"), study("c"))
    self.fails(2, ["dicom", "anonymize", "in", "-o", "a"], "folder a is not empty", "objects of two runs")
    self.fails(2, ["dicom", "anonymize", "in", "-o", "in/clean"], "--out in/clean lies in in, which is read")
    self.assertEqual(data_names(self.dir / "in"), ["0.dcm", "1.dcm", "2.dcm"])
    self.fails(2, ["dicom", "anonymize", "in", "-o", "d", "--keep", "SeriesDescriptio"], "did you mean SeriesDescription?")
    self.fails(2, ["dicom", "anonymize", "in", "-o", "d", "--keep", "dates", "--shift-days", "3"], "dates cannot be kept and moved")

  def test_study_to_results(self):
    series(self.dir / "in")
    labels(self.dir / "labels.nii.gz")
    before = {p: p.read_bytes() for p in (self.dir / "in").iterdir()}
    results = self.measure("in", "out", "--side", "left")
    n = sum(inside(i, j, k) for i in range(NX) for j in range(NY) for k in range(NZ))
    self.assertEqual(self.volumes(results)["total"], n)
    self.assertEqual(results["sides"][0]["side"], "left")
    self.assertEqual(results["patient"]["age_years"], 72.0 + (results["patient"]["age_years"] - 72.0))
    self.assertEqual(data_names(self.dir / "out"), ["labels.nii.gz", "page.dcm", "report.dcm", "report.pdf", "results.csv", "results.json", "seg.dcm", "sr.dcm"])
    values, shape, *_ = read_nifti(self.dir / "out" / "labels.nii.gz")
    self.assertEqual(sum(1 for v in values if v), n)
    rows = list(csv.DictReader((self.dir / "out" / "results.csv").read_text().splitlines()))
    self.assertEqual([r["structure"] for r in rows], ["anterior", "posterior", "total"])
    self.assertEqual(before, {p: p.read_bytes() for p in (self.dir / "in").iterdir()})  # never modified
    self.assertIn("Provenance", load_json(self.dir / "out" / "results.json"))
    quality = results["sides"][0]["quality"]
    self.assertEqual((quality["pieces"], quality["voxels_at_edge"]), (1, 0))
    self.assertNotIn("mean_uncertainty", quality)  # the labels were given
    if installed("dciodvfy"):
      for name in ("page", "report", "seg", "sr"):
        done = subprocess.run(["dciodvfy", str(self.dir / "out" / f"{name}.dcm")], capture_output=True, text=True, check=False)
        self.assertEqual([l for l in (done.stdout + done.stderr).splitlines() if l.startswith("Error")], [], name)

  def test_order_and_orientation_do_not_change_volumes(self):
    labels(self.dir / "labels.nii.gz")
    series(self.dir / "plain")
    series(self.dir / "shuffled", numbers=[(7 * k + 3) % NZ for k in range(NZ)])
    series(self.dir / "mirrored", flip=True)
    plain = self.volumes(self.measure("plain", "o1", "--no-pdf", "--no-page"))
    for name in ("shuffled", "mirrored"):
      self.assertEqual(self.volumes(self.measure(name, "o_" + name, "--no-pdf", "--no-page")), plain, name)

  def test_both_sides_and_a_change(self):
    series(self.dir / "in" / "a", uid="2.25.21", side="R")
    series(self.dir / "in" / "b", uid="2.25.22", side="L", number=4)
    labels(self.dir / "l.nii.gz")
    results = json.loads(self.ok("hippocampus", "in", "-o", "out", "--labels", "l.nii.gz", "--labels", "l.nii.gz", "-q", "--json").stdout)
    self.assertEqual([s["side"] for s in results["sides"]], ["left", "right"])
    self.assertEqual(results["asymmetry"][2], {"structure": "total", "percent": 0.0})
    self.assertIn("seg_left.dcm", data_names(self.dir / "out"))
    told = self.ok("hippocampus", "in", "-o", "out", "--labels", "l.nii.gz", "--labels", "l.nii.gz", "-q").stdout
    self.assertIn("note: left, inside differs from around", told)
    self.assertIn("note: right, inside differs from around", told)
    series(self.dir / "later", uid="2.25.31", study="2.25.30", side="L", date="20220102")
    results = json.loads(self.ok("hippocampus", "later", "-o", "out2", "--labels", "l.nii.gz", "--earlier", "out", "-q", "--json").stdout)
    self.assertEqual(results["changes"][2]["earlier_date"], "20200102")
    self.assertEqual(results["changes"][2]["percent"], 0)
    self.fails(2, ["hippocampus", "in", "-o", "out3", "--labels", "l.nii.gz"], "1 label files for 2 sides")

  def test_refusals(self):
    labels(self.dir / "labels.nii.gz")

    def refused(folder, *says, code=1):
      self.fails(code, ["hippocampus", folder, "-o", "out", "--labels", "labels.nii.gz", "-q"], *says)
      self.assertFalse((self.dir / "out").exists())

    (self.dir / "empty").mkdir()
    refused("empty", "no file is in folder")
    (self.dir / "junk").mkdir()
    (self.dir / "junk" / "a.dcm").write_bytes(os.urandom(1000))
    refused("junk", "no DICOM study is in")
    series(self.dir / "other", description="T1")
    refused("other", "none of 1 series fits the default rules", "SeriesDescription is 'T1'")
    series(self.dir / "ct", modality="CT")
    refused("ct", "Modality is 'CT'")
    series(self.dir / "two" / "a")
    series(self.dir / "two" / "b", uid="2.25.99")
    refused("two", "2 series fit the default rules")
    series(self.dir / "gap", slices=[k for k in range(NZ) if k != 11])
    refused("gap", "1 slice is missing between 10.dcm and 12.dcm")
    series(self.dir / "twice" / "a")
    series(self.dir / "twice" / "b", slices=[5], change=lambda e, k: e.update({(8, 0x18): ("UI", "2.25.900")}))
    refused("twice", "remove duplicates (5.dcm and ", "b/5.dcm lie at the same place")
    series(self.dir / "one", slices=[4])
    refused("one", "it has 1 slice, and the rule allows 8 to 128")
    series(self.dir / "zero", zero=True)
    refused("zero", "an empty image")
    series(self.dir / "cut")
    with (self.dir / "cut" / "5.dcm").open("r+b") as f:
      f.truncate(2000)
    refused("cut", "5.dcm")
    series(self.dir / "patients" / "a")
    series(self.dir / "patients" / "b", patient="P2", uid="2.25.77")
    refused("patients", "2 studies are in", "patient 'P1' 20200102, patient 'P2' 20200102", "larmor hippocampus batch", code=2)
    series(self.dir / "in")
    (self.dir / "w.safetensors").write_bytes((SOURCE / "models" / "hippocampus.safetensors").read_bytes()[:-1000])
    self.fails(1, ["hippocampus", "in", "-o", "out", "--model", "w.safetensors", "-q"], "w.safetensors", "damaged weights")
    self.assertFalse((self.dir / "out").exists())

  def test_damaged_files_of_other_series_are_told(self):
    labels(self.dir / "labels.nii.gz")
    series(self.dir / "in" / "a")
    series(self.dir / "in" / "b", uid="2.25.77", description="T2")
    with (self.dir / "in" / "b" / "5.dcm").open("r+b") as f:
      f.truncate(2000)
    done = self.ok("hippocampus", "in", "-o", "out", "--labels", "labels.nii.gz")
    self.assertIn("b/5.dcm is a damaged DICOM file", done.stderr)
    self.assertIn("it is of a series that is not measured", done.stderr)
    self.fails(1, ["dicom", "to-nifti", "in", "-o", "t2.nii.gz", "--series", "T2", "-q"], "5.dcm is a damaged DICOM file")
    # All of a series: what it is called says whether it is looked for.
    series(self.dir / "in" / "c", uid="2.25.78", description="Survey", slices=[0])
    with (self.dir / "in" / "c" / "0.dcm").open("r+b") as f:
      f.truncate(2000)
    self.assertIn("c/0.dcm is a damaged DICOM file", self.ok("hippocampus", "in", "-o", "out", "--labels", "labels.nii.gz").stderr)
    series(self.dir / "in" / "c", uid="2.25.78", slices=[0])
    with (self.dir / "in" / "c" / "0.dcm").open("r+b") as f:
      f.truncate(2000)
    self.fails(1, ["hippocampus", "in", "-o", "out2", "--labels", "labels.nii.gz", "-q"], "c/0.dcm is a damaged DICOM file")
    shutil.rmtree(self.dir / "in" / "c")
    # The last slice: nothing but the damaged file says that there was one.
    with (self.dir / "in" / "a" / f"{NZ - 1}.dcm").open("r+b") as f:
      f.truncate(2000)
    self.fails(1, ["hippocampus", "in", "-o", "out2", "--labels", "labels.nii.gz", "-q"], f"a/{NZ - 1}.dcm is a damaged DICOM file", "series 'HippoCrop'")
    summary = json.loads(self.run_larmor("hippocampus", "batch", "in", "-o", "all", "--json", "-q").stdout)
    self.assertEqual(summary["counts"], {"failed": 1})
    self.assertIn("is a damaged DICOM file", summary["rows"][0]["reason"])

  def test_results_do_not_lie_in_the_study(self):
    labels(self.dir / "labels.nii.gz")
    series(self.dir / "in" / "a")
    before = {p: p.read_bytes() for p in (self.dir / "in").rglob("*") if p.is_file()}
    for out in ("in", "in/a", "in/results"):
      self.fails(2, ["hippocampus", "in", "-o", out, "--labels", "labels.nii.gz", "-q"], f"--out {out} lies in in, which is read", "outside of it")
    self.fails(1, ["run", "hippocampus", "--in", "labels=labels.nii.gz", "--set", f"study={self.dir / 'in'}", "--set", f"folder={self.dir / 'in' / 'a'}", "--no-cache", "-q"], "among the images")
    self.assertEqual(before, {p: p.read_bytes() for p in (self.dir / "in").rglob("*") if p.is_file()})

  def test_no_old_results_stand_beside_new_ones(self):
    labels(self.dir / "labels.nii.gz")
    series(self.dir / "both" / "a", uid="2.25.21", side="R")
    series(self.dir / "both" / "b", uid="2.25.22", side="L", number=4)
    self.ok("hippocampus", "both", "-o", "out", "--labels", "labels.nii.gz", "--labels", "labels.nii.gz", "-q")
    (self.dir / "out" / "notes.txt").write_text("mine")
    series(self.dir / "other", patient="P2", study="2.25.31", uid="2.25.32")
    done = self.run_larmor("hippocampus", "other", "-o", "out", "--labels", "labels.nii.gz", "--no-pdf")
    self.assertEqual(done.returncode, 0, done.stderr)
    self.assertIn("results of patient 'P1', study of 20200102, are replaced", done.stderr)
    self.assertEqual(data_names(self.dir / "out"), ["labels.nii.gz", "notes.txt", "page.dcm", "results.csv", "results.json", "seg.dcm", "sr.dcm"])

  def test_percentiles_and_where_there_are_none(self):
    labels(self.dir / "labels.nii.gz")
    series(self.dir / "in")
    table = SOURCE / "examples" / "hippocampus" / "norms.csv"
    results = self.measure("in", "out", "--side", "left", "--norms", table)  # a woman of 72
    total = results["sides"][0]["volumes"][2]
    self.assertAlmostEqual(total["percentile"], 50 * math.erfc(-(total["mm3"] - 3000) / 400 / math.sqrt(2)), places=3)
    self.assertIn("EXAMPLE ONLY", results["norms"])
    series(self.dir / "young", change=lambda e, k: e.update({(0x10, 0x30): ("DA", "20100101")}))
    total = self.measure("young", "out2", "--side", "left", "--norms", table)["sides"][0]["volumes"][2]
    self.assertIsNone(total.get("percentile"))
    self.assertIn("outside the table (20 to 60, 60 to 90)", total["no_percentile"])
    # Objects keep the character set of the study, which has none: what it cannot hold is no error in it.
    (self.dir / "named.csv").write_text("# title: Normes fran\u00e7aises\n" + table.read_text().split("\n", 1)[1])
    self.measure("in", "out4", "--side", "left", "--norms", "named.csv")
    self.assertIn(b"Percentiles by: Normes fran?aises", (self.dir / "out4" / "sr.dcm").read_bytes())
    self.assertEqual(self.judged("dciodvfy", self.dir / "out4" / "sr.dcm"), [])
    (self.dir / "bad.csv").write_text("structure,side,sex,age_low,age_high,mean_mm3,sd_mm3\ntotal,left,X,20,60,3000,300\n")
    self.fails(1, ["hippocampus", "in", "-o", "out3", "--labels", "labels.nii.gz", "--norms", "bad.csv", "-q"], "sex is 'X'", "write F, M or any")

  def test_disk_full_leaves_nothing(self):
    labels(self.dir / "labels.nii.gz")
    series(self.dir / "in")
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))
    done = self.run_larmor("hippocampus", "in", "-o", "out", "--labels", "labels.nii.gz", "-q", preexec=limit)
    self.assertEqual(done.returncode, 1, done.stderr)
    self.assertIn("cannot write", done.stderr)
    self.assertFalse((self.dir / "out").exists())
    self.assertEqual([n for n in data_names(self.dir) if n.endswith(".part")], [])

  def batch(self, code, *more):
    done = self.run_larmor("hippocampus", "batch", "in", "-o", "out", "--json", "-q", "--no-mirror", *more)
    self.assertEqual(done.returncode, code, done.stdout + done.stderr)
    return json.loads(done.stdout)

  def test_batch_without_a_study(self):
    (self.dir / "in").mkdir()
    (self.dir / "in" / "a.txt").write_text("nothing to see, move on")
    self.assertEqual(self.batch(2)["studies"], 0)

  def test_batch_tells_each_failure(self):
    series(self.dir / "in" / "a", description="T1")
    series(self.dir / "in" / "b", patient="P2", study="2.25.41", uid="2.25.42", slices=[k for k in range(NZ) if k != 9])
    summary = self.batch(1, "--workers", "2")
    self.assertEqual([r["status"] for r in summary["rows"]], ["failed", "failed"])
    reasons = " ".join(r["reason"] for r in summary["rows"])
    self.assertIn("none of 1 series fits", reasons)
    self.assertIn("1 slice is missing", reasons)
    self.assertEqual(load_json(self.dir / "out" / "summary.json")["failed"], 2)
    self.assertEqual(self.batch(1, "--skip-others")["counts"], {"failed": 1, "no series": 1})

  def many(self, n):
    """n patients with labels for each, as an earlier run would have left them."""
    for p in range(n):
      series(self.dir / "in" / f"x{p}", patient=f"P/{p}", study=f"2.25.5{p}", uid=f"2.25.6{p}")
    for row in self.batch(1, "--labels", "none")["rows"]:
      self.assertIn("no labels are in", row["reason"])
      (self.dir / "given" / row["folder"]).mkdir(parents=True)
      labels(self.dir / "given" / row["folder"] / "labels.nii.gz")

  def test_batch_goes_on_where_it_was(self):
    self.many(3)
    series(self.dir / "in" / "bad", patient="Q", study="2.25.71", uid="2.25.72", slices=[3, 4, 6])
    (self.dir / "in" / "note.txt").write_text("this is not an image of anybody")
    summary = self.batch(1, "--labels", "given", "--workers", "2")
    self.assertEqual(summary["counts"], {"done": 3, "failed": 1})
    self.assertEqual(len({r["folder"] for r in summary["rows"]}), 4)
    rows = list(csv.DictReader((self.dir / "out" / "summary.csv").read_text().splitlines()))
    self.assertEqual(sorted(r["status"] for r in rows), ["done", "done", "done", "failed"])
    stamps = {p: p.stat().st_mtime_ns for p in (self.dir / "out").rglob("seg.dcm")}
    self.assertEqual(self.batch(1, "--labels", "given")["counts"], {"failed": 1, "there": 3})
    self.assertEqual(stamps, {p: p.stat().st_mtime_ns for p in (self.dir / "out").rglob("seg.dcm")})
    shutil.rmtree(self.dir / "in" / "bad")
    self.assertEqual(self.batch(0, "--labels", "given", "--fractional")["counts"], {"done": 3})  # other settings

  def test_batch_into_its_own_root(self):
    self.many(2)
    run = lambda: json.loads(self.ok("hippocampus", "batch", "in", "-o", "in/results", "--labels", "given", "--json", "-q", "--workers", "2").stdout)["counts"]
    self.assertEqual(run(), {"done": 2})
    self.assertEqual(run(), {"there": 2})  # its own objects are no new files of the studies

  def test_batch_survives_kill(self):
    self.many(6)
    words = [harness.LARMOR, "hippocampus", "batch", "in", "-o", "out", "-q", "--labels", "given"]
    shutil.rmtree(self.dir / "out")
    done = 0
    for wait in (0.25, 0.4, 0.6):
      with subprocess.Popen(words, cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        time.sleep(wait)
        run.kill()
      # Every folder that is there is whole, whenever it was killed.
      folders = [p.parent for p in (self.dir / "out").glob("*/results.json")] if (self.dir / "out").exists() else []
      for folder in folders:
        self.assertEqual([n for n in ("labels.nii.gz", "page.dcm", "report.dcm", "report.pdf", "results.csv", "seg.dcm", "sr.dcm") if not (folder / n).exists()], [])
      self.assertGreaterEqual(len(folders), done)
      done = len(folders)
    summary = self.batch(0, "--labels", "given")
    self.assertEqual(sum(summary["counts"].values()), 6)
    self.assertEqual([p.name for p in (self.dir / "out").iterdir() if p.name.endswith(".part")], [])

  def test_batch_finds_studies_by_content(self):
    # One folder holds slices of two patients; a patient's second study finds the first.
    series(self.dir / "in", patient="A", study="2.25.81", uid="2.25.82")
    for p in list((self.dir / "in").iterdir()):
      p.rename(p.with_name("a" + p.name))
    series(self.dir / "in", patient="B", study="2.25.83", uid="2.25.84")
    series(self.dir / "in" / "later", patient="A", study="2.25.85", uid="2.25.86", date="20210102")
    for row in self.batch(1, "--labels", "none")["rows"]:
      (self.dir / "given" / row["folder"]).mkdir(parents=True)
      labels(self.dir / "given" / row["folder"] / "labels.nii.gz")
    summary = self.batch(0, "--labels", "given")
    later = [r for r in summary["rows"] if r["study_date"] == "20210102"][0]
    self.assertEqual(len(load_json(self.dir / "out" / later["folder"] / "results.json")["changes"]), 3)

  def test_graph_is_shipped_and_runs(self):
    series(self.dir / "in")
    labels(self.dir / "labels.nii.gz")
    # All it lacks is a study, which Studio asks for.
    self.assertEqual([(i["node"], i["code"]) for i in json.loads(self.run_larmor("graph", "check", "hippocampus", "--json").stdout)], [("choose", "missing_file")])
    self.fails(1, ["run", "hippocampus", "--no-cache", "-q"], "no study is chosen", "folder of a DICOM study")
    ops = {n["op"] for n in load_json(SOURCE / "graphs" / "hippocampus.json")["nodes"].values()}
    self.assertEqual(ops, {"hippocampus.choose", "hippocampus.segment", "hippocampus.measure", "hippocampus.write"})
    done = self.ok("run", "hippocampus", "--in", "labels=labels.nii.gz", "--set", f"study={self.dir / 'in'}", "--set", f"folder={self.dir / 'res'}", "--no-cache", "-q")
    self.assertIn("total", done.stdout)
    self.assertTrue((self.dir / "res" / "sr.dcm").exists())

  def test_rules_are_printed_and_used(self):
    (self.dir / "rules.yaml").write_text(self.ok("hippocampus", "--rules-default").stdout.replace("^HippoCrop$", "^Crop"))
    series(self.dir / "in", description="Crop of the left")
    labels(self.dir / "labels.nii.gz")
    self.assertEqual(len(self.measure("in", "out", "--rules", "rules.yaml")["sides"]), 1)

  def receiver(self):
    """storescp that listens, and its port."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
      with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
      scp = subprocess.Popen(["storescp", "--promiscuous", "-od", str(self.dir / "store"), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
      while scp.poll() is None and time.monotonic() < end:  # it ends where another program was faster to take the port
        try:
          socket.create_connection(("127.0.0.1", port), timeout=10).close()
          return scp, port
        except OSError:
          time.sleep(0.05)
      scp.kill()
      scp.wait()
    self.fail("storescp does not listen")

  def test_objects_are_sent(self):
    if not installed("storescp"):
      harness.skip("storescp (dcmtk) is not installed")
    series(self.dir / "in")
    labels(self.dir / "labels.nii.gz")
    (self.dir / "store").mkdir()
    words = lambda port: ["hippocampus", "in", "-o", "out", "--labels", "labels.nii.gz", "-q", "--send", f"127.0.0.1:{port}"]
    with socket.socket() as nobody:  # holds the port, and does not listen
      nobody.bind(("127.0.0.1", 0))
      self.assertEqual(self.run_larmor(*words(nobody.getsockname()[1]), "--attempts", "1").returncode, 1)
    self.assertFalse(load_json(self.dir / "out" / "sent.json")["stored"])
    scp, port = self.receiver()
    try:
      args = [*words(port), "--attempts", "5"]
      self.assertIn("4 of 4 objects stored", self.ok(*args).stdout)
    finally:
      scp.send_signal(signal.SIGTERM)
      scp.wait()
    self.assertEqual(len(data_names(self.dir / "store")), 4)
    self.assertTrue(load_json(self.dir / "out" / "sent.json")["stored"])

  def test_shared_studies_in_time(self):
    if not (DATA / "dicom" / "study1").exists():
      harness.skip(f"{DATA / 'dicom'} is not there")
    for study, side in (("study1", "left"), ("study2", "right")):
      folder = DATA / "dicom" / study
      before = {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))}
      spent = resource.getrusage(resource.RUSAGE_CHILDREN)
      results = json.loads(self.ok("hippocampus", folder, "-o", study, "--side", side, "-q", "--json").stdout)
      now = resource.getrusage(resource.RUSAGE_CHILDREN)
      # 1.5 s of two cores is what it may take; processor time hardly depends on what else runs.
      if "LARMOR_SANITIZED" not in os.environ:
        self.assertLess(now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime, 1.5 * slowness())
      self.assertEqual(before, {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))})
      total = self.volumes(results)["total"]
      self.assertTrue(1918 < total < 5479, total)  # the range of 210 hand-labelled ones
      self.assertEqual(sum(1 for v in read_nifti(self.dir / study / "labels.nii.gz")[0] if v), total)  # 1 mm voxels
      self.assertEqual(results["patient"]["sex"], "M")  # of the sibling series
      objects = [self.dir / study / f"{name}.dcm" for name in ("page", "report", "seg", "sr")]
      for path in objects:
        self.assertEqual(self.judged("dciodvfy", path), [], path.name)
      source = [p for p in folder.rglob("*") if p.is_file() and "HCrop" in p.parent.name]
      self.assertEqual(len(source), {"study1": 32, "study2": 35}[study])
      self.assertEqual(self.judged("dcentvfy", *objects, *source), [])

  def judged(self, judge, *files):
    """Errors that a program of dicom3tools finds; none where it is not installed."""
    if not installed(judge):
      return []
    done = subprocess.run([judge, *map(str, files)], capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


if __name__ == "__main__":
  harness.main()
