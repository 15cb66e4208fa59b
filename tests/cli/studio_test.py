# SPDX-License-Identifier: Apache-2.0
"""`larmor studio` as a program: its address, its token, its port, its end, and operations of users."""
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

import harness


class Cases(harness.CliCase):
  def start(self, *words, env=None, cache=("--cache", "cache")):
    program = subprocess.Popen([harness.LARMOR, "studio", "--no-browser", "--json", *cache, *map(str, words)],
                               cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    self.addCleanup(self.end, program)
    line = program.stdout.readline()
    self.assertTrue(line, "no address: " + (program.stderr.read() if program.poll() is not None else ""))
    return program, json.loads(line)

  def end(self, program):
    if program.poll() is None:
      program.send_signal(signal.SIGINT)
    program.wait(30)
    program.stdout.close()
    program.stderr.close()

  def ask(self, where, target, body=None, method=None, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{where['port']}{target}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json", **(headers or {})})
    try:
      with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
      with error:
        return error.code, json.loads(error.read() or b"null")

  def wait_for(self, what, seconds=60):
    for _ in range(int(seconds / 0.05)):
      if what():
        return
      time.sleep(0.05)
    self.fail("it did not happen")

  def test_without_a_home_the_cache_is_each_users_own(self):
    self.start("--port", 0, env={"HOME": "", "XDG_CACHE_HOME": "", "TMPDIR": str(self.dir)}, cache=())
    self.assertEqual([p.name for p in self.dir.glob("larmor-cache*")], [f"larmor-cache-{os.getuid()}"])

  def test_opens_a_graph_and_ends_by_interrupt(self):
    (self.dir / "my.json").write_text('{"larmor":1,"title":"Mine","nodes":{}}', encoding="utf-8")
    program, where = self.start("my.json", "--port", 0)
    self.assertTrue(where["address"].startswith(f"http://127.0.0.1:{where['port']}/"), where)
    self.assertTrue(where["address"].endswith("#/g/my"), where)
    self.assertEqual(where["token"], "")
    status, graphs = self.ask(where, "/api/graphs")
    self.assertEqual((status, graphs[0]["title"]), (200, "Mine"))
    program.send_signal(signal.SIGINT)
    self.assertEqual(program.wait(30), 0)

  def test_opens_a_graph_that_comes_with_the_program(self):
    _, where = self.start("spiral", "--port", 0)
    self.assertTrue(where["address"].endswith("#/g/spiral"), where)
    graph = self.ask(where, "/api/graphs/spiral")[1]["graph"]
    self.assertIn("recon.nufft", json.dumps(graph))

  def test_another_host_asks_for_a_token(self):
    _, where = self.start("--host", "0.0.0.0", "--port", 0)
    self.assertGreaterEqual(len(where["token"]), 32)
    self.assertEqual(self.ask(where, "/api/graphs")[0], 403)
    self.assertEqual(self.ask(where, "/api/graphs?token=" + where["token"])[0], 200)
    self.assertEqual(self.ask(where, "/api/graphs", headers={"Authorization": "Bearer " + where["token"]})[0], 200)

  def test_a_port_that_is_taken(self):
    _, first = self.start("--port", 0)
    self.fails(1, ["studio", "--no-browser", "--port", first["port"], "--cache", "cache"], "cannot listen", "--port")

  def test_mistakes_of_the_call(self):
    self.fails(1, ["studio", "none.json", "--no-browser"], "none.json")
    self.fails(1, ["studio", "--root", "none", "--no-browser"], "no folder")
    self.fails(2, ["studio", "--memory", "many", "--no-browser"], "--memory")
    self.fails(2, ["studio", "--memory", "5X", "--no-browser"], "--memory")
    self.fails(2, ["studio", "--ops", "none", "--no-browser"], "--ops")

  def test_shows_the_client_or_says_why_not(self):
    _, where = self.start("--port", 0)
    with urllib.request.urlopen(f"http://127.0.0.1:{where['port']}/", timeout=60) as answer:
      page = answer.read().decode()
      self.assertIn("Larmor Studio", page)
      self.assertIn("text/html", answer.headers["Content-Type"])
      if self.ask(where, "/api/version")[1]["client"]:
        self.assertIn("script-src 'self'", answer.headers["Content-Security-Policy"])
        self.assertNotIn("'unsafe-eval'", answer.headers["Content-Security-Policy"])

  def user_operation(self, factor):
    ops = self.dir / "ops"
    ops.mkdir(exist_ok=True)
    (ops / "scale.py").write_text(f'''
def describe():
  return {{"id": "user.scale", "title": "Scale", "outputs": [{{"name": "out", "type": "number"}}]}}

def compute(io):
  return {{"out": {factor}.0}}
''', encoding="utf-8")
    return ops

  def test_operations_of_users_load_only_when_allowed(self):
    ops = self.user_operation(2)
    home = self.dir / "home"
    (home / ".larmor").mkdir(parents=True)
    (home / ".larmor" / "ops").symlink_to(ops)
    env = {"HOME": str(home)}
    ids = lambda where: [op["id"] for op in self.ask(where, "/api/catalogue")[1]["ops"]]
    program, where = self.start("--port", 0, env=env)
    self.assertNotIn("user.scale", ids(where))
    self.end(program)
    for words in (["--ops", ops], ["--allow-user-code"]):
      program, where = self.start("--port", 0, *words, env=env)
      self.assertIn("user.scale", ids(where), words)
      self.end(program)

  def test_an_edited_operation_runs_again(self):
    ops = self.user_operation(2)
    _, where = self.start("--port", 0, "--ops", ops)
    _, graph = self.ask(where, "/api/graphs", {"graph": {"larmor": 1, "nodes": {"s": {"op": "user.scale"}}}})
    value = lambda: self.ask(where, f"/api/graphs/{graph['id']}/value?port=s.out")[1].get("value")
    self.wait_for(lambda: value() == 2)
    self.user_operation(3)
    self.wait_for(lambda: value() == 3)


if __name__ == "__main__":
  harness.main()
