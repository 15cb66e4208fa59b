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

  def test_espirit(self):
    self.ok("recon", "espirit", "k.cfl", "found.cfl", "--eigenvalues", "e.npy")
    self.assertTrue((self.dir / "found.cfl").exists() and (self.dir / "e.npy").exists())

  def test_what_is_wrong(self):
    self.fails(1, ("recon", "sense", "kk.cfl", "image.npy"), "kk.hdr")
    self.fails(2, ("recon", "sense", "k.cfl", "image.npy", "--axes", "x, q"), "q")
    self.fails(1, ("recon", "sense", "k.cfl", "image.npy", "--undersample", "y=7"), "multiple")
    self.fails(2, ("recon", "pics", "k.cfl", "image.npy", "--tv", "0.1"), "admm")
    with open(self.dir / "k.cfl", "r+b") as file:  # a .cfl that is not the size that its header says
      file.truncate(1000)
    self.fails(1, ("recon", "sense", "k.cfl", "image.npy"), "1000 bytes")


if __name__ == "__main__":
  main()
