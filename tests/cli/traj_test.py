# SPDX-License-Identifier: Apache-2.0
"""larmor traj: trajectories and waveforms from the command line."""
import json
import struct

from harness import CliCase, main

PROTOCOL = {"fov_m": 0.24, "resolution_m": 0.001, "arms": 79, "read_samples": 825, "dwell_ms": 0.0048,
            "gradient_raster_ms": 0.0064, "max_gradient_mT_per_m": 20.249001, "max_slew_mT_per_m_per_ms": 139.998993,
            "max_gradient_frequency_kHz": 1.0, "gamma_kHz_per_mT": 42.577469, "in_out": "out",
            "gradient_end": "rewound, zeroth moment brought to zero (M0 -> 0)", "TE_ms": 0.9716}


def npy_shape(path):
  data = path.read_bytes()
  assert data[:6] == b"\x93NUMPY"
  size = struct.unpack_from("<H", data, 8)[0]
  head = data[10:10 + size].decode()
  return eval(head.strip(), {"__builtins__": {}})["shape"]  # a dictionary of literals


class Cases(CliCase):
  def test_a_protocol_gives_positions_waveforms_and_a_sequence(self):
    (self.dir / "protocol.json").write_text(json.dumps(PROTOCOL))
    done = self.ok("traj", "spiral", "--protocol", "protocol.json", "-o", "k.npy", "-o", "g.csv", "-o", "w.svg", "-o", "s.seq")
    self.assertIn("825 samples x 79 arms, matrix 300 x 300", done.stdout)
    self.assertIn("readout 0 to 619, ramp to 642, rewinder to 769", done.stdout)
    self.assertEqual(npy_shape(self.dir / "k.npy"), (825, 79, 2))
    lines = (self.dir / "g.csv").read_text().splitlines()
    self.assertEqual(len([l for l in lines if not l.startswith("#")]), 770 + 1)
    self.assertTrue((self.dir / "w.svg").read_text().startswith("<svg"))
    text = (self.dir / "s.seq").read_text()
    for part in ("[VERSION]", "minor 4", "[BLOCKS]", "[SIGNATURE]"):
      self.assertIn(part, text)
    # What was written is read again, and samples where the spiral does.
    self.assertIn("sequence", self.ok("run-op", "io.read_pulseq", "--set", "path=s.seq").stdout)
    self.fails(1, ("run-op", "traj.from_sequence", "--in", "sequence=s.seq", "--set", "matrix=300.5"), "'matrix' is 300.5")

  def test_every_kind_runs(self):
    for kind in ("spiral", "radial", "kooshball", "propeller", "floret", "distributed", "cartesian", "epi"):
      done = self.ok("traj", kind, "--resolution", "8", "--json")
      facts = json.loads(done.stdout)
      self.assertEqual(facts["shape"][-1], len(facts["matrix"]))
      self.assertIn("--max-slew", self.ok("traj", kind, "--help").stdout)
      # With the settings that nobody changed every kind can be written for a scanner.
      self.ok("traj", kind, "--resolution", "8", "--flip-angle", "10", "-o", f"{kind}.seq")
      self.assertIn("[SIGNATURE]", (self.dir / f"{kind}.seq").read_text())

  def test_limits_that_cannot_be_met_are_named(self):
    self.fails(1, ("traj", "radial", "--dwell", "0.5"), "the gradient limit", "195.7 mT/m", "sample for 3.262 us or longer")
    self.fails(1, ("traj", "spiral", "--dwell", "900"), "the sampling limit")
    self.fails(1, ("traj", "spiral", "--max-slew", "0"), "slew rate limit of 0 T/m/s")
    self.fails(1, ("traj", "spiral", "--T2-match", "0.1"), "cannot be matched to a T2 of 0.1 ms")

  def test_what_is_wrong(self):
    self.fails(2, ("traj", "spirl"), "traj spiral")
    self.fails(2, ("traj", "floret", "--hubs", "7"), "--hubs is 7", "1 to 3")
    self.fails(2, ("traj", "spiral", "-o", "a.xyz"), "a.xyz", ".seq")
    self.fails(1, ("traj", "spiral", "--protocol", "nothing.json"), "nothing.json")
    (self.dir / "bad.json").write_text('{"arms": 3}')
    self.fails(1, ("traj", "spiral", "--protocol", "bad.json"), "'fov_m'")
    for name, value, told in (("arms", 78.5, "'arms' is 78.5"), ("read_samples", 1e300, "'read_samples' is 1e+300"), ("arms", 0, "0 arms")):
      (self.dir / "bad.json").write_text(json.dumps({**PROTOCOL, name: value}))
      self.fails(1, ("traj", "spiral", "--protocol", "bad.json"), told)


if __name__ == "__main__":
  main()
