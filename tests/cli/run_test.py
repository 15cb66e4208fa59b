# SPDX-License-Identifier: Apache-2.0
"""larmor run: graphs from the command line."""
import json
import os
import signal
import subprocess

from harness import LARMOR, CliCase, load_json, main, read_nifti, write_nifti

GRAPH = {
    "larmor": 1,
    "nodes": {
        "read": {"op": "io.read_image", "settings": {"path": "a.nii"}},
        "scaled": {"graph": "scale"},
        "mean": {"op": "reduce.mean"},
        "write": {"op": "io.write_image", "settings": {"path": "made.nii"}},
    },
    "wires": {"scaled.in": "read.image", "write.image": "scaled.out", "mean.in": "scaled.out"},
    "outputs": {"scaled": {"type": "image", "from": "scaled.out"}, "mean": {"type": "array", "from": "mean.out"}},
    "settings": {"factor": {"node": "scaled", "setting": "factor"}},
    "definitions": {
        "scale": {
            "nodes": {"times": {"op": "math.multiply", "settings": {"value": 2}}},
            "inputs": {"in": {"type": "array", "to": ["times.a"]}},
            "outputs": {"out": {"type": "array", "from": "times.out"}},
            "settings": {"factor": {"node": "times", "setting": "value"}},
        }
    },
}


