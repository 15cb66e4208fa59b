# SPDX-License-Identifier: Apache-2.0
"""larmor run-op: one operation on files, with help made of its description."""
import json

from harness import CliCase, main, read_nifti, write_nifti


class Cases(CliCase):
  def image(self, name, values, shape=(2, 2, 1), origin=(0, 0, 0)):
    write_nifti(self.dir / name, values, shape, spacing=(2, 2, 5), origin=origin)
    return name

  def test_help_is_the_description(self):
    text = self.ok("run-op", "mask.threshold", "--help").stdout
    for part in ("Threshold: Makes a mask", "--in in=FILE", "--out mask=FILE", "otsu", "source: Otsu", "default"):
      self.assertIn(part, text)
    self.assertIn("run-op", self.ok("run-op", "--help").stdout)
    self.fails(2, ("run-op", "mask.treshold", "--help"), "mask.threshold")

  def test_files_in_and_out(self):
    self.image("a.nii", [1, 2, 3, 4])
    self.image("b.nii", [10, 20, 30, 40])
    done = self.ok("run-op", "math.add", "--in", "a=a.nii", "--in", "b=b.nii", "--out", "out=sum.nii.gz")
    self.assertIn("sum.nii.gz", done.stdout)
    self.assertEqual(list(read_nifti(self.dir / "sum.nii.gz")[0]), [11, 22, 33, 44])
    # The end of an operation's name is enough; a number may stand for a file; repeated ports take several.
    done = self.ok("run-op", "math.add", "--in", "a=2", "--set", "value=3", "--json")
    self.assertIn("out", json.loads(done.stdout))
    concatenate = ("run-op", "array.concatenate", "--in", "in=a.nii", "--in", "in=b.nii", "--set", "axis=z", "--out", "out=c.nii")
    self.fails(1, concatenate, "apart", "image.to_array")  # b lies where a does, not behind it
    self.image("b.nii", [10, 20, 30, 40], origin=(0, 0, 5))
    self.ok(*concatenate)
    self.assertEqual(list(read_nifti(self.dir / "c.nii")[0]), [1, 2, 3, 4, 10, 20, 30, 40])
    done = self.ok("run-op", "stats.summary", "--in", "in=a.nii")
    self.assertIn("mean  2.5", done.stdout)

  def test_a_trajectory_as_larmor_traj_writes_it(self):
    self.ok("traj", "radial", "--fov", "160", "--resolution", "10", "-o", "k.json", "-o", "k.npy", "-q")
    self.ok("run-op", "phantom.shepp_logan", "--set", "size=[16,16]", "--out", "out=object.npy", "-q")
    self.ok("run-op", "recon.nufft_forward", "--in", "in=object.npy", "--in", "trajectory=k.json", "--out", "out=s.npy", "-q")
    self.ok("run-op", "recon.dcf", "--in", "trajectory=k.json", "--out", "out=w.npy", "-q")
    self.ok("run-op", "recon.nufft_adjoint", "--in", "in=s.npy", "--in", "trajectory=k.json", "--in", "dcf=w.npy", "--out", "out=back.npy", "-q")
    # The command that runs the same operations: its image is that of the mean over the field of view, here of the sum.
    self.ok("recon", "sample", "object.npy", "--traj", "k.json", "-o", "mean.npy", "-q")
    self.ok("recon", "nufft", "mean.npy", "--traj", "k.json", "--keep-spikes", "-o", "image.npy", "-q")
    self.ok("run-op", "math.multiply", "--in", "a=image.npy", "--in", "b=256", "--out", "out=image.npy", "-q")
    self.ok("run-op", "math.subtract", "--in", "a=back.npy", "--in", "b=image.npy", "--out", "out=rest.npy", "-q")
    largest = lambda name: json.loads(self.ok("run-op", "stats.summary", "--in", f"in={name}", "--json").stdout)["max"]
    self.ok("run-op", "math.abs", "--in", "in=back.npy", "--out", "out=size.npy", "-q")
    self.ok("run-op", "math.abs", "--in", "in=rest.npy", "--out", "out=rest.npy", "-q")
    self.assertGreater(largest("size.npy"), 0)
    self.assertLess(largest("rest.npy"), 1e-5 * largest("size.npy"))  # single precision
    self.fails(2, ("run-op", "recon.dcf", "--in", "trajectory=k.npy"), "do not say the size of the image", "larmor traj")
    (self.dir / "other.json").write_text('{"data": "text", "matrix": [4, 4]}', encoding="utf-8")
    self.fails(1, ("run-op", "recon.dcf", "--in", "trajectory=other.json"), "other.json")
    (self.dir / "list.json").write_text("[1, 2]", encoding="utf-8")
    self.fails(1, ("run-op", "recon.dcf", "--in", "trajectory=list.json"), "trajectory")

  def test_what_is_wrong(self):
    self.image("a.nii", [1, 2, 3, 4])
    self.fails(2, ("run-op", "math.ad"), "math.add")
    self.fails(2, ("run-op", "math.add"), "port 'a' is missing")
    self.fails(2, ("run-op", "math.add", "--in", "c=a.nii"), "no in-port called 'c'")
    self.fails(2, ("run-op", "math.add", "--in", "a"), "no '='")
    self.fails(2, ("run-op", "math.add", "--in", "a=a.nii", "--in", "a=a.nii"), "given twice")
    self.fails(2, ("run-op", "math.add", "--in", "a=a.nii", "--set", "valu=2"), "did you mean value")
    self.fails(2, ("run-op", "math.add", "--in", "a=a.nii", "--set", "value=x"), "a number")
    self.fails(2, ("run-op", "math.add", "--in", "a=a.nii", "--set", "value=[1,2]"), "not a list")
    self.fails(2, ("run-op", "math.add", "--in", "a=a.nii", "--out", "sum=b.nii"), "no out-port called 'sum'")
    self.fails(2, ("run-op", "math.add", "--in", "a=a.nii", "--out", "out=b.xyz"), "xyz")
    self.fails(1, ("run-op", "math.add", "--in", "a=nothing.nii"), "nothing.nii")
    self.fails(2, ("run-op", "fourier.fft", "--in", "a=a.nii"), "no in-port")
    self.fails(2, ("run-op", "fourier.fft", "--in", "in=a.nii", "--set", "axes="), "no axes", "larmor run-op fourier.fft")


if __name__ == "__main__":
  main()
