# SPDX-License-Identifier: Apache-2.0
"""The smaller commands: validate, t1, conc, aif, sim, info, dro."""
import csv
import io
import json
import math
import shutil
import struct

import harness
from harness import load_json, read_nifti, write_nifti


class Cases(harness.CliCase):

  def maps(self, folder, name, values, unit=None, shape=(2, 2, 1)):
    write_nifti(self.dir / folder / f"{name}.nii.gz", values, shape)
    if unit:
      (self.dir / folder / f"{name}.json").write_text(json.dumps({"Units": unit}), encoding="utf-8")

  def table(self, text):
    return [[float(x) for x in row] for row in list(csv.reader(io.StringIO(text)))[1:]]

  # validate -----------------------------------------------------------------------------------------------------

  def test_validate_within_tolerance(self):
    self.maps("truth", "Ktrans", [0.1, 0.2, 0.3, float("nan")], "1/min")
    self.maps("maps", "Ktrans", [0.11, 0.2, 0.3, 5.0], "1/min")
    done = json.loads(self.ok("validate", "maps", "truth", "--json").stdout)["maps"][0]
    self.assertEqual((done["n"], done["missing"], done["within"]), (3, 0, 3))
    self.assertAlmostEqual(done["bias"], 0.01 / 3, places=6)
    self.assertAlmostEqual(done["p95_abs"], 0.01, places=6)

  def test_validate_out_of_tolerance(self):
    self.maps("truth", "Ktrans", [0.1, 0.2, 0.3, 0.4])
    self.maps("maps", "Ktrans", [0.1, 0.2, 0.3, 0.5])
    done = self.run_larmor("validate", "maps", "truth")
    self.assertEqual(done.returncode, 1)
    self.assertIn("OUT", done.stdout)
    self.ok("validate", "maps", "truth", "--need", "75")
    self.ok("validate", "maps", "truth", "--tol", "Ktrans=0.1001")
    self.ok("validate", "maps", "truth", "--tol", "Ktrans=0.01+25%")
    self.ok("validate", "maps", "truth", "--tol", "Ktrans=25.1%")
    self.assertEqual(self.run_larmor("validate", "maps", "truth", "--tol", "Ktrans=1e-3+0.1").returncode, 1)

  def test_validate_counts_missing_voxels_as_wrong(self):
    self.maps("truth", "ve", [0.1, 0.2, 0.3, 0.4])
    self.maps("maps", "ve", [0.1, 0.2, 0.3, float("nan")])
    self.assertEqual(self.run_larmor("validate", "maps", "truth").returncode, 1)
    write_nifti(self.dir / "mask.nii", [1, 1, 1, 0], (2, 2, 1), code=2)
    self.ok("validate", "maps", "truth", "--mask", "mask.nii")

  def test_validate_compares_nothing(self):
    self.maps("truth", "Ktrans", [0.1] * 4)
    self.maps("maps", "ve", [0.1] * 4)
    done = self.run_larmor("validate", "maps", "truth")
    self.assertEqual(done.returncode, 1)
    self.assertIn("nothing was compared", done.stderr)
    self.maps("maps", "Ktrans", [float("nan")] * 4)
    self.assertEqual(self.run_larmor("validate", "maps", "truth").returncode, 1)
    self.fails(1, ["validate", "nowhere", "truth"], "nowhere")

  def test_validate_needs_what_was_asked_for(self):
    self.maps("truth", "Ktrans", [0.1] * 4)
    self.maps("truth", "ve", [0.1] * 4)
    self.maps("maps", "Ktrans", [0.1] * 4)
    self.ok("validate", "maps", "truth")
    self.assertEqual(self.run_larmor("validate", "maps", "truth", "--tol", "ve=0.1").returncode, 1)
    self.fails(2, ["validate", "maps", "truth", "--tol", "Ktran=0.1"], "did you mean Ktrans?")
    self.fails(2, ["validate", "maps", "truth", "--tol", "Ktrans"], "has no '='")
    self.fails(2, ["validate", "maps", "truth", "--tol", "Ktrans=-1"], "0 or more")

  def test_validate_other_shapes_and_units(self):
    self.maps("truth", "Ktrans", [0.12] * 4, "1/min")
    self.maps("maps", "Ktrans", [0.002] * 4, "1/s")
    self.ok("validate", "maps", "truth", "--tol", "Ktrans=1e-6")
    self.maps("maps", "Ktrans", [0.002] * 4, "mM")
    self.assertEqual(self.run_larmor("validate", "maps", "truth").returncode, 2)
    self.maps("maps", "Ktrans", [0.1] * 8, "1/min", shape=(2, 2, 2))
    self.fails(1, ["validate", "maps", "truth"], "2 x 2 x 2", "2 x 2 x 1")

  # t1, conc --------------------------------------------------------------------------------------------------------

  def test_t1_of_a_known_object(self):
    self.ok("dro", "dce", "-o", "in", "--grid", "16,16,8", "--frames", "20")
    for method in ("vfa_linear", "vfa_nonlinear"):
      done = self.ok("t1", method, "in/vfa.nii.gz", "--mask", "in/mask.nii.gz", "-o", method)
      self.assertRegex(done.stdout, r"^T1  median 1.2 s .*0 failed\)$")
      truth, *_ = read_nifti(self.dir / "in" / "truth" / "T10.nii.gz")
      t1, *_ = read_nifti(self.dir / method / "T1.nii.gz")
      for a, b in zip(truth, t1):
        self.assertTrue(math.isnan(a) and math.isnan(b) or abs(a - b) < 1e-3 * a)
    self.fails(2, ["t1", "vfa_linaer", "in/vfa.nii.gz", "-o", "x"], "did you mean t1.vfa_linear?")
    self.fails(2, ["t1", "vfa_linear", "in/vfa.nii.gz", "-o", "x", "--FA", "2,500"], "--FA is 500 deg")
    self.fails(1, ["t1", "vfa_linear", "in/vfa.nii.gz", "-o", "x", "--FA", "2,5"], "2", "4")
    self.fails(1, ["t1", "inversion_recovery", "in/vfa.nii.gz", "-o", "x"], "0 values of inversion time for 4 volumes")

  def test_conc_inverts_the_signal(self):
    for folder, more in (("s", []), ("c", ["--concentration"])):
      self.ok("dro", "dce", "-o", folder, "--grid", "12,12,6", "--frames", "30", "--T10", "1.4", *(more))
    self.ok("conc", "s/dynamic.nii.gz", "conc.nii.gz", "--T1", "1.4", "--mask", "s/mask.nii.gz", "--baseline", "4")
    a, shape, *_ = read_nifti(self.dir / "conc.nii.gz")
    b, shape_b, *_ = read_nifti(self.dir / "c" / "dynamic.nii.gz")
    self.assertEqual(shape, shape_b)
    mask, *_ = read_nifti(self.dir / "s" / "mask.nii.gz")
    n = len(mask)
    for v in range(0, n, 7):
      if mask[v]:
        for t in range(30):
          self.assertLess(abs(a[t * n + v] - b[t * n + v]), 2e-5)  # float32 of signals near 100, over r1 TR S
    self.fails(2, ["conc", "s/dynamic.nii.gz", "x.nii.gz"], "either --T1 or --T1-map")
    self.fails(1, ["conc", "s/mask.nii.gz", "x.nii.gz", "--T1", "1"], "not 4-D")

  # aif, sim --------------------------------------------------------------------------------------------------------

  def test_aif_sample(self):
    blood = self.table(self.ok("aif", "sample", "parker", "--arrival", "20", "--blood").stdout)
    plasma = self.table(self.ok("aif", "sample", "aif.parker", "--arrival", "20").stdout)
    self.assertEqual(len(blood), 301)
    self.assertTrue(all(b == 0 for t, b in blood if t < 20))
    self.assertAlmostEqual(max(b for _, b in blood), 6.0, delta=0.15)  # Parker's peak of about 6 mM whole blood
    for (_, b), (_, p) in zip(blood, plasma):
      self.assertAlmostEqual(b, 0.58 * p, delta=1e-7 + 1e-7 * p)
    self.fails(2, ["aif", "sample", "parkr"], "did you mean aif.parker?")

  def test_aif_detect_finds_the_vessel_and_shows_it(self):
    self.ok("dro", "dce", "-o", "in", "--grid", "20,20,8", "--concentration", "--model", "tofts", "--frame-time", "2", "--frames", "80")
    values, shape, spacing, *_ = read_nifti(self.dir / "in" / "dynamic.nii.gz")
    values, n = list(values), 3200
    curve = self.table(self.ok("aif", "sample", "parker", "--arrival", "20", "--blood", "--step", "2", "--duration", "158").stdout)
    artery = {v for v in range(n) if v % 20 in (9, 10) and v // 20 % 20 in (9, 10)}
    for t, (_, c) in enumerate(curve):
      for v in artery:
        values[t * n + v] = c
    write_nifti(self.dir / "c.nii.gz", values, shape, spacing=spacing, dt=2)
    self.ok("aif", "detect", "c.nii.gz", "aif.csv", "--picture", "aif.png")
    found = self.table((self.dir / "aif.csv").read_text(encoding="utf-8"))
    self.assertAlmostEqual(max(c for _, c in found), max(c for _, c in curve), delta=1e-4)
    picture = (self.dir / "aif.png").read_bytes()
    self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
    self.assertGreaterEqual(max(struct.unpack(">II", picture[16:24])), 400)

  def test_sim_has_the_area_of_the_model(self):
    # Area of a Tofts response: Ktrans/kep = ve times the area of the input, once the tail has passed.
    rows = self.table(self.ok("sim", "dce", "--model", "one_compartment", "--param", "Fp=60", "--param", "vp=0.1", "--duration", "600").stdout)
    area = lambda column: sum((a[column] + b[column]) / 2 * (b[0] - a[0]) for a, b in zip(rows, rows[1:]))
    self.assertAlmostEqual(area(2) / area(1), 0.1, delta=0.002)
    self.fails(2, ["sim", "dce", "--param", "Fp=1"], "Ktrans")
    self.fails(2, ["sim", "dce", "--param", "ve=3"], "ve is 3")
    self.fails(2, ["sim", "dce", "--model", "tofs"], "did you mean dce.tofts?")
    same = self.ok("sim", "dce", "--param", "Ktrans=0.12").stdout
    self.assertEqual(same, self.ok("sim", "dce", "--param", "Ktrans=0.002 1/s").stdout)

  def test_sim_bloch_is_a_slice(self):
    rows = self.table(self.ok("sim", "bloch", "--FA", "90", "--thickness", "5", "--points", "81", "--time-bandwidth", "8").stdout)
    self.assertEqual((len(rows), rows[0][0], rows[-1][0]), (81, -10, 10))
    self.assertGreater(rows[40][2], 0.97)  # the middle lies along y
    self.assertGreater(rows[0][3], 0.98)  # outside nothing happened
    spectrum = self.table(self.ok("sim", "bloch", "--shape", "hard", "--FA", "30", "--duration", "0.01", "--thickness", "0", "--points", "3", "--T1", "1e9", "--T2", "1e9").stdout)
    self.assertAlmostEqual(spectrum[1][3], math.cos(math.radians(30)), places=5)
    self.fails(2, ["sim", "bloch", "--shape", "sink"], "sinc")
    self.fails(1, ["sim", "bloch", "--thickness", "0.01"], "above the limit")
    self.fails(1, ["sim", "bloch", "--T1", "100", "--T2", "300"], "above 2 T1")

  def test_sim_epg_decays_with_T2(self):
    rows = self.table(self.ok("sim", "epg", "--sequence", "fse", "--FA", "180", "--TE", "10", "--pulses", "3", "--T1", "1000,800", "--T2", "50,100").stdout)
    self.assertEqual(len(rows), 12)
    for T1, T2, read, time, _, _, size in rows:
      self.assertAlmostEqual(time, 0.01 * (read + 1))
      self.assertAlmostEqual(size, math.exp(-1e3 * time / T2), places=5)
    self.fails(2, ["sim", "epg", "--TE", "20", "--TR", "10"], "longer than")

  # dro, info ---------------------------------------------------------------------------------------------------------

  def test_dro_tells_what_it_made(self):
    done = self.ok("dro", "dce", "-o", "in", "--grid", "16,16,8", "--param", "Ktrans=0.1,0.2", "--snr", "100", "--seed", "7")
    self.assertIn("16 x 16 x 8 voxels", done.stdout)
    about = load_json(self.dir / "in" / "dro.json")
    self.assertEqual([round(x, 9) for x in about["parameters"]["Ktrans"]["levels"]], [0.1, 0.2])
    truth, *_ = read_nifti(self.dir / "in" / "truth" / "Ktrans.nii.gz")
    self.assertEqual({round(x, 6) for x in truth if math.isfinite(x)}, {0.1, 0.2})
    self.ok("dro", "dce", "-o", "same", "--grid", "16,16,8", "--param", "Ktrans=0.1,0.2", "--snr", "100", "--seed", "7")
    self.assertEqual(read_nifti(self.dir / "in" / "dynamic.nii.gz")[0], read_nifti(self.dir / "same" / "dynamic.nii.gz")[0])
    self.ok("dce", "--check", "in/config.yaml", "in")

  def test_dro_refuses(self):
    self.fails(2, ["dro", "dce"], "--out is missing")
    self.fails(2, ["dro", "dce", "-o", "x", "--grid", "8,8"], "--grid holds 2 numbers, not 3")
    self.fails(2, ["dro", "dce", "-o", "x", "--noise", "0.1"], "--noise is of the concentration", "--snr")
    self.fails(2, ["dro", "dce", "-o", "x", "--concentration", "--snr", "10"], "--snr is of the signal")
    self.fails(2, ["dro", "dce", "-o", "x", "--param", "Ktrans=-1"], "Ktrans is -1 1/min")
    self.fails(2, ["dro", "dec"], "did you mean dro dce?")
    self.assertEqual(list(self.dir.iterdir()), [])

  def test_info_shows_provenance(self):
    self.ok("dro", "dce", "-o", "in", "--grid", "8,8,4", "--frames", "20")
    facts = json.loads(self.ok("info", "in/dynamic.nii.gz", "--json").stdout)
    self.assertEqual(facts["shape"], [8, 8, 4, 20])
    self.assertEqual(facts["spacing_mm"], [2.0, 2.0, 4.0])
    self.assertEqual(facts["times_s"][1], 5.0)
    self.assertEqual(facts["provenance"]["command"], "larmor dro dce")
    text = self.ok("info", "in/truth/Ktrans.nii.gz").stdout
    self.assertIn("1/min", text)
    self.assertIn("larmor dro dce", text)
    self.ok("info", "in/aif.csv")
    self.fails(1, ["info", "in/nothing.nii.gz"], "nothing.nii.gz")
    self.fails(1, ["info", "in"], "in")
    (self.dir / "gone.npy").symlink_to("elsewhere.npy")
    self.fails(1, ["info", "gone.npy"], "gone.npy is a link to something that is not there")

  def test_info_of_kspace_and_sequences(self):
    self.ok("traj", "spiral", "-o", "s.seq")
    facts = json.loads(self.ok("info", "s.seq", "--json").stdout)
    self.assertEqual((facts["format"], facts["rf_pulses"]), ("Pulseq", 0))
    self.assertEqual(facts["readouts"], facts["blocks"])
    self.assertEqual(facts["samples"] % facts["readouts"], 0)
    (self.dir / "k.hdr").write_text("# Dimensions\n2 3 1 1\n")
    (self.dir / "k.cfl").write_bytes(struct.pack("<12f", 3, 4, *([0] * 8), 0, -2))
    facts = json.loads(self.ok("info", "k.cfl", "--json").stdout)
    self.assertEqual((facts["shape"], facts["axes"]), ([2, 3], ["x", "y"]))
    self.assertEqual((facts["magnitude"]["max"], facts["magnitude"]["min"]), (5.0, 0.0))
    self.ok("run-op", "io.write_ismrmrd", "--in", "kspace=k.cfl", "--set", "path=k.h5")
    facts = json.loads(self.ok("info", "k.h5", "--json").stdout)
    self.assertEqual((facts["format"], facts["shape"], facts["magnitude"]["max"]), ("ISMRMRD", [2, 3, 1], 5.0))
    shutil.copy(self.dir / "k.h5", self.dir / "k.hdf5")
    self.ok("info", "k.hdf5")
    self.fails(1, ["info", "k.hdr.txt"], "k.hdr.txt")

  def test_reference_pages_are_up_to_date(self):
    self.ok("docs", "pages")
    for page in sorted((self.dir / "pages").glob("*.md")):
      kept = harness.SOURCE / "docs" / "reference" / page.name
      self.assertEqual(kept.read_text(encoding="utf-8"), page.read_text(encoding="utf-8"),
                       f"{page.name} is out of date: run build/bin/larmor docs docs/reference")


if __name__ == "__main__":
  harness.main()
