# SPDX-License-Identifier: Apache-2.0
"""larmor recon nufft and larmor recon sample: images of k-space along trajectories, and back."""
import json
import math
import struct

from harness import CliCase, main


def write_npy(path, values, shape, complex_=True, fortran=True):
  head = repr({"descr": "<c8" if complex_ else "<f4", "fortran_order": fortran, "shape": tuple(shape)})
  head += " " * (63 - (10 + len(head)) % 64) + "\n"
  flat = [part for v in values for part in (v.real, v.imag)] if complex_ else values
  path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(flat)}f", *flat))


def read_npy(path):
  """Complex values in file order, and the shape."""
  data = path.read_bytes()
  size = struct.unpack_from("<H", data, 8)[0]
  head = eval(data[10:10 + size].decode().strip(), {"__builtins__": {}})  # a dictionary of literals
  body = data[10 + size:]
  parts = struct.unpack(f"<{len(body) // 4}f", body)
  return [complex(parts[i], parts[i + 1]) for i in range(0, len(parts), 2)], head["shape"]


N = 48


def blob(x, y):
  return math.exp(-((x - N / 2 - 6) ** 2 + (y - N / 2 + 4) ** 2) / 18)


class Cases(CliCase):
  def make(self):
    write_npy(self.dir / "image.npy", [complex(blob(x, y), 0.5 * blob(x, y)) for y in range(N) for x in range(N)], (N, N))
    self.ok("traj", "spiral", "--fov", "240", "--resolution", "5", "--arms", "16", "--no-true-resolution", "-o", "k.npy")
    self.ok("recon", "sample", "image.npy", "--traj", "k.npy", "--matrix", N, "-o", "s.npy")

  def error(self, name):
    got, shape = read_npy(self.dir / name)
    self.assertEqual(tuple(shape[:2]), (N, N))
    want, _ = read_npy(self.dir / "image.npy")
    inside = [i for i in range(N * N) if math.hypot(i % N - N / 2, i // N - N / 2) < N / 2 - 2]
    return math.sqrt(sum(abs(got[i] - want[i]) ** 2 for i in inside) / sum(abs(want[i]) ** 2 for i in inside))

  def test_an_image_comes_back_by_every_method_and_density(self):
    self.make()
    for method in ("nufft", "grid", "dft"):
      self.ok("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", N, "--method", method, "-o", f"{method}.npy")
      self.assertLess(self.error(f"{method}.npy"), 0.06, method)
    for density in ("voronoi", "analytic"):
      self.ok("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", N, "--density", density, "-o", f"{density}.npy")
      self.assertLess(self.error(f"{density}.npy"), 0.12, density)
    self.ok("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", N, "--density", "none", "-o", "none.npy")
    self.assertGreater(self.error("none.npy"), 1)

  def test_numpy_order_and_shift(self):
    self.make()
    values, shape = read_npy(self.dir / "s.npy")
    write_npy(self.dir / "c.npy", values, tuple(reversed(shape)), fortran=False)  # (arm, sample), the same bytes
    done = self.ok("recon", "nufft", "c.npy", "--traj", "k.npy", "--matrix", N, "-o", "c_image.npy", "--json")
    self.assertEqual(json.loads(done.stdout)["axes"], ["x", "y"])
    self.assertLess(self.error("c_image.npy"), 0.06)
    self.ok("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", N, "--shift", "3,-2", "-o", "moved.npy")
    moved, _ = read_npy(self.dir / "moved.npy")
    still, _ = read_npy(self.dir / "c_image.npy")
    at = max(range(N * N), key=lambda i: abs(still[i]))
    self.assertEqual(max(range(N * N), key=lambda i: abs(moved[i])), at + 3 - 2 * N)

  def test_every_method_moves_the_image_and_the_protocol_gives_way(self):
    self.make()
    for method in ("nufft", "grid", "dft"):
      images = []
      for shift in ("0,0", "3,-2"):
        self.ok("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", N, "--method", method, "--shift", shift, "-o", "m.npy")
        images.append(read_npy(self.dir / "m.npy")[0])
      peaks = [max(range(N * N), key=lambda i: abs(image[i])) for image in images]
      self.assertEqual(peaks[1], peaks[0] + 3 - 2 * N, method)
    # The protocol moves the image, whatever the method; what is asked for here wins over it.
    n = 60
    write_npy(self.dir / "image.npy", [complex(blob(x - 6, y - 6), 0) for y in range(n) for x in range(n)], (n, n))
    protocol = {"fov_m": 0.24, "resolution_m": 0.005, "arms": 16, "dwell_ms": 0.005, "max_gradient_mT_per_m": 30,
                "max_slew_mT_per_m_per_ms": 120, "gradient_raster_ms": 0.01,
                "reconstruction_settings": {"effective_matrix": n, "shift_y_pixels": 5, "taper": 0.5}}
    (self.dir / "p.json").write_text(json.dumps(protocol))
    self.ok("recon", "sample", "image.npy", "--protocol", "p.json", "-o", "sp.npy")
    def image_of(*options):
      self.ok("recon", "nufft", "sp.npy", "--protocol", "p.json", "-o", "m.npy", *options)
      return read_npy(self.dir / "m.npy")[0]
    exact = image_of("--method", "dft")
    norm = math.sqrt(sum(abs(v) ** 2 for v in exact))
    for method, most in (("nufft", 2e-4), ("grid", 5e-3)):
      got = image_of("--method", method)
      self.assertLess(math.sqrt(sum(abs(a - b) ** 2 for a, b in zip(got, exact))), most * norm, method)
    still = image_of("--shift", "0,0")
    at = max(range(n * n), key=lambda i: abs(still[i]))
    self.assertEqual(max(range(n * n), key=lambda i: abs(exact[i])), at + 5 * n)
    self.assertNotEqual(image_of("--taper", "0"), image_of())
    self.assertNotEqual(image_of("--iterations", "1"), image_of())

  def test_a_trajectory_from_json(self):
    self.make()
    self.ok("traj", "spiral", "--fov", "240", "--resolution", "5", "--arms", "16", "--no-true-resolution", "-o", "k.json")
    for traj in (("k.json",), ("k.npy", "--matrix", N)):
      self.ok("recon", "nufft", "s.npy", "-o", traj[0] + ".image.npy", "--traj", *traj)
    self.assertEqual(read_npy(self.dir / "k.json.image.npy"), read_npy(self.dir / "k.npy.image.npy"))
    (self.dir / "half.json").write_text(json.dumps({**json.loads((self.dir / "k.json").read_text()), "matrix": [N, N, N, N, N]}))
    (self.dir / "none.json").write_text("{}")
    for bad in ("half.json", "none.json"):
      self.fails(1, ("recon", "nufft", "s.npy", "--traj", bad, "-o", "x.npy"), bad, "larmor traj")

  def test_positions_in_cycles_a_pixel_are_suspected(self):
    self.make()
    data = (self.dir / "k.npy").read_bytes()
    size = 10 + struct.unpack_from("<H", data, 8)[0]
    k = struct.unpack(f"<{(len(data) - size) // 8}d", data[size:])
    (self.dir / "pixel.npy").write_bytes(data[:size] + struct.pack(f"<{len(k)}d", *(v / N for v in k)))
    for traj, told in (("pixel.npy", True), ("k.npy", False)):
      done = self.ok("recon", "nufft", "s.npy", "--traj", traj, "--matrix", N, "-o", "m.npy")
      self.assertEqual("in cycles/pixel" in done.stderr, told, done.stderr)

  def test_what_would_do_nothing_is_refused(self):
    self.make()
    base = ("recon", "nufft", "s.npy", "--traj", "k.npy", "-o", "x.npy", "--matrix")
    self.fails(2, (*base, "48", "--method", "grid", "--size", "20,20"), "--size does nothing with --method grid")
    self.fails(2, (*base, "48", "--method", "dft", "--tolerance", "1e-3"), "--tolerance does nothing with --method dft")
    self.fails(2, ("recon", "nufft", "s.npy", "--protocol", "p.json", "--matrix", "48", "-o", "x.npy"), "--matrix goes with --traj")
    self.fails(1, (*base, "48.5"), "'matrix' is 48.5", "whole number")
    self.fails(1, (*base, "48", "--size", "48.5,48"), "'size' is 48.5")
    for method in ("nufft", "grid", "dft"):
      self.fails(1, (*base, "48", "--shift", "1e300,0", "--method", method), "a shift of 1e+300 voxels along x of an image of 48")
    write_npy(self.dir / "nan.npy", [complex(math.nan, 0)] * len(read_npy(self.dir / "s.npy")[0]), read_npy(self.dir / "s.npy")[1])
    self.fails(1, ("recon", "nufft", "nan.npy", "--traj", "k.npy", "--matrix", "48", "-o", "x.npy"), "no finite numbers")
    self.assertFalse((self.dir / "x.npy").exists())

  def test_what_is_wrong(self):
    self.make()
    self.fails(2, ("recon", "nufft", "s.npy", "-o", "x.npy"), "either --traj or --protocol")
    self.fails(2, ("recon", "nufft", "s.npy", "--traj", "k.npy", "-o", "x.npy"), "--matrix")
    self.fails(2, ("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", "48"), "--out")
    self.fails(1, ("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", "20", "-o", "x.npy"), "beyond +-10", "0.5 cycles/pixel")
    self.fails(1, ("recon", "nufft", "image.npy", "--traj", "k.npy", "--matrix", "48", "-o", "x.npy"), "48 x 48", "image.npy")
    self.fails(1, ("recon", "sample", "s.npy", "--traj", "k.npy", "--matrix", "48", "-o", "x.npy"), "48 x 48 is needed")
    self.fails(2, ("recon", "nufft", "s.npy", "--traj", "k.npy", "--matrix", "48", "--density", "voronoy", "-o", "x.npy"), "voronoi")
    self.assertFalse((self.dir / "x.npy").exists())


if __name__ == "__main__":
  main()
