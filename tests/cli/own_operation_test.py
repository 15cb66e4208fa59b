# SPDX-License-Identifier: Apache-2.0
"""larmor op, and the tutorial about operations of one's own."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import harness
from harness import LARMOR, SOURCE

PYTHON = next((p for p in (os.environ.get("LARMOR_PYTHON"), "/usr/bin/python3", shutil.which("python3"))
               if p and os.access(p, os.X_OK)), "false")
NUMPY = subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True, check=False).returncode == 0
COMPILER = shutil.which("g++") or shutil.which("c++")


class Cases(harness.CliCase):

  def setUp(self):
    super().setUp()
    if not NUMPY:
      harness.skip("python3 with numpy is not here")
    self.env = {"HOME": str(self.dir / "home"), "XDG_CACHE_HOME": str(self.dir / "cache"),
                "PATH": f"{pathlib.Path(LARMOR).parent}:{os.environ['PATH']}"}

  def op(self, *words):
    return self.ok("op", *words, env=self.env)

  def test_tutorial(self):
    if not COMPILER:
      harness.skip("no C++ compiler is here")
    text = (SOURCE / "docs/tutorial/own-operation.md").read_text(encoding="utf-8")
    script = "set -euo pipefail\n" + "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S))
    done = subprocess.run(["bash", "-c", script], cwd=self.dir, env={**os.environ, **self.env}, text=True,
                          capture_output=True, check=False)
    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    for said in ("user.smooth works", "user.gain works", "user.threshold works", "nothing is wrong, 2 nodes",
                 "failed, as expected", "largest  "):
      self.assertIn(said, done.stdout)
    self.assertIn("smooth.py:", done.stderr)
    report = json.loads((self.dir / "report.json").read_text())
    self.assertEqual(report["state"], "done")

  def test_new_writes_what_runs(self):
    made = self.op("new", "mine", "--python").stdout.strip()
    self.assertEqual(made, str(self.dir / "home/.larmor/ops/mine.py"))
    out = self.op("test", "mine").stdout
    self.assertIn("in   in: f32 (8 x, 8 y)", out)
    self.assertIn("out  out: f32 (8 x, 8 y)", out)
    listed = json.loads(self.op("list", "--json").stdout)
    self.assertEqual([(o["id"], o["error"]) for o in listed], [("user.mine", "")])
    self.assertGreater(listed[0]["lines"], 10)

  def test_run_op_runs_it_too(self):
    self.op("new", "mine", "--python", "--dir", "ops")
    if not NUMPY:
      self.skipTest("no numpy for operations in Python")
    import numpy
    numpy.save(self.dir / "in.npy", numpy.array([1.0, 2.0], dtype=numpy.float32))
    self.ok("run-op", "user.mine", "--ops", "ops", "--in", "in=in.npy", "--set", "gain=3", "--out", "out=out.npy",
            env=self.env)
    self.assertEqual(numpy.load(self.dir / "out.npy").tolist(), [3, 6])

  def test_new_refuses(self):
    self.op("new", "mine", "--python", "--dir", "ops")
    self.fails(1, ["op", "new", "mine", "--cpp", "--dir", "ops"], "is there already", env=self.env)
    self.fails(2, ["op", "new", "Mine!", "--cpp"], "cannot be the name", env=self.env)
    self.fails(2, ["op", "new", "mine"], "--python and --cpp", env=self.env)
    self.fails(2, ["op", "test", "min", "--ops", "ops"], "did you mean user.mine?", env=self.env)
    self.fails(2, ["op", "list", "--ops", "nowhere"], "nowhere is no folder", env=self.env)

  def test_what_does_not_load_is_told(self):
    (self.dir / "ops").mkdir()
    (self.dir / "ops" / "bad.py").write_text("import numpy\ndef describe(:\n")
    done = self.run_larmor("op", "list", "--ops", "ops", env=self.env)
    self.assertEqual(done.returncode, 1)
    self.assertIn("error at bad.py:2: bad.py: SyntaxError", done.stdout)
    self.fails(1, ["op", "test", "ops/bad.py"], "SyntaxError", "at: bad.py:2", env=self.env)

  def test_a_failing_node_leaves_the_others(self):
    self.op("new", "mine", "--python", "--dir", "ops")
    (self.dir / "ops" / "dies.py").write_text(
        "import os\ndef describe():\n  return {'inputs': [{'name': 'in'}], 'outputs': [{'name': 'out', 'type': 'array'}]}\n"
        "def compute(io):\n  print('last words', flush=True)\n  os.kill(os.getpid(), 9)\n")
    harness.write_nifti(self.dir / "in.nii", [1.0] * 8, [2, 2, 2])
    (self.dir / "g.json").write_text(json.dumps({
        "larmor": 1, "nodes": {"read": {"op": "io.read_image", "settings": {"path": "in.nii"}}, "bad": {"op": "user.dies"},
                               "good": {"op": "user.mine"}, "after": {"op": "array.cast"}},
        "wires": {"bad.in": "read.image", "good.in": "read.image", "after.in": "bad.out"}}))
    done = self.run_larmor("run", "g.json", "--ops", "ops", "--json", "--no-cache", env=self.env)
    self.assertEqual(done.returncode, 1)
    nodes = json.loads(done.stdout)["nodes"]
    self.assertEqual({k: v["state"] for k, v in nodes.items()},
                     {"read": "done", "bad": "error", "good": "done", "after": "skipped"})
    self.assertIn("killed by signal 9", nodes["bad"]["error"])
    self.assertIn("last words", nodes["bad"]["log"])
    self.assertEqual(nodes["good"]["outputs"]["out"]["type"], "image")

  def test_an_exception_is_placed(self):
    (self.dir / "ops").mkdir()
    (self.dir / "ops" / "throws.py").write_text(
        "def describe():\n  return {'outputs': [{'name': 'out', 'type': 'number'}]}\ndef compute(io):\n  return 1 / 0\n")
    (self.dir / "g.json").write_text(json.dumps({"larmor": 1, "nodes": {"n": {"op": "user.throws"}}}))
    done = self.run_larmor("run", "g.json", "--ops", "ops", "--json", "--no-cache", env=self.env)
    node = json.loads(done.stdout)["nodes"]["n"]
    self.assertEqual(node["error_at"], "throws.py:4")
    self.assertIn("ZeroDivisionError", node["error"])
    self.assertIn("Traceback", node["log"])


if __name__ == "__main__":
  harness.main()
