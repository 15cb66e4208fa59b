# SPDX-License-Identifier: Apache-2.0
"""larmor recon: parallel imaging from the command line."""
import re

from harness import CliCase, main


class Cases(CliCase):
  def setUp(self):
    super().setUp()
    self.ok("run-op", "phantom.shepp_logan", "--set", "size=[48,48]", "--out", "out=object.cfl")
    self.ok("run-op", "phantom.coils", "--in", "like=object.cfl", "--set", "coils=6", "--out", "maps=maps.cfl")
    self.ok("run-op", "math.multiply", "--in", "a=object.cfl", "--in", "b=maps.cfl", "--out", "out=seen.cfl")
    self.ok("run-op", "fourier.fft", "--in", "in=seen.cfl", "--out", "out=k.cfl")

  def error_in(self, text):
    return float(re.search(r"NRMSE ([0-9.]+)", text)[1])

  def test_sense(self):
    done = self.ok("recon", "sense", "k.cfl", "image.npy", "--maps", "maps.cfl", "--undersample", "y=3", "--g", "g.npy", "--error",
                   "error.npy")
    self.assertLess(self.error_in(done.stdout), 0.001)  # no noise: single precision only
    self.assertIn("noise factor g: mean", done.stdout)
    for name in ("image.npy", "g.npy", "error.npy"):
      self.assertTrue((self.dir / name).exists(), name)
    # Without maps they are calibrated.
    self.assertLess(self.error_in(self.ok("recon", "sense", "k.cfl", "image.npy", "--undersample", "y=2").stdout), 0.15)

  def test_grappa_and_pics(self):
    done = self.ok("recon", "grappa", "k.cfl", "image.cfl", "--undersample", "y=2", "--calibration", "20", "--kspace", "filled.cfl")
    self.assertLess(self.error_in(done.stdout), 0.03)
    self.assertTrue((self.dir / "filled.hdr").exists())
    done = self.ok("recon", "pics", "k.cfl", "image.npy", "--maps", "maps.cfl", "--undersample", "y=3", "--random", "--calibration", "10",
                   "--solver", "fista", "--wavelet", "0.001", "--iterations", "60")
    # A third of the samples of a phantom of sharp edges, drawn once, most of them where little is: undersampled zeros
    # leave 0.5, sixty steps 0.27.
    self.assertLess(self.error_in(done.stdout), 0.3)

  def test_slices_are_filled_one_by_one(self):
    self.ok("run-op", "array.add_axis", "--in", "in=k.cfl", "--set", "name=z", "--set", "at=2", "--out", "out=one.npy")
    self.ok("run-op", "array.rename_axes", "--in", "in=one.npy", "--set", "names=x, y, z, coil", "--out", "out=one.npy")
    self.ok("run-op", "array.tile", "--in", "in=one.npy", "--set", "times=z=2", "--out", "out=slices.cfl")
    done = self.ok("recon", "grappa", "slices.cfl", "image.npy", "--axes", "x, y", "--undersample", "y=2",
                   "--calibration", "20", "--g", "g.npy")
    self.assertLess(self.error_in(done.stdout), 0.03)

  def test_a_plane_that_lies_along_y_and_z(self):
    """As BART writes it: x is one element, and what was measured is irregular."""
    self.ok("run-op", "array.squeeze", "--in", "in=k.cfl", "--out", "out=k.npy")
    self.ok("run-op", "array.rename_axes", "--in", "in=k.npy", "--set", "names=y, z, coil", "--out", "out=plane.cfl")
    done = self.ok("recon", "sense", "plane.cfl", "image.npy", "--undersample", "y=2")
    self.assertLess(self.error_in(done.stdout), 0.15)
    self.ok("run", "sense", "--in", "kspace=plane.cfl", "--no-cache", "--out", "graph")  # the example takes such data too
    self.assertTrue((self.dir / "graph" / "error_picture.png").exists())
    self.ok("run-op", "recon.undersample", "--in", "in=plane.cfl", "--set", "factors=y=2", "--set", "random=true",
            "--set", "calibration=14", "--out", "out=half.cfl")
    # 24 samples of the middle are usual, and 14 were measured.
    self.fails(1, ("run-op", "recon.espirit", "--in", "in=half.cfl", "--set", "axes=y, z", "--out", "maps=m.cfl"), "were measured")
    self.ok("recon", "pics", "half.cfl", "image.npy", "--kspace", "complete.cfl")
    done = self.ok("recon", "sense", "complete.cfl", "image.npy", "--undersample", "y=3", "--g", "g.npy", "--error", "error.npy")
    # The complete k-space is that of one image and its maps, but for the samples that were measured.
    self.assertLess(self.error_in(done.stdout), 0.15)

  def test_espirit(self):
    self.ok("recon", "espirit", "k.cfl", "found.cfl", "--eigenvalues", "e.npy")
    self.assertTrue((self.dir / "found.cfl").exists() and (self.dir / "e.npy").exists())

  def test_a_file_without_names_of_axes(self):
    """As numpy.save writes it: the command says by which option names are given, in words that work."""
    self.ok("run-op", "array.squeeze", "--in", "in=k.cfl", "--out", "out=k.npy")
    self.ok("run-op", "array.transpose", "--in", "in=k.npy", "--set", "order=coil, y, x", "--out", "out=plain.npy")
    (self.dir / "plain.npy.json").unlink()  # numpy.save writes none
    for command in ("sense", "grappa", "pics", "espirit"):
      done = self.fails(2, ("recon", command, "plain.npy", "image.npy"), "no axis called 'coil'", "--coil-axis", "plain.npy")
    names = re.search(r'--rename "([^"]*)"', done.stderr)[1]
    self.assertEqual(names, "coil, y, x")
    done = self.ok("recon", "sense", "plain.npy", "image.npy", "--rename", names, "--undersample", "y=2")
    self.assertLess(self.error_in(done.stdout), 0.15)
    # Sensitivities that come so take the same names.
    self.ok("recon", "espirit", "plain.npy", "maps.npy", "--rename", names)
    (self.dir / "maps.npy.json").unlink()
    self.fails(2, ("recon", "sense", "k.npy", "image.npy", "--maps", "maps.npy"), "sensitivities have no axis called 'coil'", "maps.npy")
    again = self.ok("recon", "sense", "plain.npy", "image.npy", "--rename", names, "--undersample", "y=2", "--maps", "maps.npy")
    self.assertEqual(self.error_in(again.stdout), self.error_in(done.stdout))
    self.fails(1, ("recon", "sense", "plain.npy", "image.npy", "--rename", "coil, y"), "plain.npy")

  def test_what_is_wrong(self):
    self.fails(1, ("recon", "sense", "kk.cfl", "image.npy"), "kk.cfl", "did you mean k.cfl?")
    self.fails(2, ("recon", "sense", "k.cfl", "image.npy", "--axes", "x, q"), "q")
    self.fails(1, ("recon", "sense", "k.cfl", "image.npy", "--axes", "y, y"), "axis 'y' is given twice")
    self.fails(1, ("recon", "pics", "k.cfl", "image.npy", "--calibration", "2"), "a kernel of 6 for 2", "6 calibration samples or more")
    self.fails(1, ("recon", "sense", "k.cfl", "image.npy", "--undersample", "y=7"), "multiple")
    self.fails(2, ("recon", "pics", "k.cfl", "image.npy", "--tv", "0.1"), "admm")
    with open(self.dir / "k.cfl", "r+b") as file:  # a .cfl that is not the size that its header says
      file.truncate(1000)
    self.fails(1, ("recon", "sense", "k.cfl", "image.npy"), "1000 bytes")


if __name__ == "__main__":
  main()
