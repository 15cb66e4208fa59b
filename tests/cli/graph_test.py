# SPDX-License-Identifier: Apache-2.0
"""larmor graph: check, show, stats, diff, from; larmor list ops."""
import json

import harness

READ = {"op": "io.read_image", "settings": {"path": "in.nii"}}
CAST = {"op": "array.cast", "settings": {"dtype": "f64"}}


class Cases(harness.CliCase):

  def put(self, name, nodes, wires=None, **more):
    (self.dir / name).write_text(json.dumps({"larmor": 1, "nodes": nodes, "wires": wires or {}, **more}))
    return name

  def good(self, name="g.json", **more):
    harness.write_nifti(self.dir / "in.nii", [1.0] * 8, [2, 2, 2])
    return self.put(name, {"read": READ, "cast": CAST}, {"cast.in": "read.image"}, **more)

  def test_check_of_a_good_graph(self):
    done = self.ok("graph", "check", self.good())
    self.assertIn("nothing is wrong, 2 nodes", done.stdout)
    self.assertEqual(json.loads(self.ok("graph", "check", "g.json", "--json").stdout), [])

  def test_check_says_all_that_is_wrong(self):
    self.put("g.json", {"read": READ, "cast": {"op": "array.cst"}, "loop": {"graph": "nowhere"}}, {"cast.in": "read.imag"})
    done = self.run_larmor("graph", "check", "g.json")
    self.assertEqual(done.returncode, 1)
    for text in ("did you mean array.cast?", "in.nii is not there", "no graph called 'nowhere'", "did you mean image?"):
      self.assertIn(text, done.stdout)
    issues = json.loads(self.run_larmor("graph", "check", "g.json", "--json").stdout)
    self.assertEqual(sorted(i["code"] for i in issues), ["missing_file", "unknown_graph", "unknown_op", "unknown_port"])
    self.assertTrue(all(i["message"] and i["kind"] == "error" for i in issues))

  def test_check_finds_files_below_the_base(self):
    self.good()
    (self.dir / "elsewhere").mkdir()
    done = self.run_larmor("graph", "check", "g.json", "--base", "elsewhere")
    self.assertEqual(done.returncode, 1)
    self.assertIn("elsewhere/in.nii is not there", done.stdout)

  def test_what_is_no_graph(self):
    (self.dir / "bad.json").write_text("{\"larmor\": 1,\n  \"nodes\": ]")
    self.fails(1, ["graph", "check", "bad.json"], "not JSON", "line 2", "bad.json")
    (self.dir / "new.json").write_text("{\"larmor\": 12}")
    self.fails(1, ["graph", "show", "new.json"], "version 12", "up to version 1")
    self.fails(1, ["graph", "stats", "none.json"], "none.json")
    self.fails(1, ["graph", "diff", "none.json", "none.json"], "none.json")
    self.fails(2, ["graph"], "graph check")

  def test_show_is_an_outline(self):
    inner = {"nodes": {"c": CAST}, "inputs": {"x": {"to": ["c.in"]}}, "outputs": {"y": {"from": "c.out"}}}
    self.put("g.json", {"b": {"graph": "inner", "loop": {"times": 3, "feedback": {"x": "y"}}}, "read": READ,
                        "again": {"graph": "inner"}, "lost": {"op": "no.op", "settings": {"a": 1}}},
             {"b.x": "read.image", "again.x": "b.y"}, title="The title", definitions={"inner": inner})
    out = self.ok("graph", "show", "g.json").stdout
    self.assertLess(out.index("read  io.read_image"), out.index("b  sub-graph inner  3 times"))
    for text in ("The title", "  x <- read.image", "path = \"in.nii\"", "    dtype = \"f64\"  (default \"f32\")",
                 "  output y: any <- c.out", "(as above)", "lost  no.op  (unknown operation)", "  a = 1"):
      self.assertIn(text, out)
    again = self.ok("graph", "show", "g.json", "--json").stdout
    (self.dir / "again.json").write_text(again)
    self.assertEqual(self.ok("graph", "show", "again.json", "--json").stdout, again)

  def test_graphs_beside_the_file_can_be_named(self):
    (self.dir / "part.json").write_text(json.dumps({
        "larmor": 1, "nodes": {"c": CAST}, "inputs": {"x": {"to": ["c.in"]}}, "outputs": {"y": {"from": "c.out"}}}))
    harness.write_nifti(self.dir / "in.nii", [1.0] * 8, [2, 2, 2])
    self.put("g.json", {"read": READ, "p": {"graph": "part"}}, {"p.x": "read.image"})
    self.ok("graph", "check", "g.json")
    self.assertIn("dtype", self.ok("graph", "show", "g.json").stdout)

  def test_stats(self):
    self.put("g.json", {"read": READ, "c1": CAST, "c2": CAST, "c3": {"op": "array.cast"}},
             {"c1.in": "read.image", "c2.in": "c1.out", "c3.in": "c2.out"})
    out = self.ok("graph", "stats", "g.json").stdout
    self.assertRegex(out, r"nodes +2 ")
    self.assertRegex(out, r"instances +4 ")
    self.assertRegex(out, r"reuse +2.00 ")
    s = json.loads(self.ok("graph", "stats", "g.json", "--json").stdout)
    self.assertEqual((s["operations"], s["instances"], s["reuse"], s["wires"], s["settings"], s["depth"]), (2, 4, 2, 3, 3, 4))

  def test_overhead_is_the_time_in_which_nothing_computed(self):
    self.good()
    nodes = {"a": {"rounds": 1, "started": 0.5, "seconds": 1.0}, "b": {"rounds": 1, "started": 1.0, "seconds": 1.0},
             "c": {"rounds": 2, "started": 3.0, "seconds": 9.0}, "known": {"rounds": 0, "started": 0.0, "seconds": 0.0}}
    (self.dir / "run.json").write_text(json.dumps({"seconds": 4.0, "nodes": nodes}))
    run = json.loads(self.ok("graph", "stats", "g.json", "--report", "run.json", "--json").stdout)["run"]
    self.assertEqual(run, {"seconds": 4.0, "computing": 2.5, "overhead": 1.5, "nodes": 3})
    self.assertRegex(self.ok("graph", "stats", "g.json", "--report", "run.json").stdout, r"overhead a node +500.000 ")
    self.ok("run", "g.json", "--report", "real.json", "--no-cache")
    real = json.loads(self.ok("graph", "stats", "g.json", "--report", "real.json", "--json").stdout)["run"]
    self.assertEqual(real["nodes"], 2)
    self.assertLessEqual(real["overhead"], real["seconds"])
    run = json.loads(self.ok("graph", "stats", "g.json", "--run", "--json").stdout)["run"]
    self.assertEqual(run["nodes"], real["nodes"])
    self.assertGreater(run["seconds"], 0)
    self.assertIn("overhead a node", self.ok("graph", "stats", "g.json", "--run").stdout)
    self.fails(1, ["graph", "stats", "g.json", "--report", "g.json"], "no report of a run")

  def test_diff(self):
    self.good("a.json")
    self.put("b.json", {"read": READ, "cast": {**CAST, "settings": {"dtype": "c64"}, "at": [5, 5]}}, {})
    out = self.ok("graph", "diff", "a.json", "b.json").stdout
    self.assertEqual(out.splitlines(), ["~ cast.dtype: \"f64\" -> \"c64\"", "- wire read.image -> cast.in",
                                        "~ 1 node moved or folded"])
    self.assertNotIn("moved", self.ok("graph", "diff", "a.json", "b.json", "--results").stdout)
    self.assertEqual(json.loads(self.ok("graph", "diff", "a.json", "a.json", "--json").stdout), [])

  def provenance(self, **files):
    graph = json.loads(self.ok("graph", "show", self.good(), "--json").stdout)
    return {"larmor": "0.0.9", "graph": graph, "node": "cast", "operations": {"array.cast": 99, "gone.op": 1}, "files": files}

  def test_from_a_sidecar(self):
    made = self.provenance(**{"in.nii": "0" * 32, "lost.nii": "0" * 32})
    (self.dir / "map.json").write_text(json.dumps({"Units": "mM", "Provenance": made}))
    done = self.ok("graph", "from", "map.json")
    self.assertEqual(json.loads(done.stdout), made["graph"])
    for text in ("made by larmor 0.0.9", "array.cast was of version 99", "gone.op is not there", "in.nii has changed",
                 "lost.nii is not there"):
      self.assertIn(text, done.stderr)
    self.ok("graph", "from", "map.json", "-o", "back.json")
    self.ok("graph", "check", "back.json")

  def test_from_a_table_and_a_picture_without(self):
    (self.dir / "t.csv").write_text("# larmor provenance " + json.dumps(self.provenance()) + "\na,b\n1,2\n")
    self.assertIn("array.cast", self.ok("graph", "from", "t.csv").stdout)
    self.fails(1, ["graph", "from", "in.nii"], "does not say how it was made")
    self.fails(1, ["graph", "from", "nothing.nii"], "nothing.nii")
    (self.dir / "dce.json").write_text(json.dumps({"Provenance": {"software": "larmor", "command": "larmor dce"}}))
    self.fails(1, ["graph", "from", "dce.json"], "not made by one", "dce.json")

  def test_operations_are_listed(self):
    self.assertIn("array.cast", self.ok("list", "ops").stdout)
    ops = {o["id"]: o for o in json.loads(self.ok("list", "ops", "--json").stdout)}
    cast = ops["array.cast"]
    self.assertEqual([p["name"] for p in cast["inputs"]], ["in"])
    self.assertEqual(cast["settings"][0]["kind"], "choice")
    types = {t["id"] for t in json.loads(self.ok("list", "types", "--json").stdout)}
    self.assertLessEqual({"array", "image", "number"}, types)

  def test_every_operation_has_a_page(self):
    self.ok("docs", "pages")
    pages = {p.name: p.read_text() for p in (self.dir / "pages" / "operations").glob("*.md")}
    for op in json.loads(self.ok("list", "ops", "--json").stdout):
      page = pages[op["category"] + ".md"]
      self.assertIn(f"`{op['id']}`", page)
      self.assertIn(op["id"], pages["README.md"])
      for port in op["inputs"] + op["outputs"] + op["settings"]:
        self.assertIn(f"| `{port['name']}` |", page)


if __name__ == "__main__":
  harness.main()
