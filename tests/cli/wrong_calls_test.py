# SPDX-License-Identifier: Apache-2.0
"""Calls that a newcomer makes: nothing that was asked for is left undone without a word."""
import json

import harness
from harness import write_nifti


class Cases(harness.CliCase):

  def test_help_of_what_is_not_there(self):
    self.fails(2, ["help", "inof"], "no command called 'inof'", "did you mean info?")
    self.assertEqual(self.ok("help", "dro").stdout, self.ok("dro", "--help").stdout)
    self.assertEqual(self.ok("help").stdout, self.ok("--help").stdout)
    self.fails(2, ["--json"], "larmor --json: no command")
    self.fails(2, ["dro", "--json"], "larmor dro: what?", "larmor dro asl")

  def test_a_number_without_unit_is_told_without_one(self):
    done = self.fails(2, ["aif", "sample", "parker", "--Hct", "42"])
    self.assertIn("--Hct is 42; allowed: 0 to 0.9\n", done.stderr)

  def test_an_input_is_not_overwritten(self):
    write_nifti(self.dir / "a.nii", [100] * 16, (2, 2, 1, 4), dt=1)
    before = (self.dir / "a.nii").read_bytes()
    (self.dir / "b.nii").symlink_to("a.nii")
    for out in ("a.nii", "./a.nii", "b.nii"):
      self.fails(2, ["conc", "a.nii", out, "--T1", "1", "--FA", "15", "--TR", "5"], "DYNAMIC and OUT are the same file")
    self.fails(2, ["conc", "a.nii", "c.nii", "--T1-map", "c.nii", "--FA", "15", "--TR", "5"], "OUT and --T1-map are the same file")
    self.fails(2, ["recon", "sense", "k.cfl", "i.npy", "--g", "i.npy"], "OUT and --g are the same file")
    self.assertEqual((self.dir / "a.nii").read_bytes(), before)

  def test_results_do_not_lie_among_the_data(self):
    self.ok("dro", "ivim", "-o", "in", "--grid", "4,4,1", "-q")
    before = sorted(p.name for p in (self.dir / "in").iterdir())
    for data, out in (("in", "in"), ("in/", "./in"), ("in", "in/"), ("in/dwi.nii.gz", "in")):
      self.fails(2, ["ivim", "in/config.yaml", data, "-o", out], "is the folder of the data", "name another folder")
    self.assertEqual(sorted(p.name for p in (self.dir / "in").iterdir()), before)
    self.ok("ivim", "in/config.yaml", "in", "-o", "in/maps", "-q")

  def test_maps_in_wrong_units(self):
    self.ok("dro", "dce", "-o", "in", "--grid", "4,4,2", "--frames", "20", "-q")
    *_, spacing, _, _ = harness.read_nifti(self.dir / "in" / "mask.nii.gz")
    for name, value in (("ms", 1200), ("percent", 100)):
      write_nifti(self.dir / f"{name}.nii", [value] * 32, (4, 4, 2), spacing=spacing)
    conc = ("conc", "in/dynamic.nii.gz", "c.nii.gz")
    self.fails(1, [*conc, "--T1-map", "ms.nii"], "half of the T1 map in s is above 1200", "not in ms")
    self.fails(1, [*conc, "--T1", "1.2", "--B1", "percent.nii"], "half of the B1 map, actual / nominal, is above 100", "not a percentage")
    self.fails(1, ["t1", "vfa_linear", "in/vfa.nii.gz", "-o", "t1", "--B1", "percent.nii"], "is above 100", "percent.nii")
    config = self.dir / "c.yaml"
    for text, says, better in (("t1: {source: map, map: ../ms.nii%s}", "set t1.map_unit: ms", ", map_unit: ms"),
                               ("t1: {B1: ../percent.nii%s}", "set t1.B1_unit: '%'", ", B1_unit: '%'")):
      config.write_text(text % "" + "\naif: {arrival: 20}\n", encoding="utf-8")
      self.fails(1, ["dce", "c.yaml", "in", "-o", "out"], "is above", says, "c.yaml line 1")
      config.write_text(text % better + "\naif: {arrival: 20}\n", encoding="utf-8")
      self.ok("dce", "--check", "c.yaml", "in")

  def test_one_volume_is_no_series_for_T1(self):
    # As many slices as flip angles: they are no volumes all the same.
    self.ok("dro", "dce", "-o", "in", "--grid", "4,4,4", "--frames", "20", "-q")
    values, shape, spacing, *_ = harness.read_nifti(self.dir / "in" / "vfa.nii.gz")
    self.assertEqual(shape[3], 4)
    write_nifti(self.dir / "in" / "vfa.nii.gz", values[:64], (4, 4, 4), spacing=spacing)
    self.fails(1, ["t1", "vfa_linear", "in/vfa.nii.gz", "-o", "t1"], "the series is 4 x 4 x 4, not 4-D", "in/vfa.nii.gz")
    (self.dir / "in" / "mask.nii.gz").unlink()
    self.fails(1, ["dce", "in/config.yaml", "in", "-o", "out"], "the T1 series is 4 x 4 x 4, not 4-D")
    self.assertFalse((self.dir / "t1").exists() or (self.dir / "out").exists())

  def test_a_T1_map_without_one_voxel_is_none(self):
    write_nifti(self.dir / "flat.nii", [0] * 32, (4, 2, 1, 4))
    self.fails(1, ["t1", "vfa_nonlinear", "flat.nii", "--FA", "2,5,10,15", "--TR", "5", "-o", "t1"], "none of 8 voxels has a usable T1")
    self.assertFalse((self.dir / "t1").exists())

  def test_conc_in_wrong_units(self):
    write_nifti(self.dir / "a.nii", [100, 100, 100, 100, 150, 200, 120, 130], (2, 1, 1, 4), dt=1)
    (self.dir / "a.json").write_text('{"FlipAngle": 15, "RepetitionTime": 0.005}', encoding="utf-8")
    call = ("conc", "a.nii", "c.nii", "--T1", "1.2")
    self.fails(1, [*call, "--FA", "0.26", "--baseline", "2"], "--FA: the sidecar says 15, which is overruled", "none of 2 voxels", "flip angle [deg]")
    self.fails(2, [*call, "--TR", "0.005"], "--TR is 0.005 ms")
    self.fails(2, [*call, "--baseline", "4"], "--baseline is 4 and the series has 4 frames")
    self.fails(2, ["conc", "a.nii", "c.txt", "--T1", "1.2"], "OUT is c.txt", ".nii.gz")
    self.assertFalse((self.dir / "c.nii").exists())
    self.assertNotIn("overruled", self.ok(*call, "--FA", "15", "--TR", "5", "--baseline", "2").stderr)

  def test_options_that_would_be_left_undone(self):
    for words, *says in ((["sim", "dce", "--venous", "v.csv"], "--venous does nothing without --input"),
                        (["sim", "dce", "--input", "a.csv", "--venous", "v.csv"], "dce.extended_tofts, which has one input"),
                        (["sim", "dce", "--plasma"], "--plasma does nothing without --input"),
                        (["sim", "dce", "--input", "a.csv", "--aif", "parker"], "--aif does nothing with --input"),
                        (["sim", "dce", "--param", "Ktrans=0.1,0.2"], "2 values of Ktrans for one curve"),
                        (["sim", "bloch", "--along", "x"], "--along does nothing without --seq"),
                        (["sim", "bloch", "--seq", "a.seq", "--FA", "30"], "--FA does nothing with --seq"),
                        (["sim", "bloch", "--thickness", "0", "--df", "5"], "--df does nothing"),
                        (["sim", "epg", "--sequence", "fse", "--TR", "5"], "--TR does nothing with --sequence fse"),
                        (["sim", "epg", "--sequence", "bssfp", "--TE", "5"], "--TE does nothing with --sequence bssfp"),
                        (["sim", "epg", "--sequence", "fse", "--TE", "0"], "an echo spacing of 0 ms"),
                        (["traj", "radial", "-o", "k.npy", "--TR", "5"], "--TR does nothing without a .seq"),
                        (["dro", "ivim", "-o", "x", "--f", "2,3"], "--f is 2; allowed: 0 to 1"),
                        (["ivim", "train", "w.safetensors", "--D", "0.5,2"], "--D is 0.5 mm2/s"),
                        (["ivim", "train", "w.safetensors", "--b", "0,50"], "1 b-values above 0", "--b 10,50,200,800")):
      self.fails(2, words, *says)

  def test_options_of_reconstruction_that_would_be_left_undone(self):
    self.ok("run-op", "phantom.shepp_logan", "--set", "size=[8,8]", "--out", "out=o.cfl", "-q")
    self.ok("run-op", "phantom.coils", "--in", "like=o.cfl", "--set", "coils=2", "--out", "maps=k.cfl", "-q")
    for option in (("--error", "e.npy"), ("--random",), ("--seed", "3")):
      for command in ("sense", "grappa", "pics"):
        self.fails(2, ["recon", command, "k.cfl", "i.npy", *option], f"{option[0]} does nothing without --undersample")
    self.ok("traj", "radial", "--fov", "160", "--resolution", "20", "-o", "k.json", "-q")
    self.fails(2, ["recon", "sample", "o.cfl", "--traj", "k.json", "--matrix", "8", "-o", "s.npy"], "--matrix does nothing with k.json")
    self.fails(1, ["recon", "sense", "nothing.cfl", "i.npy"], "no file called 'nothing.cfl'")

  def test_names_of_graphs_and_files(self):
    for command in (["run"], ["graph", "check"], ["graph", "show"], ["studio", "--no-browser", "--port", "0"]):
      self.fails(1, [*command, "kspace_filtr"], "did you mean kspace_filter?", "name a file, or one of:")
    self.ok("graph", "example", "dce", "-o", "mine.json")
    self.fails(1, ["graph", "example", "dce", "-o", ""], "no file name")
    self.fails(2, ["run-op", "math.abs", "--in", "in="], "nothing beside '='")
    self.fails(1, ["run", "mien.json"], "no file called 'mien.json'", "did you mean mine.json?")
    done = self.fails(1, ["info", "mine.json"], "mine.json", "larmor graph show")
    self.assertNotIn("NIfTI", done.stderr)

  def test_run_op_shows_a_number(self):
    self.assertEqual(self.ok("run-op", "math.add", "--in", "a=1", "--in", "b=2").stdout, "out  3\n")
    self.assertEqual(json.loads(self.ok("run-op", "math.add", "--in", "a=1", "--in", "b=2", "--json").stdout), {"out": 3})
    (self.dir / "g.json").write_text('{"larmor": 1, "nodes": {"n": {"op": "source.number", "settings": {"value": 2}}, "s": {"op": "math.add", "settings": {"value": 3}}},'
                                     ' "wires": {"s.a": "n.out"}, "outputs": {"sum": {"type": "array", "from": "s.out"}}}', encoding="utf-8")
    self.assertEqual(self.ok("run", "g.json", "--no-cache", "-q").stdout, "sum  5\n")
    told = json.loads(self.ok("run", "g.json", "--no-cache", "-o", "out", "--json", "-q").stdout)["outputs"]["sum"]
    self.assertEqual((told["value"], told["file"]), (5, "out/sum.npy"))
    write_nifti(self.dir / "one.nii", [5], (1, 1, 1))
    told = json.loads(self.ok("run-op", "stats.summary", "--in", "in=one.nii", "--json").stdout)
    self.assertEqual((told["mean"], told["sd"]), (5, None))  # one value has no spread
    self.assertIn("sd  nan\n", self.ok("run-op", "stats.summary", "--in", "in=one.nii").stdout)
    self.fails(2, ["run-op", "math.add", "--in", "a=1", "--set", "value=2", "--set", "value=3"], "'value' is given twice")


if __name__ == "__main__":
  harness.main()