class Cases(CliCase):

  def setUp(self):
    super().setUp()
    write_nifti(self.dir / "a.nii", [1, 2, 3, 4, 5, 6], (1, 2, 3), spacing=(2, 3, 4))
    self.graph(GRAPH)
    self.env = {"XDG_CACHE_HOME": str(self.dir / "cache")}

  def graph(self, graph, name="g.json"):
    (self.dir / name).write_text(json.dumps(graph), encoding="utf-8")

  def report(self, *words, ok=True):
    done = self.run_larmor("run", *words, "--json", env=self.env)
    self.assertEqual(done.returncode, 0 if ok else 1, done.stderr)
    return json.loads(done.stdout)

  def test_runs_writes_and_remembers(self):
    first = self.report("g.json", "--out", "out")
    self.assertEqual((first["state"], first["ran"]), ("done", 4))
    self.assertEqual(read_nifti(self.dir / "out" / "made.nii")[0], (2, 4, 6, 8, 10, 12))
    values, shape, spacing, _, _ = read_nifti(self.dir / "out" / "scaled.nii.gz")
    self.assertEqual((values, shape, spacing), ((2, 4, 6, 8, 10, 12), (1, 2, 3), (2, 3, 4)))
    self.assertTrue((self.dir / "out" / "mean.npy").exists())
    graph = self.ok("graph", "from", "out/made.nii")
    self.assertEqual(json.loads(graph.stdout)["wires"]["write.image"], "scaled.out")
    # The file of a node that writes is known to be there; the others took too little time to keep.
    again = self.report("g.json", "--out", "out")
    self.assertEqual(again["nodes"]["write"]["state"], "cached")
    (self.dir / "out" / "made.nii").unlink()
    self.assertEqual(self.report("g.json", "--out", "out")["nodes"]["write"]["state"], "done")

  def test_settings_and_inputs(self):
    self.ok("run", "g.json", "--set", "factor=3", "--out", "o", env=self.env)
    self.assertEqual(read_nifti(self.dir / "o" / "scaled.nii.gz")[0], (3, 6, 9, 12, 15, 18))
    self.ok("run", "g.json", "--set", "scaled.factor=4", "--out", "o", env=self.env)
    self.assertEqual(read_nifti(self.dir / "o" / "scaled.nii.gz")[0][0], 4)
    self.ok("run", "g.json", "--set", "scaled/times.value=5", "--out", "o", env=self.env)
    self.assertEqual(read_nifti(self.dir / "o" / "scaled.nii.gz")[0][0], 5)
    write_nifti(self.dir / "b.nii", [7] * 6, (1, 2, 3))
    self.ok("run", "g.json", "--in", "read=b.nii", "--out", "o", env=self.env)
    self.assertEqual(read_nifti(self.dir / "o" / "scaled.nii.gz")[0][0], 14)
    inner = dict(GRAPH["definitions"]["scale"], larmor=1)
    self.graph(inner, "inner.json")
    self.ok("run", "inner.json", "--in", "in=b.nii", "--out", "o", env=self.env)
    self.assertEqual(read_nifti(self.dir / "o" / "out.nii.gz")[0][0], 14)

  def test_a_list_is_a_sweep(self):
    self.ok("run", "g.json", "--set", "factor=[1, 10]", "--out", "o", env=self.env)
    values, shape, *_ = read_nifti(self.dir / "o" / "scaled.nii.gz")
    self.assertEqual((shape, values[-1]), ((1, 2, 3, 2), 60))

  def test_run_to_here(self):
    report = self.report("g.json", "--to", "mean", "--out", "o")
    self.assertNotIn("write", report["nodes"])
    self.assertFalse((self.dir / "o" / "made.nii").exists())

  def test_a_failing_node_leaves_the_others_and_gives_1(self):
    graph = json.loads(json.dumps(GRAPH))
    graph["nodes"]["bad"] = {"op": "io.read_image", "settings": {"path": "nowhere.nii"}}
    graph["nodes"]["gone"] = {"op": "io.raed_image"}
    self.graph(graph)
    done = self.run_larmor("run", "g.json", "--out", "o", env=self.env)
    self.assertEqual(done.returncode, 1)
    self.assertIn("nowhere.nii", done.stderr)
    self.assertIn("did you mean io.read_image?", done.stderr)
    self.assertTrue((self.dir / "o" / "made.nii").exists())

  def test_wrong_calls(self):
    self.fails(2, ["run", "g.json", "--set", "scaled.facto=2"], "did you mean factor?")
    self.fails(2, ["run", "g.json", "--set", "scled.factor=2"], "did you mean scaled?")
    self.fails(2, ["run", "g.json", "--set", "factor"], "has no '='")
    self.fails(2, ["run", "g.json", "--set", "factor=much"], "give a number")
    self.fails(2, ["run", "g.json", "--in", "reed=a.nii"], "did you mean read?")
    self.fails(2, ["run", "g.json", "--in", "mean=a.nii"], "reads no file")
    self.fails(2, ["run", "g.json", "--to", "maen"], "did you mean mean?")
    self.fails(2, ["run", "g.json", "--memory", "lots"], "is no size")
    self.fails(1, ["run", "nothing.json"], "nothing.json")
    (self.dir / "sense").mkdir()  # a folder that has the name of a graph does not hide it
    self.assertIn("sense", self.ok("graph", "show", "sense").stdout)
    (self.dir / "folder").mkdir()
    self.fails(1, ["run", "folder"], "folder")

  def test_report_and_cache_folder(self):
    self.ok("run", "g.json", "--report", "r.json", "--cache", "c", "--out", "o")
    report = load_json(self.dir / "r.json")
    node = report["nodes"]["scaled/times"]
    self.assertEqual(node["state"], "done")
    self.assertGreater(node["peak_bytes"], 0)
    self.assertTrue((self.dir / "c").exists())
    self.ok("run", "g.json", "--no-cache", "--out", "o2", env={"XDG_CACHE_HOME": str(self.dir / "none")})
    self.assertFalse((self.dir / "none").exists())

  def test_interrupt_ends_it_with_1(self):
    # A loop of a million rounds, each with another input, can only end by the signal.
    loop = {
        "larmor": 1,
        "nodes": {"start": {"op": "math.add", "settings": {"value": 1}},
                  "read": {"op": "io.read_image", "settings": {"path": "a.nii"}},
                  "loop": {"graph": "plus", "loop": {"kind": "repeat", "times": 1000000, "feedback": {"in": "out"}}}},
        "wires": {"start.a": "read.image", "loop.in": "start.out"},
        "definitions": {"plus": {"nodes": {"add": {"op": "math.add", "settings": {"value": 1}}},
                                 "inputs": {"in": {"type": "array", "to": ["add.a"]}},
                                 "outputs": {"out": {"type": "array", "from": "add.out"}}}},
    }
    self.graph(loop, "loop.json")
    with subprocess.Popen([LARMOR, "run", "loop.json", "--no-cache"], cwd=self.dir, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True, env={**os.environ, **self.env}) as run:
      err = run.stderr.readline()  # it runs
      self.assertIn("done", err)
      run.send_signal(signal.SIGINT)
      err += run.communicate(timeout=60)[1]
      self.assertEqual(run.returncode, 1, err)
      self.assertIn("cancelled", err)


if __name__ == "__main__":
  main()
