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
